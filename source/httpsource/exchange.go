package httpsource

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"spate/source"
	"spate/source/driver"
)

// Of a body that nobody wants, this much is read for so long, so that its connection can be used again.
const (
	drainBytes = 256 << 10
	drainTime  = 250 * time.Millisecond
)

// An answer is a header that has come, with its body to be read. Close or discard ends it.
type answer struct {
	resp  *http.Response
	url   *url.URL
	hops  int  // redirects that led to url
	asked bool // for a range
	// length is what the body should have, as the origin announced it; -1 if it did not.
	length int64
	entire bool // the body is that of the whole resource
	told   promises
	watch  *driver.Watch
	trace  *trace
	idle   time.Duration // how long a Read waits
}

// ask sends one GET for u and waits for the header of the answer. Where that has not come, noHTTP1 tells that HTTP/1.1 may be
// the reason.
func (s *Source) ask(ctx context.Context, u *url.URL, rng source.Range) (a *answer, noHTTP1 bool, err error) {
	ctx, w := driver.NewWatch(ctx)
	t := &trace{watch: w, opts: &s.opts}
	req := s.request(httptrace.WithClientTrace(ctx, t.hooks()), u, rng)
	resp, err := s.via(u).RoundTrip(req)
	t.settle()
	if err != nil {
		w.End()
		return nil, t.noProtocol(err), t.classify(err)
	}
	s.keepCookies(u, resp)
	a = &answer{resp: resp, url: u, length: resp.ContentLength, watch: w, trace: t, idle: s.opts.IdleTimeout}
	a.asked = req.Header.Get("Range") != ""
	return a, false, nil
}

func (s *Source) request(ctx context.Context, u *url.URL, rng source.Range) *http.Request {
	bare := *u
	bare.User = nil
	req := (&http.Request{
		Method: http.MethodGet, URL: &bare, Host: u.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Accept-Encoding": {"identity"},
			"User-Agent":      {s.opts.UserAgent},
		},
	}).WithContext(ctx)
	if rng.Off == 0 {
		req.Header.Set("Want-Repr-Digest", wantReprDigest)
		req.Header.Set("Want-Digest", wantDigest)
	}
	setAll(req.Header, s.opts.Header)
	s.identify(req, u)
	if r := rangeHeader(rng); r != "" {
		req.Header.Set("Range", r)
	}
	return req
}

// rangeHeader is "" where the whole is wanted. HTTP knows no empty range (RFC 9110 §14.1.1): it costs a byte.
func rangeHeader(rng source.Range) string {
	switch {
	case rng.Off == 0 && rng.Len < 0:
		return ""
	case rng.Len < 0 || rng.Len >= math.MaxInt64-rng.Off:
		return "bytes=" + strconv.FormatInt(rng.Off, 10) + "-"
	}
	return fmt.Sprintf("bytes=%d-%d", rng.Off, rng.Off+max(rng.Len, 1)-1)
}

// conn tells of the connection of a, which was asked for at start.
func (a *answer) conn(start time.Time) source.ConnInfo {
	a.trace.mu.Lock()
	defer a.trace.mu.Unlock()
	info := source.ConnInfo{Reused: a.trace.conn.Reused, Setup: time.Since(start)}
	if c := a.trace.conn.Conn; c != nil {
		info.Addr = c.RemoteAddr().String()
	}
	return info
}

// discard ends an answer whose body is not wanted.
func (a *answer) discard() {
	if a.resp.ContentLength <= drainBytes {
		a.drain()
	}
	a.close()
}

// drain reads the little that is left, if that is quickly done.
func (a *answer) drain() {
	if a.resp.ProtoMajor > 1 {
		return // a stream is reset without harm to its connection
	}
	if a.resp.StatusCode == http.StatusSwitchingProtocols {
		return // net/http has given the connection away: nothing but closing it ends a read
	}
	a.watch.Wait("not drained within", drainTime)
	_, _ = io.CopyN(io.Discard, a.resp.Body, drainBytes+1) // one more, to find the end
	a.watch.Done()
}

// close ends the exchange. It does not wait for the origin: cancelling comes first.
func (a *answer) close() {
	a.watch.End()
	_ = a.resp.Body.Close()
}
