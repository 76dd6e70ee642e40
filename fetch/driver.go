package fetch

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"spate/event"
	"spate/format/span"
	"spate/internal/redact"
	"spate/sched"
	"spate/source"
	"spate/source/budget"
)

// A driver does what the scheduler decides: it turns actions into requests, and what becomes of them into events.
//
// Lock order: driver.mu before conn.mu. Neither is held over I/O.
type driver struct {
	ctx    context.Context // of all requests; ends with run
	cancel context.CancelCauseFunc
	opts   *ObjectOptions
	src    source.Source
	urls   []string
	info   source.Info // of the first answer: what all others must agree with
	file   *File
	digest *digester // nil: none wanted
	wg     sync.WaitGroup
	memory budget.Budget // of blocks that are kept to be used again

	fetched atomic.Int64
	toldAt  atomic.Int64 // nanoseconds from begin to the last event of progress

	mu      sync.Mutex
	sched   *sched.Scheduler
	begin   time.Time
	first   *opened // until connection one takes it
	conns   map[int]*conn
	open    int
	most    int // open at once
	timer   *time.Timer
	faults  []error // the last of each source
	over    chan struct{}
	isOver  bool
	err     error
	size    int64
	written span.Set
}

func newDriver(ctx context.Context, o *Object, file *File, opts *ObjectOptions) *driver {
	info := o.Info()
	d := &driver{opts: opts, src: o.src, urls: o.urls, info: info, file: file, first: o.first,
		conns: make(map[int]*conn), faults: make([]error, len(o.urls)), over: make(chan struct{}), begin: time.Now(), size: info.Size, memory: budget.Budget{Max: maxFree}}
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	d.sched = sched.New(opts.config(d.info, d.urls))
	if d.digest = newSHA256(opts.SHA256); d.digest != nil {
		d.digest.file, d.digest.free = file, d.recycle
		d.digest.seal(info.Size)
		d.digest.told = func(off int64) { d.tell(sched.Event{Type: sched.Frontier, Off: off}) }
	}
	return d
}

// maxFree bounds the blocks that are kept to be used again.
const maxFree = 8 << 20

// buffer is a block, to be given to recycle, or to the digest, in the end.
func (d *driver) buffer() []byte { return d.memory.Buffer(maxBlock) }

func (d *driver) recycle(b []byte) { d.memory.Recycle(b[:cap(b)]) }

var errOver = errors.New("the download is over")

// run downloads. It returns when every goroutine of the driver has ended.
func (d *driver) run() (*Done, error) {
	if d.digest != nil {
		d.wg.Go(d.digest.run)
	}
	d.tell(sched.Event{Type: sched.Start})
	select {
	case <-d.over:
	case <-d.ctx.Done():
		d.finish(context.Cause(d.ctx))
	}
	d.stopWorkers()
	d.cancel(errOver)
	if d.err != nil && d.digest != nil {
		d.digest.stop()
	}
	d.wg.Wait()
	done := &Done{Size: d.size, Fetched: d.fetched.Load(), Connections: d.most}
	if d.digest != nil && d.err == nil {
		done.SHA256, d.err = d.digest.sum()
	}
	if d.err != nil {
		done.Size = d.written.NextGap(span.Span{End: math.MaxInt64}).Off
	}
	return done, d.err
}

// stopWorkers lets the workers end after what they have been told to do.
func (d *driver) stopWorkers() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
	}
	for _, c := range d.conns {
		close(c.work)
	}
	d.conns = nil
	if d.first != nil {
		d.first.res.Body.Close()
		d.first.session.Close()
		d.first = nil
	}
}

// tell gives ev to the scheduler and does what follows from it.
func (d *driver) tell(ev sched.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.step(ev)
}

// step is tell for who holds d.mu.
func (d *driver) step(ev sched.Event) {
	queue := []sched.Event{ev}
	for len(queue) > 0 && !d.isOver {
		ev, queue = queue[0], queue[1:]
		ev.At = time.Since(d.begin)
		for _, a := range d.sched.Step(ev) {
			queue = append(queue, d.do(a)...)
		}
	}
}

// do begins what a says. What can be answered on the spot is answered by the events returned. d.mu is held.
func (d *driver) do(a sched.Action) []sched.Event {
	switch a.Type {
	case sched.Open:
		d.order(a)
	case sched.Keep:
		d.conns[a.Conn].work <- a
	case sched.Cut:
		return []sched.Event{{Type: sched.CutDone, Conn: a.Conn, End: d.conns[a.Conn].cut(a.End)}}
	case sched.Close, sched.Drop:
		d.conns[a.Conn].abort()
	case sched.WakeAt:
		d.wakeAt(a.At)
	case sched.SetAside:
		d.tellOf(event.Event{Type: event.Failed, URL: redact.URL(d.urls[a.Source]), Kind: a.Class.String(), Error: "set aside: " + a.Class.String()})
	case sched.Finished:
		d.finishLocked(nil)
	case sched.GiveUp:
		d.finishLocked(d.failure())
	}
	return nil
}

// order gives a range to a connection, a new one if need be.
func (d *driver) order(a sched.Action) {
	if a.Restart {
		d.written = span.Set{}
		if d.digest != nil {
			d.digest.restart()
		}
	}
	c := d.conns[a.Conn]
	if c == nil {
		c = &conn{d: d, id: a.Conn, work: make(chan sched.Action, 2)}
		d.conns[a.Conn] = c
		d.open++
		d.most = max(d.most, d.open)
		d.wg.Go(c.run)
	}
	c.expect(a)
	c.work <- a
}

// gone forgets a connection that has ended; its number does not come again.
func (d *driver) gone(c *conn, ev sched.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conns[c.id] == c {
		delete(d.conns, c.id)
		d.open--
	}
	d.step(ev)
}

func (d *driver) wakeAt(at time.Duration) {
	left := at - time.Since(d.begin)
	if d.timer == nil {
		d.timer = time.AfterFunc(left, func() { d.tell(sched.Event{Type: sched.Tick}) })
		return
	}
	d.timer.Reset(left)
}

func (d *driver) finish(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.finishLocked(err)
}

func (d *driver) finishLocked(err error) {
	if d.isOver {
		return
	}
	d.isOver, d.err = true, err
	close(d.over)
}

// failure is why no source is left.
func (d *driver) failure() error {
	var errs []error
	for _, err := range d.faults {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return &MirrorsError{Errs: errs}
}

// MirrorsError says why none of an object's URLs could be fetched.
type MirrorsError struct{ Errs []error }

func (e *MirrorsError) Error() string { return "none of the mirrors works" }

// Unwrap returns why each of them does not.
func (e *MirrorsError) Unwrap() []error { return e.Errs }

func (d *driver) tellOf(e event.Event) {
	if d.opts.Events != nil {
		e.Time = time.Now()
		d.opts.Events(e)
	}
}
