package gateway

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/cachecontrol/cacheobject"

	"spate/source"
)

// maxHeuristic bounds how long an answer is fresh that does not say for how long (RFC 9111 §4.2.2).
const maxHeuristic = 24 * time.Hour

// An answered is what an origin told of a file, as a shared cache reads it (RFC 9111).
type answered struct {
	header http.Header
	said   cacheobject.ResponseCacheDirectives
	at     time.Time // it was asked for
	isTold bool      // a validator tells versions apart
	err    error     // Cache-Control is malformed
}

// readAnswer reads what info has of an answer that was asked for at that time.
func readAnswer(info *source.Info, at time.Time) *answered {
	a := &answered{header: info.Header, at: at, isTold: info.Validator != ""}
	said, err := cacheobject.ParseResponseCacheControl(listOf(a.header, "Cache-Control"))
	if err != nil {
		a.err = err
		return a
	}
	a.said = *said
	return a
}

// listOf is a field whose value is a list, of all of its lines.
func listOf(h http.Header, name string) string { return strings.Join(h.Values(name), ",") }

var (
	errNoHeader  = errors.New("it has no header that could be repeated")
	errNoStore   = errors.New("it is not to be stored")
	errPrivate   = errors.New("it is for one client alone")
	errVaries    = errors.New("it depends on what the client sends")
	errShortLife = errors.New("it could not be used again")
)

// mayStore is why a may not be stored by a shared cache, or not usefully; nil: it may. Fields of unsent are none that we send.
// (RFC 9111 §3, §4.1.)
func (a *answered) mayStore(unsent func(field string) bool) error {
	switch {
	case a.header == nil:
		return errNoHeader
	case a.err != nil:
		return a.err
	case a.said.NoStore:
		return errNoStore
	case a.said.PrivatePresent, a.header["Set-Cookie"] != nil:
		return errPrivate
	case !a.isTold && a.lifetime() <= 0:
		return errShortLife
	}
	for field := range strings.SplitSeq(listOf(a.header, "Vary"), ",") {
		if field = strings.TrimSpace(field); field != "" && !unsent(http.CanonicalHeaderKey(field)) {
			return errVaries
		}
	}
	return nil
}

// lifetime is for how long a is fresh (RFC 9111 §4.2.1).
func (a *answered) lifetime() time.Duration {
	switch {
	case a.err != nil || a.said.NoCachePresent:
		return 0
	case a.said.SMaxAge >= 0:
		return seconds(a.said.SMaxAge)
	case a.said.MaxAge >= 0:
		return seconds(a.said.MaxAge)
	case a.header["Expires"] != nil:
		expires, ok := dateOf(a.header, "Expires")
		if !ok {
			return 0
		}
		return max(expires.Sub(a.date()), 0)
	}
	modified, ok := dateOf(a.header, "Last-Modified")
	if !ok {
		return 0
	}
	return min(max(a.date().Sub(modified)/10, 0), maxHeuristic)
}

func seconds(s cacheobject.DeltaSeconds) time.Duration { return time.Duration(s) * time.Second }

// date is when the origin made a.
func (a *answered) date() time.Time {
	if t, ok := dateOf(a.header, "Date"); ok {
		return t
	}
	return a.at
}

// dateOf is the one date of a field; ok is false where it has another value, or more of them.
func dateOf(h http.Header, field string) (t time.Time, ok bool) {
	if len(h[field]) != 1 {
		return t, false
	}
	t, err := http.ParseTime(h[field][0])
	return t, err == nil
}

// age is that of a at now (RFC 9111 §4.2.3). The delay of the answer is part of the time since it was asked for.
func (a *answered) age(now time.Time) time.Duration {
	told := time.Duration(0)
	if first, _, _ := strings.Cut(a.header.Get("Age"), ","); first != "" {
		if n, err := strconv.ParseUint(strings.TrimSpace(first), 10, 31); err == nil {
			told = time.Duration(n) * time.Second
		} else if errors.Is(err, strconv.ErrRange) {
			told = 1 << 31 * time.Second
		}
	}
	return max(a.at.Sub(a.date()), told) + now.Sub(a.at)
}

// mustBeConfirmed reports whether a is stale at now, and says that it may not be used then in any case (RFC 9111 §5.2.2.2, §5.2.2.8,
// §5.2.2.10).
func (a *answered) mustBeConfirmed(now time.Time) bool {
	return (a.said.MustRevalidate || a.said.ProxyRevalidate || a.said.SMaxAge >= 0) && a.age(now) >= a.lifetime()
}

// isShared reports whether a may be handed to a client that says who it is (RFC 9111 §3.5). That a client has a cookie says less
// of an answer than a login does: revalidation alone does not make it everybody's.
func (a *answered) isShared(who identity) bool {
	switch who {
	case nobody:
		return true
	case visitor:
		return a.said.Public || a.said.SMaxAge >= 0
	}
	return a.said.Public || a.said.SMaxAge >= 0 || a.said.MustRevalidate
}

// mayOutlive reports whether a may be used at now although it is stale, as the origin cannot be asked: where that has allowed it
// (stale-if-error, RFC 5861 §4), and nothing it said beside that forbids it (RFC 9111 §4.2.4).
func (a *answered) mayOutlive(now time.Time) bool {
	if a.err != nil || a.said.NoCachePresent || a.said.MustRevalidate || a.said.ProxyRevalidate || a.said.SMaxAge >= 0 || a.said.StaleIfError < 0 {
		return false
	}
	return a.age(now) <= a.lifetime()+seconds(a.said.StaleIfError)
}

// A demand is what a client wants of a stored answer (RFC 9111 §5.2.1).
type demand struct {
	said cacheobject.RequestCacheDirectives
}

// readDemand reads that of h. What is malformed wants everything anew.
func readDemand(h http.Header) demand {
	value := listOf(h, "Cache-Control")
	if h["Cache-Control"] == nil && strings.Contains(strings.ToLower(listOf(h, "Pragma")), "no-cache") {
		value = "no-cache" // RFC 9111 §5.4
	}
	said, err := cacheobject.ParseRequestCacheControl(value)
	if err != nil {
		return demand{cacheobject.RequestCacheDirectives{NoCache: true, MaxAge: -1, MinFresh: -1}}
	}
	return demand{*said}
}

// isMet reports whether a may be used at now as it is, without asking the origin.
func (d *demand) isMet(a *answered, now time.Time) bool {
	age, lifetime := a.age(now), a.lifetime()
	switch {
	case d.said.NoCache, age >= lifetime:
		return false
	case d.said.MaxAge >= 0 && age > seconds(d.said.MaxAge):
		return false
	case d.said.MinFresh >= 0 && lifetime-age < seconds(d.said.MinFresh):
		return false
	}
	return true
}

// takesStale reports whether the client has said nothing of how old an answer may be.
func (d *demand) takesStale() bool {
	return !d.said.NoCache && d.said.MaxAge < 0 && d.said.MinFresh < 0
}
