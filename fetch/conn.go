package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"sync"
	"syscall"
	"time"

	"spate/event"
	"spate/format/span"
	"spate/internal/redact"
	"spate/sched"
	"spate/source"
)

const (
	maxBlock = 256 << 10
	minBlock = 16 << 10
	// told is how long bytes may be held before they are written and told of, where they come slowly.
	toldWithin = 100 * time.Millisecond
)

// A conn is one connection: it is given one range after the other, of one source.
type conn struct {
	d       *driver
	id      int
	work    chan sched.Action
	session source.Session // nil until the first Open

	// The worker's alone.
	held     []byte // of a hedge or a probe
	heldFrom int64  // where in the object it begins
	block    int    // how much is claimed at once

	mu      sync.Mutex
	claimed int64 // all before it will be read
	end     int64 // of the range
	cancel  context.CancelCauseFunc
	aborted bool
}

var errAborted = errors.New("the connection was closed")

// expect is told of a range that will be worked on: from now on it can be cut.
func (c *conn) expect(a sched.Action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claimed, c.end = a.Off, a.End
	if a.End < 0 {
		c.end = math.MaxInt64
	}
}

// cut lowers the end of the range, and returns what it is then.
func (c *conn) cut(end int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = min(c.end, max(end, c.claimed))
	return c.end
}

// claim takes the next bytes of the range, at most n: they will be read, whatever is cut.
func (c *conn) claim(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = int(min(int64(n), c.end-c.claimed))
	c.claimed += int64(n)
	return n
}

// abort ends what the connection does. It is answered by Closed.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.aborted = true
	if c.cancel != nil {
		c.cancel(errAborted)
	}
	c.work <- sched.Action{Type: sched.Close, Off: c.claimed} // in case it is idle
}

