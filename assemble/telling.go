package assemble

import (
	"slices"

	"spate/event"
	"spate/internal/redact"
)

// tell tells, once, that the leaf is asked for before it is read.
func (o *opener) tell(l *Leaf, to target) {
	if !l.untold || o.opts.Events == nil {
		return
	}
	l.untold = false
	o.opts.emit(l.c.locate(event.Event{Type: event.Ahead, URL: redact.URL(to.url), Origin: originOf(to.url)}))
}

// tellBegun is tell where the walk begins the leaf, and it is known by then that there will be a request: so it is told in stream order.
// Of others who opens them tells it, if it comes to that.
func (o *opener) tellBegun(l *Leaf, turn *ticket) {
	if !l.untold || o.opts.Events == nil || turn != nil && (len(turn.before) > 0 || o.isKept(l)) {
		return
	}
	if to, err := l.c.resolve(l.c.part.Alternatives[l.next]); err == nil {
		o.tell(l, to)
	}
}

// isKept reports whether the memo may have the leaf, or be asking for it.
func (o *opener) isKept(l *Leaf) bool {
	return slices.ContainsFunc(l.c.part.Alternatives, func(line string) bool {
		to, err := l.c.resolve(line)
		return err == nil && o.memo.has(to.url)
	})
}

// tellWalked tells that what was opened for l is a manifest, and is executed.
func (o *opener) tellWalked(l *Leaf) {
	if o.opts.Events == nil {
		return
	}
	o.opts.emit(l.c.locate(event.Event{Type: event.Manifest, URL: redact.URL(l.doc.to.url)}))
}
