package assemble

import (
	"context"

	"spate/source"
)

// begun is called with the answer to the URL that was asked for. It is where the walk learns of what is there already.
func (w *Walker) begun(info source.Info, manifest bool) error {
	if w.rooted {
		return nil
	}
	w.rooted = true
	prior, err := w.onRoot(info, manifest)
	if prior != nil && prior.Size > 0 {
		w.passage = &passage{Prior: prior}
		*w.start = mark{set: true}
	}
	return err
}

// pass reports whether the part of l, the next one, is passed without asking for it. Otherwise it says what is wanted of it.
func (w *Walker) pass(l *Leaf) bool {
	size, inside := w.passage.known(l.c)
	switch {
	case (inside || w.passage.reaches(size)) && !w.passage.isEnd():
		l.peek = true
	case inside:
		w.passage.resume(l)
	case size >= 0:
		w.moveOn(size)
		return true
	default:
		l.peek = true
	}
	return false
}

// moveOn goes past a part of that size.
func (w *Walker) moveOn(size int64) {
	p := w.passage
	p.off, p.part = p.off+size, p.part+1
	w.start = &mark{set: true, off: p.off, part: p.part}
	if size > 0 {
		w.idle = idling{}
		w.heard.Store(true)
	}
}

// resume makes l, the next part, one that goes on behind what is there.
func (p *passage) resume(l *Leaf) {
	p.over = true
	places, _ := p.of()
	l.resumed = &resumption{passage: p, begin: p.off, places: places}
}

// measured decides about l, which was asked for no more than its size. It returns what comes instead, to be begun unless it is
// dead; nil if the part is passed.
func (w *Walker) measured(l *Leaf) *Leaf {
	p, info := w.passage, l.stock.info()
	info.Size = max(l.size, info.Size)
	l.discard()
	again := &Leaf{c: l.c, after: l.after, next: l.c.next, errs: l.c.errs, untold: true}
	to, _ := resolveTarget(l.c.base(), l.c.part.Alternatives[l.cur])
	if err := p.check(l.c, to.url, info); err != nil {
		again.next, again.errs = l.next, l.errs
		w.o.failed(again, err)
		again.peek = again.next < len(l.c.part.Alternatives)
		again.dead, again.untold = !again.peek, false
		return again
	}
	switch {
	case info.Size < 0: // what follows is read again, and compared
		p.over = true
	case p.off+info.Size > p.Size:
		p.resume(again)
	default:
		w.moveOn(info.Size)
		return nil
	}
	return again
}

// arrive makes l, the first leaf, what follows the parts that were passed: the reader begins behind what is there, or before,
// where that has to be read again.
func (w *Walker) arrive(ctx context.Context, l *Leaf) {
	p := w.passage
	w.passage = nil
	at := &mark{set: true, off: p.Size, part: p.part}
	replay := p.over && l.resumed == nil && l.fatal == nil && !l.dead
	var marks []*mark
	for c := l.c; c != nil; c = c.up {
		if c.start != nil && c.start.set {
			marks = append(marks, c.start)
		}
	}
	if replay || l.dead || l.c.mayReplay() {
		var err error
		if at.crc, err = p.sumMarks(ctx, marks); err != nil {
			l.fatal = err
		}
	}
	l.arrival, l.reset = at, at
	if replay {
		l.reset = l.start
	}
}

// ended is a leaf that says why the stream must not end here; nil if it may.
func (w *Walker) ended() *Leaf {
	if p := w.passage; p == nil || p.off >= p.Size {
		return nil
	}
	return &Leaf{c: w.place(), fatal: changed(w.url, errEndsBefore)}
}
