package peer

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"syscall"
	"time"

	"spate/event"
	"spate/swarm/choose"
	"spate/swarm/wire"
)

// progressTime is how often the progress of a request is told, but for its first byte.
const progressTime = 250 * time.Millisecond

// A flight is a request that is open.
type flight struct {
	choose.Request
	cancel context.CancelFunc
}

// step does what the chooser wants done now. It needs the lock; nothing of it waits.
func (p *Peer) step() {
	now := p.now()
	p.tracker.Ask(p.chooser.Questions(now)...)
	cancel, begin := p.chooser.Next(now)
	for _, r := range cancel {
		if f := p.flights[r]; f != nil {
			delete(p.flights, r)
			f.cancel()
		}
	}
	for _, r := range begin {
		ctx, stop := context.WithCancel(p.ctx)
		f := &flight{r, stop}
		p.flights[r] = f
		p.received.Requests++
		p.workers.Go(func() {
			defer stop()
			p.fetch(ctx, f)
		})
	}
	if at, ok := p.chooser.Wake(); !ok {
		p.wakeAt = 0
	} else {
		p.wakeAt = max(at, 1)
	}
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

// located hears the tracker's answers.
func (p *Peer) located(m wire.Message) {
	p.mu.Lock()
	defer p.unlock()
	isDigest := p.o.SHA1 && m.SHA1 != "" && m.Command == wire.GetChunkFrom
	if isDigest && m.Chunk <= p.o.Last && !p.have[m.Chunk] {
		p.sha1[m.Chunk] = m.SHA1
	}
	p.chooser.Located(p.now(), m.Chunk, m.Addrs)
	p.step()
}

func (p *Peer) isWanted(chunk int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.have[chunk]
}

// fetch is one request, from its beginning to what becomes of the bytes.
func (p *Peer) fetch(ctx context.Context, f *flight) {
	d, err := p.download(ctx, f)
	if ctx.Err() != nil {
		p.discard(d)
		return
	}
	local, isLocal := errors.AsType[*localError](err)
	excess, isExcess := errors.AsType[*excessError](err)
	switch {
	case isLocal:
		p.fail(local.err)
		p.discard(d)
	case isExcess:
		p.exceeded(f, d, excess)
	case d == nil:
		p.failed(f, outcome(err), err)
	default:
		p.deliver(f, d, err)
	}
}

// outcome is what a request has come to that has brought nothing.
func outcome(err error) choose.Outcome {
	switch {
	case errors.Is(err, ErrNoChunk):
		return choose.Missing
	case errors.Is(err, syscall.ECONNREFUSED):
		return choose.Refused
	}
	return choose.Broken
}

// A localError is not the giver's fault.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }

// download asks for a chunk and writes what comes. Without a delivery there is an error; with one, an error says how the
// connection broke.
func (p *Peer) download(ctx context.Context, f *flight) (*arrival, error) {
	b, err := request(ctx, f.From, f.Chunk, func(m wire.Message) {
		p.log(m)
		p.connectedTo(f)
	})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	a, err := p.newArrival(f)
	if err != nil {
		return nil, &localError{err}
	}
	broken, err := p.receive(f, b, a)
	if err != nil {
		return a, err
	}
	if a.isRefusal() && (broken == nil || a.size == 0) {
		p.discard(a)
		return nil, cmp.Or(broken, ErrNoChunk)
	}
	if err := a.end(broken == nil); err != nil {
		return a, &localError{err}
	}
	return a, broken
}

// bound is how many bytes of a chunk are taken.
func (p *Peer) bound(chunk int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.judge.bound(chunk)
}

// receive reads what comes until it ends. broken is how, where that was not clean.
func (p *Peer) receive(f *flight, b *body, a *arrival) (broken, err error) {
	buf := make([]byte, 64<<10)
	var told time.Time
	for {
		n, err := b.Read(buf)
		if most := p.bound(f.Chunk); a.size+int64(n) > most {
			return nil, &excessError{most}
		}
		if n > 0 {
			if err := a.write(buf[:n]); err != nil {
				return nil, &localError{err}
			}
			if now := time.Now(); now.Sub(told) >= progressTime {
				told = now
				p.progress(f, a.size)
			}
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return err, nil
		}
	}
}

// connectedTo tells that a request can be heard now.
func (p *Peer) connectedTo(f *flight) {
	p.mu.Lock()
	defer p.unlock()
	p.chooser.Connected(f.Request)
}

func (p *Peer) progress(f *flight, total int64) {
	p.mu.Lock()
	defer p.unlock()
	p.chooser.Progress(p.now(), f.Request, total)
	p.step()
}

// close closes a request, unless it has been cancelled. It needs the lock.
func (p *Peer) close(f *flight) bool {
	if p.flights[f.Request] != f {
		return false
	}
	delete(p.flights, f.Request)
	return true
}

// failed ends a request that has brought nothing.
func (p *Peer) failed(f *flight, o choose.Outcome, err error) {
	p.mu.Lock()
	isOpen := p.close(f)
	var r ruling
	if isOpen {
		p.received.Failed++
		p.inVain(event.Event{Type: event.Failed, Chunk: f.Chunk, Origin: dialAddr(f.From), Error: err.Error()})
		r = p.judge.failed(f.Chunk, f.From, p.chooser.Holders(f.Chunk))
		p.chooser.Ended(p.now(), f.Request, o)
		p.apply(r)
		p.step()
	}
	p.unlock()
	p.carryOut(r)
}

// exceeded ends a request that has brought more bytes than a chunk may have.
func (p *Peer) exceeded(f *flight, a *arrival, err error) {
	p.mu.Lock()
	var r ruling
	if p.close(f) {
		p.judge.exceeded(f.Chunk)
		r = p.judge.failed(f.Chunk, f.From, p.chooser.Holders(f.Chunk))
		r.outcome, r.err = choose.Corrupt, err
		p.account(f, a, r, nil)
		p.chooser.Ended(p.now(), f.Request, r.outcome)
		p.apply(r)
		p.step()
	}
	p.unlock()
	p.discard(a)
	p.carryOut(r)
}

// deliver ends a request that has brought bytes.
func (p *Peer) deliver(f *flight, a *arrival, cause error) {
	r, isOpen := p.rule(f, a, cause)
	if !isOpen {
		p.discard(a)
		return
	}
	p.carryOut(r)
}

// rule says what becomes of an arrival.
func (p *Peer) rule(f *flight, a *arrival, cause error) (r ruling, isOpen bool) {
	isProven, wrong := a.check()
	for {
		p.mu.Lock()
		held := slices.Clone(p.judge.held[f.Chunk])
		p.mu.Unlock()
		var rel []relation
		if !isProven && wrong == nil {
			rel = p.compare(&a.delivery, held)
		}
		p.mu.Lock()
		if !slices.Equal(held, p.judge.held[f.Chunk]) { // another copy has come meanwhile
			p.mu.Unlock()
			continue
		}
		defer p.unlock()
		if !p.close(f) {
			return r, false
		}
		switch {
		case wrong != nil:
			r = ruling{outcome: choose.Corrupt, discard: []*delivery{&a.delivery}, err: errors.Join(wrong, cause)}
			if cause != nil {
				r.outcome = choose.Broken
			}
		case isProven:
			p.judge.certain(&a.delivery)
			r = p.judge.confirmed(&a.delivery)
		default:
			r = p.judge.arrived(&a.delivery, rel, p.chooser.Holders(f.Chunk))
		}
		p.account(f, a, r, cause)
		p.chooser.Ended(p.now(), f.Request, r.outcome)
		p.apply(r)
		p.step()
		return r, true
	}
}

// account counts a delivery, and tells what is wrong with it. It needs the lock.
func (p *Peer) account(f *flight, a *arrival, r ruling, cause error) {
	p.received.Bytes += a.size
	switch r.outcome {
	case choose.Done:
		return
	case choose.Doubtful:
		p.received.Doubtful++
	case choose.Corrupt:
		p.received.Corrupt++
	default:
		p.received.Failed++
	}
	err := r.err
	if cause != nil {
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	p.inVain(event.Event{Type: event.Failed, Chunk: f.Chunk, Origin: dialAddr(f.From), Bytes: a.size, Error: text(err)})
}

// inVain tells why a chunk is still missing. It needs the lock.
func (p *Peer) inVain(e event.Event) {
	p.vain[e.Chunk] = e
	p.later(e)
}

// apply does of a ruling what waits for nothing. It needs the lock. The chunks that it accepts count as here for the
// chooser: what is asked for next need not wait for the disk.
func (p *Peer) apply(r ruling) {
	for _, d := range r.accept {
		p.chooser.Have(d.chunk)
	}
	for _, chunk := range r.doubt {
		p.later(event.Event{Type: event.Failed, Chunk: chunk, Error: "what has come proves smaller than other chunks: asked for again"})
		delete(p.have, chunk)
		p.chooser.Lose(p.now(), chunk)
	}
}

// carryOut does the rest, with the disk. Without the lock.
func (p *Peer) carryOut(r ruling) {
	for _, d := range r.discard {
		if d.draft == nil {
			continue
		}
		if err := d.draft.Discard(); err != nil {
			p.fail(err)
		}
	}
	for _, d := range r.accept {
		if d.draft != nil {
			if err := d.draft.Commit(); err != nil {
				p.fail(err)
				continue
			}
		}
		p.carryOut(p.stored(d))
	}
}

// stored is for a chunk that is in the Store.
func (p *Peer) stored(d *delivery) ruling {
	p.mu.Lock()
	defer p.unlock()
	p.have[d.chunk] = true
	delete(p.vain, d.chunk)
	if p.o.SHA1 {
		p.sha1[d.chunk] = hex.EncodeToString(d.sha1)
	}
	if !p.told[d.chunk] {
		p.received.Chunks++
	}
	p.later(event.Event{Type: event.Chunk, Chunk: d.chunk, Origin: dialAddr(d.from), Bytes: d.size})
	p.announce(d.chunk)
	r := p.judge.stored(d)
	p.apply(r)
	p.checkComplete()
	p.step()
	return r
}

// discard drops what has come of a request that nobody wants any more.
func (p *Peer) discard(a *arrival) {
	if a == nil || a.draft == nil {
		return
	}
	if err := a.draft.Discard(); err != nil {
		p.fail(err)
	}
}

// drop drops what was held until the end.
func (p *Peer) drop() {
	for _, held := range p.judge.held {
		p.carryOut(ruling{discard: held})
	}
}
