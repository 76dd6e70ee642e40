package assemble

import (
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"slices"

	"spate/event"
	"spate/internal/redact"
	"spate/source"
)

// next waits for bytes that are new, and returns them.
func (r *Reader) next() ([]byte, error) {
	for r.err == nil {
		b, err := r.step()
		if len(b) > 0 {
			if err = r.note(); err == nil {
				return b, nil
			}
		}
		r.err = err
	}
	return nil, r.err
}

// step makes one step towards the next bytes.
func (r *Reader) step() ([]byte, error) {
	l := r.head
	if l == nil {
		return nil, r.takeHead()
	}
	b, err := r.peek(l)
	switch {
	case err == nil && r.pos < r.high:
		return nil, r.replay(b)
	case err == nil:
		return b, nil
	case err == io.EOF && r.pos < l.c.need:
		return nil, r.fail(l, l.next, errShort)
	case err == io.EOF && r.pos-l.start.off != l.t.off:
		return nil, fmt.Errorf("read %s: %w", redact.URL(l.answer.info.URL), errLost)
	case err == io.EOF:
		r.settled = max(r.settled, r.pos)
		r.part = l.start.part + 1
		r.drop(l)
		r.head = nil
		return nil, nil
	case err == errFailed:
		return nil, r.giveUp(l)
	}
	return nil, err
}

// advance counts bytes that were handed on.
func (r *Reader) advance(b []byte) {
	r.sum(b)
	r.pos += int64(len(b))
	r.high, r.highCRC = r.pos, r.crc
	r.handed = r.handed || len(b) > 0
	if !r.head.promised {
		r.settled = r.pos
	}
	r.idle, r.unwinds = idling{}, 0
	r.w.heard.Store(true)
	r.consume(r.head, len(b))
}

// sum keeps the CRC of the stream, where there may be something to compare it with.
func (r *Reader) sum(b []byte) {
	if r.head.c.mayReplay() || r.pos < r.high {
		r.crc = crc64.Update(r.crc, crcTable, b)
	}
}

// replay compares bytes that were handed on before with those that come now.
func (r *Reader) replay(b []byte) error {
	b = b[:min(int64(len(b)), r.high-r.pos)]
	r.sum(b)
	r.pos += int64(len(b))
	r.consume(r.head, len(b))
	if r.pos == r.high && r.crc != r.highCRC {
		return r.fail(r.head, r.headNext, errDiffers)
	}
	return nil
}

// takeHead waits for the walker's next leaf.
func (r *Reader) takeHead() error {
	l, err := r.dequeue()
	if err != nil {
		return err
	}
	if l.reset != nil && l.reset.set {
		r.pos, r.crc, r.part = l.reset.off, l.reset.crc, l.reset.part
	}
	if l.arrival != nil {
		r.arrived(l)
	}
	if !l.start.set {
		*l.start = mark{set: true, off: r.pos, part: r.part, crc: r.crc}
	}
	r.idle.opens += l.idle.opens
	r.idle.again += l.idle.again
	if err := r.idle.check(r.o.opts.MaxIdleOpens); err != nil {
		r.drop(l)
		return err
	}
	switch {
	case l.fatal != nil:
		return r.fatal(l)
	case l.isCheck && r.pos >= l.c.need:
		return nil
	case l.isCheck:
		l.errs = append(slices.Clip(l.errs), errShort)
		return r.unwind(l, false)
	case l.dead:
		l.tryAgain()
		return r.unwind(l, l.arrival == nil) // what there is of a stream may end in another part
	}
	r.head, r.handed = l, l.resumed != nil
	r.begun(l)
	return nil
}

// tryAgain forgets why the leaf's alternatives failed before it was the head. Now that it is, they are tried again,
// from the part's first byte: reading ahead must not change the result, and in order an alternative that is given up
// does not come again further on.
func (l *Leaf) tryAgain() {
	if l.early {
		l.next, l.errs = l.c.next, l.c.errs
	}
}

