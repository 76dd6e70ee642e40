package fetch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"spate/event"
	"spate/format/checksum"
	"spate/format/span"
	"spate/internal/redact"
	"spate/sched"
	"spate/source"
	"spate/source/budget"
)

// A driver does what the scheduler decides: it turns actions into requests, and what becomes of them into events. It begins
// without a file; from the first answer until run it stands still, and so does its clock.
//
// Lock order: driver.mu before conn.mu. Neither is held over I/O.
type driver struct {
	outer    context.Context // of who wants the object
	ctx      context.Context // of all requests; ends with run
	cancel   context.CancelCauseFunc
	opts     *ObjectOptions
	src      source.Source
	mirrors  []Mirror
	target   target        // nil until run
	path     string        // of the file
	sums     *checksum.Set // of the whole; nil: none wanted
	unlike   bool          // these are not those that were promised
	again    bool          // the object was begun by another driver: that it is has been told
	digest   *digester     // nil: nobody takes the bytes in order
	window   *window       // nil: the object goes to a file, and
	handing  *handing      // so is this
	checks   *verifier     // nil: there are no pieces
	wg       sync.WaitGroup
	memory   *budget.Budget // of blocks that are kept to be used again
	answered chan struct{}  // closed once info is set
	begin    time.Time

	fetched atomic.Int64

	asFirst *first   // was asked for before there was a driver, for own; nil: it was not, or own has it
	asked   *reading // by own, and answered: for run to carry out

	mu        sync.Mutex
	going     *sync.Cond // paused has ended, or takesBack
	alone     bool       // no goroutine is to be started for the first connection
	own       *conn      // that one: of who waits for the answer
	started   bool       // the scheduler has
	paused    bool
	pausedAt  time.Duration
	sched     *sched.Scheduler
	info      source.Info // of the first answer: what all others must agree with
	first     int         // who gave it
	lap       int         // how often what was there was void
	anew      int         // who gives it since
	wrong     error       // of the last piece that was wrong
	origins   []origin    // the mirrors
	conns     map[int]*conn
	most      int // open at once
	timer     *time.Timer
	waiting   bool // for a connection, nothing is open
	untold    []event.Event
	opens     int64
	failures  int64
	over      chan struct{}
	isOver    bool
	err       error
	size      int64
	byEnd     bool // the size is known by the end of an answer alone: that of another one could be anything
	written   span.Set
	givers    givers   // of what was written
	former    []string // URLs of those behind the mirrors, who gave something in an earlier download
	takenBack span.Set // what was left and was taken back, or is void
	isOfFirst bool     // the preferred mirror gave some of what was left: the others are measured by it

	disproved []bool // of givers: what they gave is taken back, as they have other bytes than the reference
	frontier  int64  // that was told; see tellFrontier
	voided    bool   // what an earlier download has left is of no use
	seams     []seam
	torn      bool // several versions are there

	takesBack int           // of how many sources what they gave is taken back now
	disproofs []sched.Event // of these, to be told once it is
	lastAsked chan struct{} // for the last bytes of the reference, closed when they are there, or cannot be had now; nil: nobody has
	last      seam          // these
}

func newDriver(ctx context.Context, src source.Source, mirrors []Mirror, opts *ObjectOptions) *driver {
	d := &driver{outer: ctx, opts: opts, src: src, mirrors: mirrors, origins: make([]origin, len(mirrors)),
		givers: make(givers, len(mirrors)), disproved: make([]bool, len(mirrors)), conns: make(map[int]*conn),
		answered: make(chan struct{}), over: make(chan struct{}), begin: time.Now(), memory: opts.blocks()}
	d.going = sync.NewCond(&d.mu)
	d.ctx, d.cancel = context.WithCancelCause(ctx)
	d.sched = sched.New(opts.config(mirrors))
	d.written = *opts.there()
	d.adopt()
	for i := range d.origins {
		d.origins[i].overlap = seamLen
	}
	return d
}

// maxFree bounds the blocks that are kept to be used again: as many as are in use at once where bytes come fast.
const maxFree = 16 << 20

func (o *ObjectOptions) blocks() *budget.Budget {
	if o.Blocks == nil {
		return &budget.Budget{Max: maxFree}
	}
	return o.Blocks
}

// buffer is for a block, to be given to recycle, or to the digest, in the end.
func (d *driver) buffer(size int) []byte { return d.memory.Buffer(size) }