// begin makes the context of one range.
func (c *conn) begin() context.Context {
	ctx, cancel := context.WithCancelCause(c.d.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancel = cancel
	if c.aborted {
		cancel(errAborted)
	}
	return ctx
}

// run works until the connection has failed, was closed, or there is no more to do.
func (c *conn) run() {
	defer c.close()
	for a := range c.work {
		switch a.Type {
		case sched.Keep:
			c.keep(a)
		case sched.Close:
			c.fail(a.Off, a.Source, errAborted)
			return
		default:
			if !c.fetch(a) {
				return
			}
		}
	}
}

func (c *conn) close() {
	if c.session != nil {
		c.session.Close()
	}
}

// fetch does what a says, and reports whether the connection can be used again.
func (c *conn) fetch(a sched.Action) bool {
	ctx := c.begin()
	defer c.cancel(nil)
	if a.Fresh {
		c.close()
		c.session = nil
	}
	r := &reading{c: c, a: a, off: a.Off}
	c.held = c.held[:0]
	err := r.open(ctx)
	if err == nil {
		err = r.read()
		r.res.Body.Close() // what it could tell, reading has told
	}
	if err != nil {
		c.fail(r.off, a.Source, err)
		return false
	}
	return r.finish()
}

// fail tells that the connection has ended at off.
func (c *conn) fail(off int64, source int, err error) {
	c.mu.Lock()
	aborted := c.aborted
	c.mu.Unlock()
	ev := sched.Event{Type: sched.Closed, Conn: c.id, Off: off}
	if !aborted {
		ev.Type, ev.Class, ev.RetryAfter = sched.Failed, classOf(err), retryAfter(err)
		c.d.blame(source, err)
	}
	c.d.gone(c, ev)
}

// keep writes what a hedge has won: of what is held, that from a.Off on and before a.End.
func (c *conn) keep(a sched.Action) {
	from := a.Off - c.heldFrom
	for b := c.held[from : from+a.End-a.Off]; len(b) > 0; {
		block := c.d.buffer()
		n := copy(block, b)
		if c.d.write(a.Off, block[:n]) != nil {
			return
		}
		a.Off += int64(n)
		b = b[n:]
	}
	c.held = nil
}

// A reading is one range of one connection.
type reading struct {
	c   *conn
	a   sched.Action
	off int64 // all before is written
	eof bool  // the answer has ended there, and with it the object, whose size was not known
	res *source.Resource
	at  time.Time // of the last Progress
	// unbind ends the hold that the range's context has on an answer that was there before; nil: there is none.
	unbind func() bool
}

// open asks for the range, and checks that the answer is of what was begun.
func (r *reading) open(ctx context.Context) error {
	d := r.c.d
	begin := time.Now()
	first := d.takeFirst(r.a)
	if first != nil {
		r.c.session, r.res, begin = first.session, first.res, begin.Add(-first.setup)
		r.unbind = context.AfterFunc(ctx, func() { first.session.Close() })
	} else if err := r.ask(ctx); err != nil {
		return err
	}
	res := r.res
	ev := sched.Event{Type: sched.Opened, Conn: r.c.id, Size: res.Size, Off: r.a.Off, End: -1, Setup: time.Since(begin),
		Seekable: first == nil || res.Seekable}
	if res.Len >= 0 {
		ev.End = res.Off + res.Len
	}
	d.tell(ev)
	return nil
}

func (r *reading) ask(ctx context.Context) (err error) {
	c, d := r.c, r.c.d
	url := d.urls[r.a.Source]
	if c.session == nil {
		if c.session, err = source.Dial(ctx, d.src, url); err != nil {
			return err
		}
	}
	rng := source.Range{Off: r.a.Off, Len: math.MaxInt64}
	if r.a.End >= 0 {
		rng.Len = r.a.End - r.a.Off
	}
	if r.res, err = c.session.Open(ctx, url, rng); err != nil {
		return err
	}
	if err = d.agrees(r.a, r.res); err != nil {
		r.res.Body.Close()
	}
	return err
}

// read reads the range to its end.
func (r *reading) read() error {
	c := r.c
	c.block = max(c.block, minBlock)
	c.heldFrom, r.at = r.a.Off, time.Now()
	for {
		n := c.claim(c.block)
		if n == 0 {
			return nil
		}
		if err := r.fill(n); err == io.EOF {
			return r.ended()
		} else if err != nil {
			return err
		}
	}
}

// fill reads n bytes, which are claimed, and writes them.
func (r *reading) fill(n int) error {
	begin := time.Now()
	for n > 0 {
		b := r.c.d.buffer()
		m, err := r.readSome(b[:n])
		if werr := r.put(b[:m]); werr != nil {
			return werr
		}
		r.off += int64(m)
		n -= m
		if err != nil {
			return err
		}
		r.tell()
	}
	r.c.adapt(time.Since(begin))
	return nil
}

// put takes b, the next bytes of the range.
func (r *reading) put(b []byte) error {
	if r.a.Hedge || r.a.Probe {
		r.c.held = append(r.c.held, b...)
		r.c.d.recycle(b)
		return nil
	}
	return r.c.d.write(r.off, b)
}

// readSome fills b, or less of it where that would take long.
func (r *reading) readSome(b []byte) (n int, err error) {
	begin := time.Now()
	for n < len(b) && err == nil {
		var m int
		m, err = r.res.Body.Read(b[n:])
		n += m
		if time.Since(begin) > toldWithin {
			break
		}
	}
	return n, err
}

// adapt claims more at once where bytes come fast, and less where they do not: what is claimed cannot be cut off.
func (c *conn) adapt(took time.Duration) {
	switch {
	case took < toldWithin/8:
		c.block = min(2*c.block, maxBlock)
	case took > toldWithin:
		c.block = max(c.block/2, minBlock)
	}
}

// tell reports how far the range is written, not too often.
func (r *reading) tell() {
	if t := time.Now(); t.Sub(r.at) > toldWithin/10 {
		r.at = t
		if r.off != r.c.wanted() { // that is told once, by finish
			r.c.d.tell(sched.Event{Type: sched.Progress, Conn: r.c.id, Off: r.off})
		}
	}
}

// wanted is the end of the range, as it was cut.
func (c *conn) wanted() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// finish reports the end of the range.
func (r *reading) finish() bool {
	c := r.c
	if r.unbind != nil {
		r.unbind()
	}
	ev := sched.Event{Type: sched.Progress, Conn: c.id, Off: r.off, EOF: r.eof}
	if r.a.Probe {
		there := make([]byte, len(c.held))
		_, err := c.d.file.ReadAt(there, r.a.Off)
		ev = sched.Event{Type: sched.Verified, Conn: c.id, OK: err == nil && bytes.Equal(there, c.held)}
	}
	c.d.tell(ev)
	return true
}

// ended is for an answer that ends before the range: an origin may cap what it answers, or not tell its size.
func (r *reading) ended() error {
	switch {
	case r.res.Len >= 0 && r.off == r.res.Off+r.res.Len, r.off == r.c.wanted():
		return nil
	case r.res.Size < 0 && r.res.Len < 0:
		r.c.d.knownSize(r.off)
		r.eof = true
		return nil
	}
	return &source.Error{Op: "read", URL: r.c.d.urls[r.a.Source], Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
}

// takeFirst is the answer that was there before, for connection one.
func (d *driver) takeFirst(a sched.Action) *opened {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first == nil || a.Source != 0 || a.Off != 0 {
		return nil
	}
	first := d.first
	d.first = nil
	return first
}

// agrees checks an answer against the first one.
func (d *driver) agrees(a sched.Action, res *source.Resource) error {
	fault := func(kind source.Kind, text string) error {
		return &source.Error{Op: "open", URL: d.urls[a.Source], Kind: kind, Err: errors.New(text)}
	}
	switch {
	case res.Off != a.Off:
		return errNoRange
	case d.info.Size >= 0 && res.Size >= 0 && res.Size != d.info.Size:
		return fault(source.KindChanged, "it has another size than at first")
	case a.Source == 0 && !res.HasValidatorOf(&d.info):
		return fault(source.KindChanged, "its validator is another one than at first")
	}
	return nil
}

var errNoRange = errors.New("the origin answers no ranges")

// write writes b, which it owns from then on, at off.
func (d *driver) write(off int64, b []byte) error {
	if len(b) == 0 {
		d.recycle(b)
		return nil
	}
	if _, err := d.file.WriteAt(b, off); err != nil {
		d.recycle(b)
		d.finish(err)
		return err
	}
	d.fetched.Add(int64(len(b)))
	d.mu.Lock()
	d.written.Add(span.Span{Off: off, End: off + int64(len(b))})
	d.mu.Unlock()
	d.tellProgress()
	if d.digest != nil {
		d.digest.add(off, b)
	} else {
		d.recycle(b)
	}
	return nil
}

// tellProgress tells how many bytes there are, four times a second at most.
func (d *driver) tellProgress() {
	last, now := d.toldAt.Load(), time.Since(d.begin)
	if d.opts.Events == nil || now.Nanoseconds()-last < int64(time.Second/4) || !d.toldAt.CompareAndSwap(last, now.Nanoseconds()) {
		return
	}
	d.tellOf(event.Event{Type: event.Progress, Bytes: d.fetched.Load(), Size: d.info.Size})
}

// knownSize is told of the size of what did not tell it beforehand.
func (d *driver) knownSize(size int64) {
	d.mu.Lock()
	d.size = size
	d.mu.Unlock()
	if d.digest != nil {
		d.digest.seal(size)
	}
}

// blame keeps why a source has failed last.
func (d *driver) blame(source int, err error) {
	d.mu.Lock()
	d.faults[source] = err
	d.mu.Unlock()
	d.tellOf(event.Event{Type: event.Failed, URL: redact.URL(d.urls[source]), Error: err.Error(), Kind: classOf(err).String()})
}

func classOf(err error) sched.Class {
	se, _ := errors.AsType[*source.Error](err)
	switch {
	case errors.Is(err, errNoRange):
		return sched.RangeUnsupported
	case errors.Is(err, syscall.ECONNREFUSED):
		return sched.Refused
	case se == nil:
		return sched.Network
	case se.Kind == source.KindTimeout:
		return sched.Timeout
	case se.Status == 429 || se.Status == 503:
		return sched.Busy
	case se.Kind == source.KindChanged:
		return sched.Changed
	case se.Kind == source.KindNetwork, se.Status >= 500:
		return sched.Network
	}
	return sched.Gone
}

func retryAfter(err error) time.Duration {
	if se, ok := errors.AsType[*source.Error](err); ok {
		return se.RetryAfter
	}
	return 0
}
