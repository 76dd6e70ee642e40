package farm

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// exchange is one request and its answer.
//
// Whatever goes wrong with an answer, or ends it before its time, ends in abort: a handler that just returned would
// turn a body that was cut short into one that looks whole.
type exchange struct {
	farm  *Farm
	place *place // nil: 404
	res   Resource
	w     http.ResponseWriter
	r     *http.Request
	out   io.Writer // the body: w, or the connection itself
	conn  net.Conn  // once the connection has been taken from the server
	path  string
	entry int // in the log
	pace  pacer
}

// handle answers a request as the Resource of its path asks.
func (f *Farm) handle(w http.ResponseWriter, r *http.Request) {
	if !f.enter() {
		panic(http.ErrAbortHandler)
	}
	defer f.wg.Done()
	x := &exchange{farm: f, w: w, r: r, out: w, path: r.URL.RequestURI()}
	x.entry = f.tally.arrive(r)
	defer f.tally.end(x.path)
	f.assign(x)
	defer f.leave(x)
	x.pace.set(x.res.Rate)
	x.play()
}

// enter counts a handler in, unless the origin is closed.
func (f *Farm) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.wg.Add(1)
	return true
}

// assign gives x the Resource it is to see. Changes is called outside the lock: it may use the Farm.
func (f *Farm) assign(x *exchange) {
	f.mu.Lock()
	x.place = f.find(x.r)
	if x.place == nil {
		f.mu.Unlock()
		x.res = Resource{Status: http.StatusNotFound, Body: []byte("no such resource\n")}
		return
	}
	x.place.asked++
	n := x.place.asked
	x.res = x.place.res
	if m := x.res.Machines; len(m) > 0 {
		x.res = m[x.place.number(x.r.RemoteAddr)%len(m)]
	}
	f.mu.Unlock()
	if x.res.Changes != nil {
		x.res = x.res.Changes(n)
	}
	f.admit(x)
}

// number is that of the connection from addr. Farm.mu is held.
func (p *place) number(addr string) int {
	n, known := p.bound[addr]
	if !known {
		if n = len(p.bound); n == 0 {
			p.bound = map[string]int{}
		}
		p.bound[addr] = n
	}
	return n
}

// admit counts x among those that are answered, or makes it one too many.
func (f *Farm) admit(x *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	x.place.active++
	switch {
	case x.res.Most <= 0:
	case x.place.active > x.res.Most:
		x.res = Resource{Status: orElse(x.res.Status, http.StatusTooManyRequests), RetryAfter: x.res.RetryAfter}
	default:
		x.res.Status = 0
	}
}

// leave takes back what admit counted.
func (f *Farm) leave(x *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x.place != nil {
		x.place.active--
	}
}

func (x *exchange) play() {
	x.sleep(x.res.Delay)
	if x.res.HangHeader {
		x.stick()
	}
	switch {
	case x.res.Garbage:
		x.garbage()
	case x.res.Handler != nil:
		x.res.Handler.ServeHTTP(x.w, x.r)
		if x.ctx().Err() != nil {
			x.abort()
		}
	default:
		x.answer()
	}
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// answer sends the header and the body.
func (x *exchange) answer() {
	h := x.header()
	status, s := x.res.plan(x.r, h)
	if size := s.end - s.off; s.end != endless && !x.res.NoLength {
		h.Set("Content-Length", strconv.FormatInt(size+x.res.LengthOff, 10))
	}
	maps.Copy(h, x.res.Header)
	if x.res.LengthOff != 0 {
		x.rawHeader(status, h)
		defer func() { _ = x.conn.Close() }()
	} else {
		maps.Copy(x.w.Header(), h)
		x.w.WriteHeader(status)
		x.flushHeader()
	}
	x.farm.tally.update(x.entry, func(e *Request) { e.Status = status })
	x.farm.tally.note(Answered, x.path)
	if x.r.Method != http.MethodHead {
		x.body(s)
	}
}

// flushHeader sends the header before the body where net/http would wait: a short body would give it the length, and
// a slow one would hold it up.
func (x *exchange) flushHeader() {
	if x.res.NoLength || x.step() < bigWrite {
		x.flush()
	}
}

// header is what the answer says whatever was asked.
func (x *exchange) header() http.Header {
	h := http.Header{"Content-Type": nil} // nil: net/http is not to guess
	for name, value := range map[string]string{
		"Content-Type":        x.res.MediaType,
		"Etag":                x.res.etag(),
		"Content-Disposition": x.res.Disposition,
		"Content-Encoding":    x.res.Coding,
		"Retry-After":         x.res.RetryAfter,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	if !x.res.ModTime.IsZero() {
		h.Set("Last-Modified", httpDate(x.res.ModTime))
	}
	return h
}

func httpDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// sleep lasts d, or until the client leaves.
func (x *exchange) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-x.ctx().Done():
		x.abort()
	}
}

// stick is silence until Release, or until the client leaves.
func (x *exchange) stick() {
	x.farm.tally.note(Stuck, x.path)
	select {
	case <-x.res.Release:
	case <-x.ctx().Done():
		x.abort()
	}
}

// abort ends the answer and the connection where they are.
func (x *exchange) abort() {
	if x.conn != nil {
		_ = x.conn.Close()
	}
	panic(http.ErrAbortHandler)
}
