package assemble

import (
	"context"
	"errors"
)

// behind is what follows l, which is data, in f. It is needed only to unwind, and then looked for anew.
func (f *frame) behind(l *Leaf) *rest {
	if len(f.window) == 0 && len(f.known) == 0 && (f.end || f.feed != nil && f.feed.ended()) {
		return nil
	}
	return &rest{from: l.after.after}
}

// park takes f out of execution while the manifest that answered for l is executed, and returns what is to follow
// then. Parts that were begun behind l are given up: what comes first is inside the manifest.
func (w *Walker) park(ctx context.Context, f *frame, l *Leaf) *rest {
	r := &rest{from: l.after.after, end: f.end, opened: f.opened}
	r.nested = f.nested || !l.mayBeDocument()
	for _, b := range f.window {
		r.known = append(r.known, *b.after)
		b.abandon()
	}
	r.known = append(r.known, f.known...)
	f.window, f.known = nil, nil
	return w.hold(ctx, f, r)
}

// whatFollows finds out what follows the part c, which was unwound to.
func (w *Walker) whatFollows(ctx context.Context, c *cont) *rest {
	if !c.after.isGuess() {
		return c.after
	}
	f := &frame{doc: c.doc, from: c.after.from, feed: w.reopen(c.doc, c.after.from)}
	return w.hold(ctx, f, &rest{from: f.from})
}

// isGuess reports whether something may follow only because it was not known, when the part was left, that nothing
// does, and it is not being looked for.
func (r *rest) isGuess() bool {
	return r != nil && len(r.known) == 0 && !r.end && !r.isParked()
}

// isParked reports whether the feed is kept open for r.
func (r *rest) isParked() bool { return r.feed != nil && r.feed.parked == r }

// lookedPast returns c without those conts, from it upwards, after which nothing follows though their manifests took
// their time to end, and what is open because of these manifests. It takes as long as they need: it is for who would
// have to give up otherwise.
func (w *Walker) lookedPast(ctx context.Context, c *cont) (*cont, []uint64) {
	if c == nil {
		return nil, nil
	}
	up, opened := w.lookedPast(ctx, c.up)
	after := w.lookAfter(ctx, c)
	if up == c.up && after == c.after {
		return c, opened
	}
	if after == nil && c.after != nil {
		opened = append(opened, c.after.opened...)
	}
	return c.with(func(d *cont) { d.up, d.after = up, after }).pushed(), opened
}

// lookAfter is what is known to follow c, once its manifest has told.
func (w *Walker) lookAfter(ctx context.Context, c *cont) *rest {
	r := c.after
	var f *feed
	switch {
	case r.isGuess():
		f = w.reopen(c.doc, r.from)
		w.idle.opens++
	case r != nil && r.isParked():
		f = r.feed
	default:
		return r
	}
	parts, end := f.known(ctx, forever)
	if len(parts) == 0 && !end {
		return r
	}
	w.shut(f)
	if len(parts) == 0 {
		return nil
	}
	return &rest{known: parts, from: parts[len(parts)-1].after, end: end, nested: r.nested, opened: r.opened}
}

// hold adds to r what the feed of f knows, and closes the feed, or keeps it where its origin cannot seek. It returns
// nil if nothing follows.
func (w *Walker) hold(ctx context.Context, f *frame, r *rest) *rest {
	if n := len(r.known); n > 0 {
		r.from = r.known[n-1].after
	}
	if f.feed == nil {
		return r.orNil()
	}
	parts, end := f.feed.known(ctx, moreWait)
	if !end && !f.doc.mayGoOn() && w.parked() < maxParked {
		f.feed.parked, r.feed = r, f.feed
		return r
	}
	w.shut(f.feed)
	r.end = end
	if n := len(parts); n > 0 {
		r.known = append(r.known, parts...)
		r.from = parts[n-1].after
	}
	return r.orNil()
}

func (r *rest) orNil() *rest {
	if r.end && len(r.known) == 0 {
		return nil
	}
	return r
}

func (w *Walker) parked() int {
	n := 0
	for f := range w.feeds {
		if f.parked != nil {
			n++
		}
	}
	return n
}

// shut ends a feed.
func (w *Walker) shut(f *feed) {
	if f != nil {
		f.cancel()
		f.parked = nil
		delete(w.feeds, f)
	}
}

// reopen starts a feed of doc from a point on.
func (w *Walker) reopen(doc *document, from point) *feed {
	f := newFeed(nil)
	f.cancel = w.run(func(ctx context.Context) {
		p, err := w.o.openDocument(ctx, doc, from.off)
		if err != nil {
			f.end(err)
			return
		}
		f.read(ctx, p, from)
	})
	w.feeds[f] = struct{}{}
	return f
}

// openDocument opens doc again, at off or, where what comes before has to be compared, at 0.
func (o *opener) openDocument(ctx context.Context, doc *document, off int64) (*pull, error) {
	if doc.mayGoOn() {
		p, err := o.openDocumentAt(ctx, doc, &tally{off: off})
		if !errors.Is(err, errNoRange) {
			return p, err
		}
	}
	return o.openDocumentAt(ctx, doc, &tally{hasCRC: true})
}

func (o *opener) openDocumentAt(ctx context.Context, doc *document, t *tally) (*pull, error) {
	p := &pull{o: o, position: inTurn{}, to: doc.to, t: t, size: doc.info.Size, first: doc.info}
	p.to.host = "" // manifests take no slots
	if err := p.reopen(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// inTurn is the position of manifests that are executed: they are opened when it is their turn.
type inTurn struct{}

func (inTurn) Ahead() int64 { return 0 }
