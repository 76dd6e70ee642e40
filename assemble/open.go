package assemble

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"sync"
	"sync/atomic"

	"spate/event"
	"spate/format/manifest"
	"spate/internal/redact"
	"spate/source"
	"spate/source/limit"
)

// An opener opens targets, each within a slot of its host.
type opener struct {
	src  source.Source
	opts *Options
	memo *memo

	opens    atomic.Int64 // requests
	failures atomic.Int64 // alternatives given up
}

var (
	errNoRange  = errors.New("cannot go on where it broke: the origin answers no ranges, or does not tell whether it has changed")
	errDiffers  = errors.New("what was read again differs from what was read before")
	errShrunk   = errors.New("it is shorter than what was read of it before")
	errPromised = errors.New("it has another size than was promised")
)

// A pull reads one target from an offset on. It opens it again where it breaks, as long as that brings new bytes, and
// where its slot is taken away for the head. It is used by one goroutine at a time.
type pull struct {
	o      *opener
	to     target
	t      *tally // of the part; the pull reads on from t.off
	size   int64  // of the whole; -1: not known
	first  source.Info
	res    *source.Resource // what is open; nil while nothing is
	opened int64            // t.off when it was opened
	excess bool             // the body goes on beyond the size

	once bool // for the memo: it should be asked for only once

	mu       sync.Mutex // guards what revoke touches
	position limit.Position
	slot     *limit.Slot
	abort    context.CancelFunc
	revoked  bool
}

// open opens to at t.off. size is what is known of the part's size from bytes already read, else -1.
func (o *opener) open(ctx context.Context, to target, t *tally, size int64, position limit.Position) (*pull, error) {
	p := &pull{o: o, position: position, to: to, t: t, size: size}
	if to.size >= 0 && size >= 0 && to.size != size {
		return nil, p.fault("open", source.KindChanged, errPromised)
	}
	if err := p.reopen(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// info is what the origin told when the pull was first opened.
func (p *pull) info() source.Info { return p.first }

func (p *pull) fault(op string, kind source.Kind, err error) error {
	return &source.Error{Op: op, URL: p.to.url, Kind: kind, Err: err}
}

// reopen opens the target at t.off, as often as its slot is revoked meanwhile.
func (p *pull) reopen(ctx context.Context) error {
	for {
		err := p.try(ctx)
		if err == nil || ctx.Err() != nil || !p.wasRevoked() {
			return err
		}
		p.release()
	}
}

func (p *pull) try(ctx context.Context) error {
	p.release()
	ctx, abort := context.WithCancel(ctx)
	p.mu.Lock()
	p.abort, p.revoked = abort, false
	p.mu.Unlock()
	if err := p.take(ctx); err != nil {
		return err
	}
	p.o.opens.Add(1)
	off := p.t.off
	if p.first.URL != "" && !p.maySplice() {
		off = 0
	}
	rng := source.From(off)
	if p.to.peek {
		rng.Len = 1
	}
	res, err := p.o.src.Open(p.to.context(ctx), p.to.url, rng)
	if err != nil {
		p.release()
		return err
	}
	p.res, p.opened = res, p.t.off
	if err := p.accept(res); err != nil {
		p.release()
		return err
	}
	return nil
}

// maySplice reports whether ranges of two answers may be put together: the bytes are known to be those of before, or
// will be when all are there. Otherwise what comes before is read again and compared. What the memo fetches is also for
// parts of which no digest is promised.
func (p *pull) maySplice() bool {
	return p.first.HasStrongValidator() || p.to.digest != nil && !p.once
}

// mayGoOn reports whether the pull can be opened again without reading what comes before.
func (p *pull) mayGoOn() bool { return p.first.Seekable && p.maySplice() }

// take waits for a slot.
func (p *pull) take(ctx context.Context) error {
	if p.to.host == "" {
		return nil
	}
	slot, err := p.o.opts.Hosts.Acquire(ctx, p.to.host, limit.Claim{Position: p, Revoke: p.revoke, Once: p.once})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.slot = slot
	early := p.revoked // between the grant and here
	p.mu.Unlock()
	if early {
		p.dropSlot()
	}
	return nil
}

// Ahead is the position of whoever the pull is for.
func (p *pull) Ahead() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.position.Ahead()
}

// setPosition hands the pull over to another owner.
func (p *pull) setPosition(position limit.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position = position
}

// revoke is called by the limiter, from any goroutine. The slot is given back here, not where the body is read:
// whoever reads it may be waiting for memory that only the head can free.
func (p *pull) revoke() {
	p.mu.Lock()
	p.revoked = true
	p.abort()
	p.mu.Unlock()
	p.dropSlot()
}

func (p *pull) wasRevoked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.revoked
}

