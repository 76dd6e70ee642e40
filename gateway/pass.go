package gateway

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"spate/gateway/content"
	"spate/source"
	"spate/source/httpsource"
)

// header is what an answer with what is stored repeats of the origin's, and its age.
func (e *exchange) header(stored *answered) http.Header {
	h := make(http.Header, len(stored.header)+2)
	for name, values := range stored.header {
		h[name] = values
	}
	h.Del("Alt-Svc") // it is about the way to the origin
	h.Set("Date", stored.date().UTC().Format(http.TimeFormat))
	if stored.at.Before(e.begun) || h["Age"] != nil {
		h.Set("Age", strconv.FormatInt(int64(stored.age(time.Now())/time.Second), 10))
	}
	h.Set("Via", withVia(h, e.Name))
	return h
}

func withVia(h http.Header, name string) string {
	if via := listOf(h, "Via"); via != "" {
		return via + ", " + Via(name)
	}
	return Via(name)
}

// newProxy makes what lets requests pass.
func (f *front) newProxy() http.Handler {
	return &httputil.ReverseProxy{
		Transport:      f.Transport,
		Rewrite:        f.rewrite,
		ModifyResponse: f.passed,
		ErrorHandler:   f.failed,
		ErrorLog:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
}

// pass sends r on to target, and its answer back.
func (f *front) pass(a *answer, r *http.Request, target string) {
	to, err := url.Parse(target)
	if err != nil {
		deny(a, errTarget)
		return
	}
	inner := r.Clone(r.Context())
	inner.URL = to
	if r.ContentLength != 0 {
		a.body = &arriving{ReadCloser: r.Body, control: a.control}
		inner.Body = a.body
	}
	f.proxy.ServeHTTP(a, inner)
}

// arriving is a body that passes: it may take its time, as long as something comes.
type arriving struct {
	io.ReadCloser
	control *http.ResponseController
	over    bool
	broken  atomic.Pointer[denial] // why it has no end; who sends it may read beside who answers
}

var (
	errBody = &denial{http.StatusBadRequest, "the body of the request has no end, or makes no sense"}
	errLate = &denial{http.StatusRequestTimeout, "the body of the request does not come"}
)

func (b *arriving) Read(p []byte) (int, error) {
	if !b.over { // behind its end the deadline is that of the connection, which the server watches
		_ = b.control.SetReadDeadline(time.Now().Add(silent)) // a connection without deadlines is a test's
	}
	n, err := b.ReadCloser.Read(p)
	switch b.over = b.over || err != nil; {
	case err == nil, err == io.EOF, errors.Is(err, http.ErrBodyReadAfterClose):
	case errors.Is(err, os.ErrDeadlineExceeded):
		b.broken.Store(errLate)
	default:
		b.broken.Store(errBody)
	}
	return n, err
}

// rewrite makes the request that passes. Its header has lost the fields of one connection already, and what it said of the way.
func (f *front) rewrite(p *httputil.ProxyRequest) {
	p.Out.Host, p.Out.URL.RawQuery = "", p.In.URL.RawQuery // also what is no list of parameters
	p.SetXForwarded()
	p.Out.Header.Set("Via", withVia(p.In.Header, f.Name))
	if !f.Credentials {
		p.Out.Header.Del("Cookie")
	}
	if !f.Credentials || f.g.opts.Token != "" {
		p.Out.Header.Del("Authorization")
	}
}

// passed sees an answer that passes.
func (f *front) passed(resp *http.Response) error {
	target := resp.Request.URL
	if isUnsafe(resp.Request.Method) {
		if resp.StatusCode < 400 {
			f.invalidate(target, resp.Header)
		}
	} else if resp.Request.Method == http.MethodGet {
		f.learn(f.key(target), resp)
	}
	if to := f.location(target, resp.Header.Get("Location")); to != "" {
		resp.Header.Set("Location", to)
	}
	resp.Header.Set("Via", withVia(resp.Header, f.Name))
	resp.Header.Del("Alt-Svc")
	return nil
}

// isUnsafe reports whether a request of that method may change what the origin has (RFC 9110 §9.2.1). Of an unknown one nobody
// knows.
func isUnsafe(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return false
	}
	return true
}

// invalidate forgets what a request has changed: its target, and what the answer names of the same host (RFC 9111 §4.4).
func (f *front) invalidate(target *url.URL, h http.Header) {
	f.forget(target)
	for _, name := range []string{"Location", "Content-Location"} {
		ref, err := url.Parse(h.Get(name))
		if err != nil || h.Get(name) == "" {
			continue
		}
		if to := target.ResolveReference(ref); to.Scheme == target.Scheme && strings.EqualFold(to.Host, target.Host) {
			to.Fragment, to.RawFragment, to.Host = "", "", target.Host
			f.forget(to)
		}
	}
}

func (f *front) forget(target *url.URL) {
	key := f.key(target)
	f.Pool.Forget([]string{key})
	f.passes.remove(key)
}

// key is by what target is known: with the login that the origin was named with.
func (f *front) key(target *url.URL) string {
	u := *target
	u.User = f.URL.User
	return u.String()
}

// learn takes note of whether what passes would be stored the next time.
func (f *front) learn(target string, resp *http.Response) {
	info := &source.Info{Header: httpsource.EndToEnd(resp.Header.Clone()), Validator: resp.Header.Get("ETag") + resp.Header.Get("Last-Modified")}
	mayStore := (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent) &&
		resp.Header.Get("Content-Encoding") == "" && f.accept(info) == nil
	switch {
	case !f.passes.has(target):
	case mayStore:
		f.passes.remove(target)
	case resp.StatusCode != http.StatusNotModified:
		f.passes.add(target)
	}
}

// location is the Location of an answer for clients: what is of the origin is ours. "": as it is.
func (f *front) location(target *url.URL, value string) string {
	ref, err := url.Parse(value)
	if err != nil || value == "" {
		return ""
	}
	to := target.ResolveReference(ref)
	to.User = nil
	base := *f.URL
	base.User = nil
	rest, isOurs := strings.CutPrefix(to.String(), strings.TrimSuffix(base.String(), "/"))
	switch {
	case !isOurs && ref.IsAbs():
		return ""
	case !isOurs || rest != "" && !strings.HasPrefix(rest, "/") && !strings.HasPrefix(rest, "?") && !strings.HasPrefix(rest, "#"):
		return to.String()
	case !strings.HasPrefix(rest, "/"):
		return "/" + rest
	case strings.HasPrefix(rest, "//"):
		return "/." + rest // or it would begin with a host
	}
	return rest
}

// failed answers where there was no answer, be it that the request was none. What a request that broke has done nobody knows.
func (f *front) failed(w http.ResponseWriter, r *http.Request, err error) {
	if isUnsafe(r.Method) {
		f.forget(r.URL)
	}
	a, ok := w.(*answer)
	if ok && a.body != nil {
		if d := a.body.broken.Load(); d != nil {
			deny(w, d)
			return
		}
	}
	if ok {
		a.failed(err)
	}
	content.Fail(w, r, err)
}

const (
	passFor   = time.Minute
	maxPasses = 8 << 10
)

// passes are URLs of which the last answer was none to be stored: requests for them pass at once. They are forgotten after a
// minute, and all together where there are too many.
type passes struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func (p *passes) has(url string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.until[url])
}

func (p *passes) add(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil || len(p.until) >= maxPasses {
		p.until = map[string]time.Time{}
	}
	p.until[url] = time.Now().Add(passFor)
}

func (p *passes) remove(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.until, url)
}
