package assemble

import (
	"slices"

	"spate/event"
)

// A stand is where the reader is in the stream.
type stand struct {
	pos   int64 // where it reads; less than high while it compares what is replayed
	high  int64 // up to where bytes were handed on
	exact bool  // the bytes up to pos are those of the stream: what comes next may begin there
}

// Unwind sets the walk back to the nearest part, from l's own upwards, that has an alternative left, and begins it
// with that one. Where there is none, the error says why, of every alternative on the way.
func (w *Walker) Unwind(l *Leaf, at stand) error {
	c := l.c.with(func(c *cont) {
		c.next, c.errs = l.next, l.errs
		if l.spent > l.next {
			c.part.Alternatives = slices.Concat(c.part.Alternatives[:l.spent-1], c.part.Alternatives[l.spent:])
		}
	})
	again := l.early && l.next == l.c.next // the same once more
	need := c.need
	if at.exact {
		need = max(need, at.pos)
	}
	for !c.hasNext() {
		err := c.failure()
		if c.up == nil {
			return err
		}
		c = c.up.with(func(d *cont) { d.errs = appendError(slices.Clip(d.errs), err) })
		need = max(need, c.need)
	}
	need = min(need, at.high)
	c = c.with(func(c *cont) { c.need, c.resumed = need, true })
	direct := int64(0)
	if at.exact && at.pos == need && !l.whole {
		direct = at.pos - c.start.off
	}
	w.clear(c)
	w.resume(c, direct)
	if c.doc != nil && !again {
		w.o.opts.emit(c.locate(event.Event{Type: event.Unwound, Off: direct}))
	}
	return nil
}

// failure is why the part has no alternative that works.
func (c *cont) failure() error {
	if c.doc == nil && len(c.errs) == 1 {
		return c.errs[0]
	}
	e := &PartError{Line: c.part.Line, Errs: c.errs}
	if c.doc != nil {
		e.Manifest = c.doc.to.url
	}
	return e
}

// clear drops all that is in execution, but for manifests that are kept open for c's return.
func (w *Walker) clear(c *cont) {
	if w.frame != nil {
		for _, l := range w.frame.window {
			l.abandon()
		}
	}
	if w.job != nil {
		w.job.discard()
	}
	// A feed that was gone on with, and parked again since, stands further on than an earlier rest needs it.
	kept := make(map[*feed]bool)
	for d := c; d != nil; d = d.up {
		if d.after != nil && d.after.feed != nil && d.after.feed.parked == d.after {
			kept[d.after.feed] = true
		}
	}
	for f := range w.feeds {
		if !kept[f] {
			w.shut(f)
		}
	}
	w.job, w.frame, w.ret, w.reset, w.halted = nil, nil, nil, nil, false
	w.start = &mark{}
	clear(w.seen)
	w.idle = idling{}
}
