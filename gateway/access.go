package gateway

import (
	"encoding/hex"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"spate/internal/redact"
)

// Patience is for how long a client may take nothing of what is sent. On a connection that is none of [Listen]'s it is the time for what is
// sent at once, 128 KiB.
const Patience = 3 * time.Minute

const (
	piece    = 16 << 10         // is sent at once over HTTP/2: what a client takes of one answer only these tell
	silent   = time.Minute      // a body that passes may be silent for so long
	bodyTime = 10 * time.Second // for the body of a request that has no use for one: the server reads it before it answers
)

// An answer is a request being answered: it counts what is sent, and lets nobody hold a connection who takes nothing.
type answer struct {
	http.ResponseWriter
	control *http.ResponseController
	g       *Gateway
	r       *http.Request
	start   time.Time
	first   time.Duration // until the first byte was sent; 0: none was
	status  int
	bytes   int64
	until   time.Time // when the client has taken nothing for too long; zero: it was sent nothing
	body    *arriving // of the request, where it passes
	err     error     // why it was cut, or failed
	left    bool      // the client takes no more

	isOfPage bool // whose deadlines are its own
}

func (g *Gateway) begin(w http.ResponseWriter, r *http.Request) *answer {
	g.metrics.open.Inc()
	a := &answer{ResponseWriter: w, control: http.NewResponseController(w), g: g, r: r, start: time.Now()}
	if r.ContentLength != 0 {
		_ = a.control.SetReadDeadline(a.start.Add(bodyTime)) // a connection without deadlines is a test's
	}
	return a
}

// Unwrap is for [http.ResponseController].
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if status >= 200 && a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if a.r.ProtoMajor < 2 {
		return a.write(p)
	}
	n := 0
	for len(p) > piece {
		m, err := a.write(p[:piece])
		if n, p = n+m, p[m:]; err != nil {
			return n, err
		}
	}
	m, err := a.write(p)
	return n + m, err
}

func (a *answer) write(p []byte) (int, error) {
	if !a.isOfPage {
		a.postpone()
	}
	n, err := a.ResponseWriter.Write(p)
	if a.first == 0 && n > 0 {
		a.first = time.Since(a.start)
		a.g.metrics.first.Observe(a.first.Seconds())
	}
	a.bytes += int64(n)
	a.left = a.left || err != nil
	a.g.metrics.sent.Add(float64(n))
	return n, err
}

// postpone gives the client its time from now on, or from a little before: to set it for each write costs more than that is worth.
func (a *answer) postpone() {
	if now := time.Now(); now.Add(Patience - Patience/8).After(a.until) {
		a.until = now.Add(Patience)
		_ = a.control.SetWriteDeadline(a.until) // a writer without deadlines is a test's
	}
}

// failed notes why the answer is none, or not whole.
func (a *answer) failed(err error) { a.err = err }

// end logs what became of it.
func (a *answer) end() {
	m := a.g.metrics
	m.open.Dec()
	m.answers.WithLabelValues(class(a.status)).Inc()
	attrs := []slog.Attr{
		slog.String("method", a.r.Method), slog.String("target", redactTarget(a.r.RequestURI)), slog.String("remote", a.r.RemoteAddr),
		slog.Int("status", a.status), slog.Int64("bytes", a.bytes), slog.Duration("time", time.Since(a.start)),
	}
	if rng := a.r.Header.Get("Range"); rng != "" {
		attrs = append(attrs, slog.String("range", rng))
	}
	level := slog.LevelInfo
	if a.err != nil {
		if !a.left && a.r.Context().Err() == nil { // else it is the client who has ended it, as players do whenever they seek
			level = slog.LevelWarn
		}
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	a.g.opts.Log.LogAttrs(a.r.Context(), level, "request", attrs...)
}

// class is the first digit of a status.
func class(status int) string {
	if status == 0 {
		return "none"
	}
	return string(rune('0'+status/100)) + "xx"
}

var (
	beforeURL = regexp.MustCompile(`^(?:[A-Za-z]+://[^/?]*)?(?:/\.spate)?/(?:s|file/[^/?]*)/`)
	escaped   = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// redactTarget leaves the secrets of a URL in the target of a request out. One that is encoded as a whole is shown as it would be
// otherwise, also if nobody could open it: what is a password in it cannot be told before.
func redactTarget(target string) string {
	const mostTimes = 4 // that somebody may have encoded it
	at := beforeURL.FindStringIndex(target)
	if at == nil {
		return redact.URL(target)
	}
	raw := target[at[1]:]
	for range mostTimes {
		if absolute.MatchString(raw) {
			break
		}
		raw = escaped.ReplaceAllStringFunc(raw, func(s string) string {
			b, _ := hex.DecodeString(s[1:]) // that is what the expression finds
			return string(b)
		})
	}
	if !absolute.MatchString(raw) && escaped.MatchString(raw) {
		raw = "xxxxx"
	}
	return redact.URL(target[:at[1]]) + redact.URL(raw)
}