func (d *driver) recycle(b []byte) { d.memory.Recycle(b[:cap(b)]) }

var errOver = errors.New("the download is over")

// start asks for the object. It is followed by end.
func (d *driver) start() {
	d.started = true
	d.tell(sched.Event{Type: sched.Start})
}

// end returns when every goroutine of the driver has ended.
func (d *driver) end() {
	d.stopWorkers()
	d.cancel(errOver)
	if d.asFirst != nil {
		d.asFirst.close()
	}
	if r := d.asked; r != nil {
		r.res.Body.Close()
		r.c.close()
	}
	d.wg.Wait()
}

// run downloads to what prepare makes ready.
func (d *driver) run(prepare func() error) (*Done, error) {
	done := &Done{Resumed: d.written.Bytes()}
	err := prepare()
	if err != nil {
		d.finish(err)
	}
	d.proceed()
	if d.opts.Events != nil && err == nil {
		defer d.tellProgress()()
	}
	d.carryOn()
	select {
	case <-d.over:
	case <-d.ctx.Done():
		d.finish(context.Cause(d.ctx))
	}
	d.stopWorkers()
	d.cancel(errOver)
	d.stopDigests()
	d.wg.Wait()
	if d.target != nil {
		d.recorded(d.target.end(d.err == nil))
		d.recorded(d.keepOne())
	}
	d.sum(done)
	return done, d.err
}

// recorded takes the error of the journal, which is of use only where nothing else went wrong.
func (d *driver) recorded(err error) {
	if d.err == nil {
		d.err = err
	}
}

// sum says what was done.
func (d *driver) sum(done *Done) {
	done.Size, done.Fetched, done.Connections = d.size, d.fetched.Load(), d.most
	done.Opens, done.Failures = d.opens, d.failures
	for _, o := range d.origins {
		if o.answered && o.addr != "" && !slices.Contains(done.Origins, o.addr) {
			done.Origins = append(done.Origins, o.addr)
		}
	}
	slices.Sort(done.Origins)
	if d.digest != nil && d.err == nil {
		done.Digests, d.err = d.verify()
	}
	if d.err != nil {
		done.Size = d.written.Bytes()
	}
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
}

// now is the time that has passed, without that of the pause. d.mu is held.
func (d *driver) now() time.Duration { return time.Since(d.begin) }

// pause lets everything wait for the file, unless all is over: then nobody would end it. d.mu is held.
func (d *driver) pause() {
	d.paused, d.pausedAt = !d.isOver, d.now()
	if d.timer != nil {
		d.timer.Stop()
	}
	close(d.answered)
}

// proceed ends the pause.
func (d *driver) proceed() {
	d.mu.Lock()
	defer d.unlock()
	d.begin = d.begin.Add(d.now() - d.pausedAt)
	d.paused = false
	d.going.Broadcast()
	if !d.started {
		d.started = true
		d.step(sched.Event{Type: sched.Start})
	}
	d.step(sched.Event{Type: sched.Tick})
}

// hold waits until something may be told: there is a file, and nothing is being taken back. d.mu is held.
func (d *driver) hold() {
	for d.paused || d.takesBack > 0 {
		d.going.Wait()
	}
}

// tell gives ev to the scheduler and does what follows from it.
func (d *driver) tell(ev sched.Event) {
	d.mu.Lock()
	defer d.unlock()
	d.hold()
	d.step(ev)
}

// tellProgressOf tells how far c has come, but not that it has come to the end of its range: that is told once, by who will do
// nothing more for it. Only who holds d.mu may cut it, so it is known there alone what the end is.
func (d *driver) tellProgressOf(c *conn, off int64) {
	d.mu.Lock()
	defer d.unlock()
	d.hold()
	if !c.endsAt(off) {
		d.step(sched.Event{Type: sched.Progress, Conn: c.id, Off: off})
	}
}

// step is tell for who holds d.mu. Once the context has ended connections end that the scheduler has told nothing of the kind: what it
// would decide then is about connections that are gone.
func (d *driver) step(ev sched.Event) {
	queue := []sched.Event{ev}
	for len(queue) > 0 && d.isOn() {
		ev, queue = queue[0], queue[1:]
		ev.At = d.now()
		for _, a := range d.sched.Step(ev) {
			queue = append(queue, d.do(a)...)
		}
	}
	d.tellWaiting()
}

// isOn reports whether anything is still to be done. d.mu is held.
func (d *driver) isOn() bool { return !d.isOver && d.ctx.Err() == nil }

