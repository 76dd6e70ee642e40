// Package peer is a client of the assignment's swarm: it has chunks of a file-set in a folder, gives them to others, asks a
// tracker who has the rest, and fetches it. docs/spec/tracker.md has what goes over the wire, and why.
package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"spate/event"
	"spate/swarm/choose"
	"spate/swarm/loopback"
	"spate/swarm/wire"
)

// graceTime is how long what others are fetching may take when a peer ends because it is done.
const graceTime = 10 * time.Second

// A Peer serves the chunks that it has, and fetches the others. Make it with Listen, then Run it, once.
type Peer struct {
	o         Options
	self      wire.Addr
	listeners []net.Listener
	server    *server
	tracker   *Tracker
	began     time.Time
	complete  chan struct{} // closed when all chunks are here
	workers   sync.WaitGroup
	kick      chan struct{} // the time to wake at has changed
	ctx       context.Context
	fail      context.CancelCauseFunc // ends all

	// mu guards what follows; chooser is nil until the tracker was there. No I/O under it; Tracker.mu may be taken while it is held,
	// not the other way round.
	mu       sync.Mutex
	chooser  *choose.Chooser
	judge    *judge
	flights  map[choose.Request]*flight
	have     map[int]bool // there, and given to others
	told     map[int]bool // announced
	sha1     map[int]string
	vain     map[int]event.Event // why what was asked for last did not come
	noted    map[int]bool        // that they are waited for stands in the log
	wakeAt   time.Duration
	events   []event.Event // to be told by unlock
	received ReceiveStats
}

// ReceiveStats counts what a peer has fetched.
type ReceiveStats struct {
	Requests   int // that were begun
	Chunks     int // that are whole
	Failed     int // requests that brought nothing
	Doubtful   int // copies that are, or were, not enough
	Corrupt    int // with another digest
	Bytes      int64
	Unverified int // chunks that nothing has confirmed
}

// Stats is how a peer gets on.
type Stats struct {
	Have     int
	Last     int
	Active   int // requests that are open
	Received ReceiveStats
	Uploads  UploadStats
	Tracker  TrackerStats
}