// dropSlot gives the slot back and keeps the body.
func (p *pull) dropSlot() {
	p.mu.Lock()
	slot := p.slot
	p.slot = nil
	p.mu.Unlock()
	if slot != nil {
		slot.Release()
	}
}

// release closes the body and gives the slot back. Releasing again does nothing.
func (p *pull) release() {
	if p.res != nil {
		p.res.Body.Close()
		p.res = nil
	}
	if p.abort != nil {
		p.abort()
	}
	p.dropSlot()
}

// accept checks an answer against what is known, and brings its body to t.off.
func (p *pull) accept(res *source.Resource) error {
	switch {
	case p.first.URL == "" && manifest.IsManifest(res.URL, res.MediaType):
		p.first = res.Info // its bytes are not the part's
		return nil
	case p.to.size >= 0 && res.Size >= 0 && p.to.size != res.Size:
		return p.fault("open", source.KindCorrupt, errPromised)
	case p.size >= 0 && res.Size >= 0 && p.size != res.Size:
		return p.fault("open", source.KindChanged, fmt.Errorf("size was %d, is %d", p.size, res.Size))
	case p.first.URL != "" && !res.HasValidatorOf(&p.first):
		return p.fault("open", source.KindChanged, errors.New("its validator is another one than before"))
	case res.Size >= 0 && res.Size < p.t.off:
		return p.fault("open", source.KindChanged, errShrunk)
	}
	if p.first.URL == "" {
		p.first = res.Info
	}
	if p.size < 0 {
		p.size = max(res.Size, p.to.size)
	}
	switch res.Off {
	case p.t.off:
		return nil
	case 0:
		return p.skip(res.Body)
	}
	return p.fault("open", source.KindProtocol, fmt.Errorf("body starts at %d, asked for %d", res.Off, p.t.off))
}

// skip reads the bytes before t.off again and compares them with what was read before.
func (p *pull) skip(body io.Reader) error {
	if !p.t.hasCRC {
		return p.fault("read", source.KindProtocol, errNoRange)
	}
	h := crc64.New(crcTable)
	n, err := io.Copy(h, io.LimitReader(body, p.t.off))
	switch {
	case err != nil:
		return err
	case n < p.t.off:
		return p.fault("read", source.KindChanged, errShrunk)
	case h.Sum64() != p.t.crc:
		return p.fault("read", source.KindChanged, errDiffers)
	}
	return nil
}

// fromStart makes the pull read from the first byte, for nobody's part.
func (p *pull) fromStart(ctx context.Context) error {
	whole := p.t.off == 0 && !p.to.peek
	p.t, p.to.peek = &tally{}, false
	p.to.host, p.to.size, p.to.digest = "", -1, nil // what is promised of the part is not promised of its manifest
	if whole {
		return nil
	}
	p.size = p.first.Size
	return p.reopen(ctx)
}

// Close ends the pull.
func (p *pull) Close() { p.release() }

// read reads the next bytes of the part and counts them. io.EOF comes only where the whole was read.
func (p *pull) read(ctx context.Context, b []byte) (int, error) {
	for {
		n, err := p.readOnce(b)
		p.t.add(b[:n])
		if n > 0 || err == nil && !p.excess {
			return n, nil
		}
		if err == nil {
			continue
		}
		if err = p.mend(ctx, err); err != nil {
			return 0, err
		}
	}
}

// readOnce asks for one byte more than is expected, to see whether the body goes on beyond the size.
func (p *pull) readOnce(b []byte) (int, error) {
	if p.excess {
		return 0, p.fault("read", source.KindCorrupt, errPromised)
	}
	if p.res == nil {
		return 0, io.ErrUnexpectedEOF
	}
	if p.size < 0 {
		return p.res.Body.Read(b)
	}
	left := p.size - p.t.off
	n, err := p.res.Body.Read(b[:min(int64(len(b)), left+1)])
	if int64(n) > left {
		p.excess = true
		return int(left), nil
	}
	return n, err
}

// mend decides what an error of the body, or its end, means. It returns nil if there is more to read.
func (p *pull) mend(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == io.EOF {
		if p.size < 0 || p.t.off == p.size {
			return io.EOF
		}
		err = p.fault("read", source.KindNetwork, io.ErrUnexpectedEOF)
	}
	if p.wasRevoked() {
		return p.reopen(ctx)
	}
	if p.excess || p.t.off == p.opened || source.KindOf(err) == source.KindChanged {
		return err // there is no more to be had here; the end of what has changed is where it was said to be, whoever asks for nothing but that
	}
	cause := err
	if err := p.reopen(ctx); err != nil {
		return fmt.Errorf("%w; then %w", cause, err)
	}
	p.o.opts.emit(event.Event{Type: event.Resumed, URL: redact.URL(p.to.url), Off: p.t.off, Error: cause.Error()})
	return nil
}