// mayBeLoad reports whether an alternative may have failed only because so much was asked for at once.
func mayBeLoad(errs []error) bool {
	return slices.ContainsFunc(errs, func(err error) bool {
		se, ok := errors.AsType[*source.Error](err)
		return ok && (se.Kind == source.KindNetwork || se.Kind == source.KindTimeout || se.Kind == source.KindLocal ||
			se.Status == 429 || se.Status == 503)
	})
}

func (r *Reader) dequeue() (*Leaf, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.stopped != nil:
			return nil, r.stopped
		case len(r.queue) > 0:
			l := r.queue[0]
			r.queue[0] = nil
			r.queue = r.queue[1:]
			return l, nil
		case r.ended && r.pos < r.high:
			return nil, fmt.Errorf("%w: the stream ends before what was handed on", source.ErrChanged)
		case r.ended:
			return nil, io.EOF
		}
		r.ready.Wait()
	}
}

func (r *Reader) fatal(l *Leaf) error {
	if l.c.doc == nil {
		return l.fatal
	}
	return fmt.Errorf("read %s: line %d: %w", redact.URL(l.c.doc.to.url), l.c.part.Line, l.fatal)
}

// begun counts and tells that the reader has reached l.
func (r *Reader) begun(l *Leaf) {
	origin := r.served(l.answer.info.URL)
	if r.pos < r.high || l.answer.off > 0 && l.resumed == nil || r.rewound {
		r.rewound = false
		return // the reader was in this part before
	}
	r.mu.Lock()
	r.stats.Parts++
	part := r.stats.Parts
	if l.answer.cached {
		r.stats.Cached++
	}
	r.mu.Unlock()
	if r.o.opts.Events == nil {
		return
	}
	r.o.opts.emit(l.c.locate(event.Event{Type: event.Part, Part: part, URL: redact.URL(l.answer.info.URL),
		Origin: origin, Size: l.answer.size, Cached: l.answer.cached}))
}

// served remembers the origin of rawURL, and returns it.
func (r *Reader) served(rawURL string) string {
	origin := originOf(rawURL)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.origins) < maxOrigins {
		r.origins[origin] = struct{}{}
	}
	return origin
}

// fail gives up what the head was read from, because of bytes that the reader has compared. The fetcher may be at a
// later alternative already: next is the one to go on with.
func (r *Reader) fail(l *Leaf, next int, cause error) error {
	r.end(l)
	l.next = next
	r.o.failed(l, &source.Error{Op: "read", URL: l.answer.info.URL, Kind: source.KindChanged, Err: cause})
	return r.unwind(l, false)
}

// giveUp goes on after the head's own alternatives could not finish it. Bytes of it that were handed on, and of which a
// digest was promised, are not known to be right: they are taken back, or compared with what comes instead.
func (r *Reader) giveUp(l *Leaf) error {
	if !r.handed {
		l.tryAgain()
	}
	switch {
	case !r.handed || !l.promised, r.o.opts.Place != nil && !l.wrong && !l.hasChoice():
		return r.unwind(l, !l.wrong)
	case r.o.opts.Rewind != nil && l.start.off >= r.settled:
		if err := r.o.opts.Rewind(l.start.off); err != nil {
			return err
		}
		r.pos, r.crc, r.part = l.start.off, l.start.crc, l.start.part
		r.high, r.highCRC = r.pos, r.crc
		r.rewound = true
		return r.unwind(l, true)
	case l.wrong:
		return l.errs[len(l.errs)-1]
	}
	l.whole = true // what comes instead has to reach what was handed on, and be the same
	return r.unwind(l, true)
}

// unwind sets the walk back, to where another alternative is left, and begins it anew from there.
func (r *Reader) unwind(l *Leaf, exact bool) error {
	r.stopWalk()
	r.drop(l)
	r.head = nil
	r.mu.Lock()
	behind := r.queue
	r.queue, r.ended = nil, false
	r.mu.Unlock()
	for _, b := range behind {
		b.abandon()
		r.drop(b)
	}
	if r.unwinds++; r.unwinds > maxIdleUnwinds {
		return fmt.Errorf("%w: %w", io.ErrNoProgress, errUnwindLimit)
	}
	if err := r.w.Unwind(l, stand{pos: r.pos, high: r.high, exact: exact}); err != nil {
		return err
	}
	r.startWalk()
	return nil
}