// Listen begins to listen, and says what is wrong with the options, or that the port is in use. Nobody is answered before Run.
func Listen(ctx context.Context, o Options) (*Peer, error) {
	o = o.withDefaults()
	if o.Store == nil || o.Last < 1 || o.Last > MaxChunks {
		return nil, fmt.Errorf("a peer needs a store of 1 to %d chunks, not %d", MaxChunks, o.Last)
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	listeners, port, err := loopback.Listen(ctx, o.Host, o.Port)
	if err != nil {
		return nil, err
	}
	p := &Peer{
		o: o, listeners: listeners, complete: make(chan struct{}), kick: make(chan struct{}, 1),
		judge: newJudge(o.Last), flights: map[choose.Request]*flight{}, have: map[int]bool{}, told: map[int]bool{}, sha1: map[int]string{},
		vain: map[int]event.Event{}, noted: map[int]bool{},
	}
	if p.self, err = o.advertised(ctx, port); err != nil {
		return nil, errors.Join(err, p.closeListeners())
	}
	p.judge.limit = o.MaxChunk
	p.server = p.newServer()
	p.tracker = NewTracker(TrackerOptions{
		Addr: o.Tracker, Pace: o.Pace, Sending: p.log, Located: p.located, News: p.news, Wanted: p.isWanted,
	})
	return p, nil
}

func (p *Peer) newServer() *server {
	s := newServer(p.o.Slots)
	s.last, s.allow, s.rate = p.o.Last, p.o.Allow, p.o.limiter()
	s.open = p.open
	s.tell = func(u upload) {
		if u.chunk > 0 {
			p.tell(event.Event{Type: event.Served, Chunk: u.chunk, Origin: u.remote, Bytes: u.bytes, Error: text(u.err)})
		}
	}
	return s
}

func (p *Peer) closeListeners() error {
	var errs []error
	for _, l := range p.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close ends a Peer that is not to be run. It does nothing to one that was.
func (p *Peer) Close() error { return p.closeListeners() }

// Addr is the address that others are told.
func (p *Peer) Addr() wire.Addr { return p.self }

// Complete is closed once all chunks are here.
func (p *Peer) Complete() <-chan struct{} { return p.complete }

// Stats is how the peer gets on now.
func (p *Peer) Stats() Stats {
	p.mu.Lock()
	s := Stats{Have: len(p.have), Last: p.o.Last, Active: len(p.flights), Received: p.received}
	s.Received.Unverified = len(p.judge.unsure)
	p.mu.Unlock()
	s.Uploads, s.Tracker = p.server.statistics(), p.tracker.Stats()
	return s
}

// Run serves and fetches until ctx is done, which is its error then, or until all chunks are here, if that is to be the
// end. Where the Store cannot be written to it ends, too. Nothing of it is left when it returns.
func (p *Peer) Run(ctx context.Context) error {
	defer p.closeListeners()
	if err := p.takeStock(ctx); err != nil {
		return err
	}
	ctx, p.fail = context.WithCancelCause(ctx)
	defer p.fail(nil)
	p.ctx, p.began = ctx, time.Now()
	p.tell(event.Event{Type: event.Listening, Origin: dialAddr(p.self)})
	var parts sync.WaitGroup
	for _, l := range p.listeners {
		parts.Go(func() {
			if err := p.server.serve(ctx, l); err != nil {
				p.fail(err)
			}
		})
	}
	p.begin()
	parts.Go(func() { p.tracker.Run(ctx) })
	parts.Go(func() { p.clock(ctx) })
	parts.Go(func() { p.tellWaiting(ctx) })
	err := p.untilDone(ctx)
	p.fail(err)
	parts.Wait()
	p.workers.Wait()
	p.server.wait()
	p.drop()
	return err
}

// untilDone waits for the end: a nil error is one that was asked for.
func (p *Peer) untilDone(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-p.complete:
	}
	if !p.o.Once && p.o.SeedFor <= 0 {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	rest(ctx, p.o.SeedFor)
	p.tracker.Flush(ctx)
	p.closeListeners()
	served := make(chan struct{})
	go func() {
		defer close(served)
		p.server.wait()
	}()
	grace := time.NewTimer(graceTime)
	defer grace.Stop()
	select {
	case <-served:
	case <-grace.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// clock calls step when it is time to.
func (p *Peer) clock(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.kick:
		case <-timer.C:
			p.mu.Lock()
			p.step()
			p.unlock()
		}
		p.mu.Lock()
		at := p.wakeAt
		p.mu.Unlock()
		if at > 0 {
			timer.Reset(max(at-p.now(), 0))
		} else {
			timer.Stop()
		}
	}
}

func (p *Peer) now() time.Duration { return time.Since(p.began) }

// log writes what is being sent into the log of actions. A log that cannot be written is told of, and nothing more: others
// wait for chunks.
func (p *Peer) log(m wire.Message) {
	p.append(m.LogLine(p.o.Name))
}

func (p *Peer) append(line string) {
	if err := p.o.Log.Append(line); err != nil {
		p.tell(event.Event{Type: event.Failed, Error: "log: " + err.Error()})
	}
}

func (p *Peer) news(err error) {
	p.tell(event.Event{Type: event.Tracker, Origin: p.o.Tracker, Error: text(err)})
	if err == nil {
		p.connected(!p.tracker.Stats().Paced)
	}
}

// later tells of an event once the lock is given back: who hears of it may ask for Stats.
func (p *Peer) later(e event.Event) { p.events = append(p.events, e) }

// unlock gives the lock back, and tells what has happened under it.
func (p *Peer) unlock() {
	events := p.events
	p.events = nil
	notes := p.notes(events)
	p.mu.Unlock()
	for _, line := range notes {
		p.append(line)
	}
	for _, e := range events {
		p.tell(e)
	}
}

func (p *Peer) tell(e event.Event) {
	e.Time = time.Now()
	p.o.Events(e)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