// tellWaiting says, once, that nothing is open any more and all that can be done is to try again later. Before the first answer
// what is tried again within a second is not worth a word. d.mu is held.
func (d *driver) tellWaiting() {
	waiting := len(d.conns) == 0 && d.isOn() && (d.target != nil || d.banned() >= time.Second)
	if waiting && !d.waiting {
		err := mirrorsError(d.origins)
		e := event.Event{Type: event.Waiting, Error: err.Error(), Kind: source.KindOf(err).String()}
		if ban := d.banned(); ban > 0 {
			e.Until = time.Now().Add(ban)
		}
		d.tellLater(e)
	}
	d.waiting = waiting
}

// banned is how long the mirrors have all asked not to be asked again, as of the last answer of each; 0 if one of them has not. d.mu
// is held.
func (d *driver) banned() (least time.Duration) {
	for _, o := range d.origins {
		if o.aside {
			continue
		}
		ban := retryAfter(o.fault)
		if ban == 0 {
			return 0
		}
		if least == 0 || ban < least {
			least = ban
		}
	}
	return least
}

// do begins what a says. What can be answered on the spot is answered by the events returned. d.mu is held.
func (d *driver) do(a sched.Action) []sched.Event {
	switch a.Type {
	case sched.Open:
		if a.Restart {
			d.lap, d.anew = d.lap+1, a.Source
		}
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
		d.setAside(a)
	case sched.Finished:
		d.finishLocked(nil)
	case sched.GiveUp:
		d.finishLocked(d.failure(a.Class))
	}
	return nil
}

// setAside says that a mirror is not used any more, unless the mirrors must agree and this one does not. Of one that has
// nothing in its stead, the error will say it.
func (d *driver) setAside(a sched.Action) {
	o := &d.origins[a.Source]
	o.aside = true
	if len(d.mirrors) == 1 {
		return
	}
	isSaid := errors.Is(o.fault, source.ErrCorrupt) || errors.Is(o.fault, errOtherSize)
	if a.Class == sched.Corrupt && !d.opts.piecewise() && !isSaid {
		o.fault = d.differs(a.Source)
	} else if o.fault == nil {
		o.fault = d.unfit(a)
	}
	url, err := d.mirrors[a.Source].URL, o.fault
	if d.opts.Agree && !d.opts.piecewise() && (a.Class == sched.Corrupt || a.Class == sched.Changed) {
		d.finishLocked(d.disagrees(a.Source, err))
		return
	}
	d.tellLater(event.Event{Type: event.Aside, URL: redact.URL(url), Kind: source.KindOf(err).String(), Error: err.Error()})
}

// order gives a range to a connection, a new one if need be.
func (d *driver) order(a sched.Action) {
	c := d.conns[a.Conn]
	if c == nil {
		c = &conn{d: d, id: a.Conn, work: make(chan sched.Action, 2), wasCut: make(chan struct{}, 1)}
		d.conns[a.Conn] = c
		d.most = max(d.most, len(d.conns))
		if d.alone && d.own == nil {
			d.own = c
		} else {
			d.wg.Go(func() { c.run(nil) })
		}
	}
	d.opens++
	if a.Probe {
		c.there = d.pin(span.Span{Off: a.Off, End: a.End})
	}
	c.expect(a)
	c.work <- a
}

// gone forgets a connection that has ended; its number does not come again.
func (d *driver) gone(c *conn, ev sched.Event) {
	d.mu.Lock()
	defer d.unlock()
	d.hold()
	if d.conns[c.id] == c {
		delete(d.conns, c.id)
	}
	d.step(ev)
}

func (d *driver) wakeAt(at time.Duration) {
	left := at - d.now()
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
	d.isOver, d.err, d.paused = true, err, false
	d.going.Broadcast()
	close(d.over)
	d.cancel(errOver)
}

// tellLater tells of e once d.mu, which is held, is unlocked by [driver.unlock].
func (d *driver) tellLater(e event.Event) { d.untold = append(d.untold, e) }

// unlock unlocks d.mu, and tells of what happened meanwhile.
func (d *driver) unlock() {
	events := d.untold
	d.untold = nil
	d.mu.Unlock()
	for _, e := range events {
		d.tellOf(e)
	}
}

func (d *driver) tellOf(e event.Event) {
	if d.opts.Events != nil {
		e.Time = time.Now()
		d.opts.Events(e)
	}
}
