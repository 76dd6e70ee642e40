package gateway

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"spate/gateway/content"
	"spate/gateway/fill"
	"spate/source"
)

// An Origin is what a Gateway stands before, as a reverse proxy: every path but those below /.spate/ is its. What may be stored goes
// through the cache, by the rules of RFC 9111 for a shared one; all else passes. docs/spec/gateway.md has the rules.
type Origin struct {
	// URL is http or https, without query and fragment. The path and the query of a request are appended as they came.
	URL *url.URL
	// Pool has what is stored of it: one of its own, whose Source follows no redirects. It is closed by the caller.
	Pool *fill.Pool
	// Transport sends what passes, and adds what is sent to the origin in the operator's name. It follows no redirects either.
	Transport http.RoundTripper
	// Credentials has Authorization and Cookie of clients forwarded. Where Options have a Token, Authorization is never: it is for us.
	Credentials bool
	// Name is by which both sides are told who is between them (Via), and a request that has come round is known. The Source of
	// Pool sends it, too: [Via].
	Name string
}

// Via is the value of the field in which name tells that it is on the way (RFC 9110 §7.6.3).
func Via(name string) string { return "1.1 " + name }

// ownPages is where the pages of a Gateway are that stands before an origin.
const ownPages = "/.spate"

// An identity is who a client says it is.
type identity int

const (
	nobody  identity = iota
	visitor          // it has a cookie
	user             // it has logged in
)

// A front is a Gateway's origin.
type front struct {
	Origin
	g      *Gateway
	prefix string // of all of its URLs
	passes passes
	proxy  http.Handler
}

func newFront(g *Gateway, o *Origin) *front {
	f := &front{Origin: *o, g: g, prefix: strings.TrimSuffix(o.URL.String(), "/")}
	f.proxy = f.newProxy()
	return f
}

// has reports whether r asks for what is the origin's.
func (f *front) has(r *http.Request) bool {
	return r.URL.Path != ownPages && !strings.HasPrefix(r.URL.Path, ownPages+"/")
}

var (
	errTarget = &denial{http.StatusBadRequest, "the target of the request is no path"}
	errLoop   = &denial{http.StatusLoopDetected, "the request has been here before"}
	errTrace  = &denial{http.StatusMethodNotAllowed, "it would show what is not the client's"}
	errAbsent = &denial{http.StatusGatewayTimeout, "it is not stored"}

	// errUnconfirmed says more than 502 would: there is an answer, which may not be used (RFC 9111 §5.2.2.2).
	errUnconfirmed = &denial{http.StatusGatewayTimeout, "what is stored has to be confirmed, and nobody has answered"}
)

// serve answers r with what the origin has at its path.
func (f *front) serve(a *answer, r *http.Request) {
	target, err := f.target(r)
	if err == nil && strings.Contains(listOf(r.Header, "Via"), f.Name) {
		err = errLoop
	}
	if err != nil {
		deny(a, err)
		return
	}
	if isOver(a, r) {
		return
	}
	e := &exchange{front: f, url: target, who: f.identify(r), begun: time.Now(), demand: readDemand(r.Header)}
	if !goesThroughCache(r) || !e.demand.said.OnlyIfCached && (e.demand.said.NoStore || f.passes.has(target)) {
		f.pass(a, r, target)
		return
	}
	e.serve(a, r)
}

// isOver answers r, if it is not to get to the origin: TRACE, as what comes back has the logins of the operator, and OPTIONS for whoever
// has let it pass last (RFC 9110 §7.6.2). Else it counts that it passes.
func isOver(a *answer, r *http.Request) bool {
	switch r.Method {
	case http.MethodTrace:
		a.Header().Set("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		deny(a, errTrace)
		return true
	case http.MethodOptions:
		left, err := strconv.ParseUint(r.Header.Get("Max-Forwards"), 10, 31)
		if err == nil && left == 0 {
			a.WriteHeader(http.StatusNoContent)
			return true
		}
		if err == nil {
			r.Header.Set("Max-Forwards", strconv.FormatUint(left-1, 10))
		}
	}
	return false
}

// target is the URL of what r asks for.
func (f *front) target(r *http.Request) (string, error) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") || strings.Trim(f.URL.Path, "/") != "" && climbs(r.URL.Path) {
		return "", errTarget
	}
	u, err := url.Parse(f.prefix + strings.ReplaceAll(r.RequestURI, "#", "%23"))
	if err != nil {
		return "", errTarget
	}
	return u.String(), nil
}

// climbs reports whether path may lead out of where it is appended.
func climbs(path string) bool {
	for segment := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' || r == '\\' }) {
		if segment == ".." {
			return true
		}
	}
	return false
}

// identify is who r says it comes of, as far as the origin gets to know.
func (f *front) identify(r *http.Request) identity {
	switch {
	case !f.Credentials:
		return nobody
	case f.g.opts.Token == "" && r.Header["Authorization"] != nil:
		return user
	case r.Header["Cookie"] != nil:
		return visitor
	}
	return nobody
}

// goesThroughCache reports whether r asks for a representation and nothing else.
func goesThroughCache(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.ContentLength == 0 && r.Header["Upgrade"] == nil
}

