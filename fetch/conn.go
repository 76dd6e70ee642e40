package fetch

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"spate/format/span"
	"spate/sched"
	"spate/source"
)

const (
	maxBlock = 256 << 10
	minBlock = 16 << 10
	// blockTime is how long a block may take: what is not written yet is lost if the process is killed.
	blockTime = 8 * time.Millisecond
	// told is how long bytes may be held before they are written and told of, where they come slowly.
	toldWithin = 100 * time.Millisecond
	// heldUpTold is how often the scheduler is told that a connection is held up, not silent.
	heldUpTold = 250 * time.Millisecond
)

// A conn is one connection: it is given one range after the other, of one source.
type conn struct {
	d       *driver
	id      int
	work    chan sched.Action
	session source.Session // nil until the first Open

	// The worker's alone.
	source   int // of the last range
	reading  *reading
	held     []byte // of a hedge or a probe
	heldFrom int64  // where in the object it begins
	block    int    // how much is claimed at once
	dialled  bool   // there was a session

	there *stretch // what the bytes of a probe are compared with

	mu      sync.Mutex
	from    int64 // where the range begins
	claimed int64 // all before it will be read
	end     int64 // of the range
	last    int64 // where the answer ends, which may be before that; MaxInt64: not known
	cancel  context.CancelCauseFunc
	aborted bool
	wasCut  chan struct{} // has one where the range was cut since somebody looked, or longer ago
}

var errAborted = errors.New("the connection was closed")

// expect is told of a range that will be worked on: from now on it can be cut.
func (c *conn) expect(a sched.Action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.from, c.claimed, c.end, c.last = a.Off, a.Off, a.End, math.MaxInt64
	if a.End < 0 {
		c.end = math.MaxInt64
	}
}

// answered is told where the answer ends.
func (c *conn) answered(end int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = end
}

// endsAt reports whether there is nothing to read behind off.
func (c *conn) endsAt(off int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return off >= min(c.end, c.last)
}

// has reports whether the byte at off is of the range.
func (c *conn) has(off int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.from <= off && off < c.end
}

// cut lowers the end of the range, and returns what it is then.
func (c *conn) cut(end int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = min(c.end, max(end, c.claimed))
	select {
	case c.wasCut <- struct{}{}:
	default:
	}
	return c.end
}

// rest is what is still to be read of the range.
func (c *conn) rest() span.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return span.Span{Off: c.claimed, End: c.end}
}

// claim takes the next bytes of the range, at most n and none that the answer has not: they will be read, whatever is cut.
func (c *conn) claim(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = int(max(min(int64(n), c.end-c.claimed, c.last-c.claimed), 0))
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
	c.work <- sched.Action{Type: sched.Close} // in case it is idle
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

// run works until the connection has failed, was closed, or there is no more to do. r, if there is one, has been asked for.
func (c *conn) run(r *reading) {
	defer c.close()
	if r != nil && !c.carryOut(r) {
		return
	}
	for a := range c.work {
		switch a.Type {
		case sched.Keep:
			if !c.keep(a) {
				return
			}
		case sched.Close:
			c.fail(c.rest().Off, c.source, errAborted) // it may have ended its range after it was told
			return
		default:
			if !c.carryOut(c.ask(a)) {
				return
			}
		}
	}
}

// dial begins a session. The first of all is that of the source itself, which keeps its connections: many small files come
// over few of them.
func (c *conn) dial(ctx context.Context, url string) (source.Session, error) {
	if c.id == 1 && !c.dialled {
		c.dialled = true
		return pooled{c.d.src}, nil
	}
	return source.Dial(ctx, c.d.src, url)
}

// pooled is a source as a session that nobody has to close.
type pooled struct{ source.Source }

func (pooled) Close() error { return nil }

func (c *conn) close() {
	if c.session != nil {
		c.session.Close()
	}
}

// ask asks for what a says.
func (c *conn) ask(a sched.Action) *reading {
	ctx := c.begin()
	if a.Fresh {
		c.close()
		c.session = nil
	}
	if a.Restart {
		c.d.restart()
	}
	r := &reading{ctx: ctx, c: c, a: a, off: a.Off}
	c.held, c.source, c.reading = c.held[:0], a.Source, r
	r.open(ctx)
	return r
}

// carryOut does what was asked for, and reports whether the connection can be used again.
func (c *conn) carryOut(r *reading) bool {
	defer c.cancel(nil)
	err := r.opened()
	if err == nil {
		if err = r.meetLast(); err == nil {
			err = r.read()
		}
		r.res.Body.Close() // what it could tell, reading has told
		r.until = 0
	}
	if err != nil {
		if r.err == nil && r.off == r.a.Off {
			r.shorten(err, r.a.Off-r.from)
		}
		c.fail(r.off, r.a.Source, err)
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
	switch {
	case c.d.ctx.Err() != nil: // all is over, which is no fault of the source
	case !aborted:
		ev.Type, ev.Class, ev.RetryAfter = sched.Failed, classOf(err), retryAfter(err)
		c.d.blame(source, err)
	case c.d.neverHeardOf(source):
		c.d.blame(source, c.d.noAnswer(source))
	}
	c.d.gone(c, ev)
}

// keep writes what a hedge has won: of what is held, that from a.Off on and before a.End. It reports whether the connection can be
// used again.
func (c *conn) keep(a sched.Action) bool {
	if a.Off == a.End {
		return true
	}
	from, end := a.Off-c.heldFrom, a.End-c.heldFrom
	err := c.reading.meetTwin(c.held[:from], a.Off)
	for b := c.held[from:end]; len(b) > 0 && err == nil; {
		buf := c.d.buffer(maxBlock)
		n := copy(buf, b)
		if err = c.d.write(block{off: a.Off, b: buf[:n], giver: c.source}, c); err == nil {
			a.Off += int64(n)
			b = b[n:]
		}
	}
	c.held = nil
	if err != nil {
		c.fail(a.Off, c.source, err)
		return false
	}
	c.d.tell(sched.Event{Type: sched.Progress, Conn: c.id, Off: a.End})
	return true
}