// unsent reports whether no answer depends on a field: what we ask is the same for all clients.
func (f *front) unsent(field string) bool {
	switch field {
	case "Accept-Encoding":
		return true // always identity
	case "Authorization", "Cookie":
		return !f.Credentials
	}
	return false
}

func (f *front) accept(info *source.Info) error {
	return readAnswer(info, time.Now()).mayStore(f.unsent)
}

// An exchange is a request that may be answered with what is stored.
type exchange struct {
	*front
	url    string
	who    identity
	begun  time.Time
	demand demand
}

// errPass says that what is stored is no answer for this client.
var errPass = errors.New("it passes")

func (e *exchange) serve(a *answer, r *http.Request) {
	const versions = 3
	err := error(nil)
	for range versions {
		if err = e.try(a, r); err == nil {
			return
		}
		if !errors.Is(err, source.ErrChanged) || r.Context().Err() != nil {
			break
		}
	}
	if errors.Is(err, errUnconfirmed) {
		a.failed(err)
	}
	_, isDenied := errors.AsType[*denial](err)
	switch {
	case isDenied:
		deny(a, err)
	case r.Context().Err() == nil && isAnswered(err):
		if err != errPass {
			e.passes.add(e.url)
		}
		e.pass(a, r, e.url)
	default:
		a.failed(err)
		content.Fail(a, r, err)
	}
}

// isAnswered reports whether the origin, asked once more, has an answer for the client: err is no failure of the way to it.
func isAnswered(err error) bool {
	if err == errPass {
		return true
	}
	e, ok := errors.AsType[*source.Error](err)
	return ok && (e.Status != 0 || e.Kind == source.KindProtocol)
}

func (e *exchange) try(a *answer, r *http.Request) error {
	file, err := e.open(r)
	if err != nil {
		return err
	}
	defer file.Close()
	stored := e.read(file)
	if err := stored.mayStore(e.unsent); err != nil {
		e.Pool.Forget([]string{e.url})
		e.passes.add(e.url)
		return errPass
	}
	return content.Serve(a, r, file, &content.Options{Cut: a.failed, Header: e.header(stored)})
}

// read is what is known of file. Its header may be younger than the time, never older.
func (e *exchange) read(file *fill.File) *answered {
	at := file.Confirmed()
	info := file.Info()
	return readAnswer(&info, at)
}

// open opens what is stored if it may be used, after the origin was asked where that is needed.
func (e *exchange) open(r *http.Request) (*fill.File, error) {
	ctx := r.Context()
	what := fill.What{Mirrors: []string{e.url}, Fresh: -1, Accept: e.accept}
	what.At, what.End = wants(r)
	file := e.Pool.Known(ctx, what.Mirrors)
	if e.demand.said.OnlyIfCached {
		return e.openStored(file)
	}
	if e.who != nobody {
		return e.openShared(file)
	}
	if file == nil {
		var err error
		if file, err = e.Pool.Open(ctx, what); err != nil {
			return nil, err
		}
	}
	if e.isUsable(file) {
		return file, nil
	}
	stored := e.read(file)
	isRequired := stored.mustBeConfirmed(time.Now())
	if !stored.isTold { // there is nothing to ask by
		e.Pool.Forget(what.Mirrors)
	}
	what.Fresh = 1 // no answer is so young
	confirmed, err := e.Pool.Open(ctx, what)
	if isGone(err) && stored.isTold && stored.mayOutlive(time.Now()) && e.demand.takesStale() && file.Has() {
		return file, nil
	}
	if closeErr := file.Close(); closeErr != nil && err == nil {
		return nil, errors.Join(closeErr, confirmed.Close())
	}
	if err != nil && isRequired && !isAnswered(err) {
		return nil, errors.Join(errUnconfirmed, err)
	}
	return confirmed, err
}

// isGone reports whether err is that the origin could not be asked, or has no answer for now (RFC 5861 §4).
func isGone(err error) bool {
	e, ok := errors.AsType[*source.Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return e.Status == 0 && (e.Kind == source.KindNetwork || e.Kind == source.KindTimeout)
}

// isUsable reports whether file may be used as it is: it is fresh, or the origin has spoken since the request came.
func (e *exchange) isUsable(file *fill.File) bool {
	stored := e.read(file)
	return e.demand.isMet(stored, time.Now()) || !stored.at.Before(e.begun)
}

// openStored is for who wants nobody asked (only-if-cached): all of it is there, or it is not used.
func (e *exchange) openStored(file *fill.File) (*fill.File, error) {
	if file == nil {
		return nil, errAbsent
	}
	if stored := e.read(file); !stored.isShared(e.who) || !e.demand.isMet(stored, time.Now()) || !file.Has() {
		return nil, errors.Join(file.Close(), errAbsent)
	}
	return file, nil
}

// openShared is for who says who it is: it is given what is everybody's, or asks the origin itself.
func (e *exchange) openShared(file *fill.File) (*fill.File, error) {
	if file == nil {
		return nil, errPass
	}
	if stored := e.read(file); !stored.isShared(e.who) || !e.demand.isMet(stored, time.Now()) {
		if err := file.Close(); err != nil {
			return nil, err
		}
		return nil, errPass
	}
	return file, nil
}
