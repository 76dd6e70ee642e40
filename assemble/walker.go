package assemble

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync/atomic"

	"spate/format/manifest"
	"spate/internal/redact"
	"spate/source"
)

// A Walker executes manifests: it finds the parts of the stream that are data, in stream order, ahead of who reads.
//
// Next and Unwind are for one goroutine at a time. After a leaf that failed, or that fails where it is read, Unwind
// sets the walk back; all leaves behind that one must have been discarded before.
type Walker struct {
	o      *opener
	order  *order
	tokens chan struct{} // as many as leaves may be begun at once; one is taken while there is room
	freed  chan struct{} // one token when another was given back
	// run starts f in a goroutine of the stream, with a context of its own that the result cancels.
	run   func(f func(ctx context.Context)) context.CancelFunc
	fetch func(ctx context.Context, l *Leaf) // what is done with a leaf that is data
	// onRoot is told of the answer to the URL that was asked for, and whether that is a manifest. It says what is there already.
	onRoot func(info source.Info, manifest bool) (*Prior, error)
	url    string // that was asked for
	rooted bool   // it has answered

	passage *passage // until the first leaf, where some of the stream is there

	job     *Leaf              // begun out of turn: the root, or the part that was unwound to
	frame   *frame             // the manifest that is executed
	ret     *cont              // the part that has just ended, if its manifest is to go on
	checked bool               // that ret has reached what it must
	start   *mark              // of the next leaf
	reset   *mark              // for the next leaf
	feeds   map[*feed]struct{} // open ones, of frame and of manifests that wait for their turn
	idle    idling             // since the last leaf
	seed    maphash.Seed
	seen    map[uint64]int // how often each manifest, by its hash, is open, of those opened since the last byte
	heard   atomic.Bool    // set by the reader when bytes arrive
	halted  bool           // until Unwind
}

const (
	maxParked = 16   // manifests kept open because their origin cannot seek
	maxSeen   = 4096 // manifests remembered between two bytes
)

// newWalker begins with url as the only alternative of a part of its own.
func newWalker(o *opener, url string) *Walker {
	w := &Walker{o: o, url: url, start: &mark{}, seed: maphash.MakeSeed(), seen: make(map[uint64]int), feeds: make(map[*feed]struct{})}
	w.tokens, w.freed = make(chan struct{}, max(o.opts.Ahead, 1)), make(chan struct{}, 1)
	w.order = &order{promote: func() {
		o.opts.Hosts.Promote()
		o.opts.Budget.Promote()
	}}
	root := newCont(nil, nil, manifest.Part{Alternatives: []string{url}})
	root.start = w.start
	w.resume(root, 0)
	return w
}

// resume makes c's next alternative what is executed next.
func (w *Walker) resume(c *cont, direct int64) {
	w.job = &Leaf{c: c, next: c.next, errs: c.errs, direct: direct}
}

// Next returns the next leaf, and io.EOF at the end of the stream. Other errors are those of ctx.
func (w *Walker) Next(ctx context.Context) (*Leaf, error) {
	for {
		l, err := w.step(ctx)
		if err == io.EOF && l == nil {
			l = w.ended()
		}
		if err != nil && l == nil {
			return nil, err
		}
		if err := w.checkIdle(); l == nil && err != nil {
			l = &Leaf{c: w.place(), fatal: err}
		}
		if l != nil {
			w.stamp(ctx, l)
			return l, nil
		}
	}
}

// place is a cont for errors about where the walk is.
func (w *Walker) place() *cont {
	if w.frame != nil {
		return w.frame.c
	}
	return newCont(nil, nil, manifest.Part{})
}

// stamp gives l its place in the stream.
func (w *Walker) stamp(ctx context.Context, l *Leaf) {
	if l.start == nil {
		l.start = w.start
	}
	w.start = &mark{}
	if l.reset == nil {
		l.reset = w.reset
	}
	w.reset = nil
	if w.passage != nil {
		w.arrive(ctx, l)
	}
	l.idle, w.idle = w.idle, idling{}
	w.halted = l.dead || l.fatal != nil
}

func (w *Walker) step(ctx context.Context) (*Leaf, error) {
	switch {
	case w.job != nil:
		return w.stepJob(ctx)
	case w.ret != nil:
		return w.stepReturn(), nil
	case w.frame != nil:
		return w.stepFrame(ctx)
	}
	return nil, io.EOF
}

func (w *Walker) stepJob(ctx context.Context) (*Leaf, error) {
	l := w.job
	if l.opened == nil {
		if err := w.take(ctx); err != nil {
			return nil, err
		}
		w.begin(l)
	}
	if err := w.await(ctx, l); err != nil {
		return nil, err
	}
	w.job = nil
	if l.doc != nil {
		w.reset = l.c.start
		return w.push(ctx, l, w.whatFollows(ctx, l.c), nil), nil
	}
	if l.c.up == nil && !l.dead {
		if err := w.begun(l.stock.info(), false); err != nil {
			l.discard()
			return &Leaf{c: l.c, fatal: err}, nil
		}
		if w.passage.passing() {
			l.discard()
			w.resume(l.c, 0)
			w.passage.resume(w.job)
			return nil, nil
		}
	}
	l.start = l.c.start
	if l.direct == 0 {
		l.reset = l.c.start
	}
	if !l.dead {
		w.ret, w.checked = l.c, true // the reader checks the end of a leaf
		w.hand(l)
	}
	return l, nil
}

// stepReturn goes on behind the part w.ret.
func (w *Walker) stepReturn() *Leaf {
	c := w.ret
	if c.need > 0 && !w.checked {
		w.checked = true
		return &Leaf{c: c, next: c.next, errs: c.errs, isCheck: true}
	}
	w.ret, w.checked = nil, false
	switch {
	case c.after != nil:
		w.frame = &frame{c: c.up, doc: c.doc, known: c.after.known, from: c.after.from, end: c.after.end,
			nested: c.after.nested, opened: c.after.opened}
		if f := c.after.feed; f != nil && f.parked == c.after {
			f.parked = nil
			w.frame.feed = f
		}
	case c.up != nil:
		w.ret = c.up
	}
	return nil
}

func (w *Walker) stepFrame(ctx context.Context) (*Leaf, error) {
	f := w.frame
	if err := w.fill(ctx, f); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		w.shut(f.feed)
		w.closeAll(f.opened)
		w.frame = nil
		if err == io.EOF {
			w.ret = f.c
			return nil, nil
		}
		l := &Leaf{c: f.c, next: f.c.next, errs: slices.Clip(f.c.errs), dead: true}
		w.o.failed(l, fmt.Errorf("read %s: %w", redact.URL(f.doc.to.url), err))
		return l, nil
	}
	l := f.window[0]
	if more, err := w.awaitMore(ctx, f, l); more || err != nil {
		return nil, err
	}
	f.window = f.window[1:]
	l.c.start = w.start
	if l.doc != nil {
		after, opened := w.park(ctx, f, l), f.opened
		if after != nil {
			opened = nil // after goes on with them
		}
		return w.push(ctx, l, after, opened), nil
	}
	if l.peek && !l.dead {
		return w.stepMeasured(ctx, f, l)
	}
	l.c.after = f.behind(l)
	l.c.derive()
	if !l.dead {
		w.hand(l)
	}
	return l, nil
}

// stepMeasured goes past l, which was asked for its size, or begins it.
func (w *Walker) stepMeasured(ctx context.Context, f *frame, l *Leaf) (*Leaf, error) {
	again := w.measured(l)
	switch {
	case again == nil:
		return nil, nil
	case again.dead:
		again.c.after = f.behind(l)
		again.c.derive()
		return again, nil
	}
	if err := w.take(ctx); err != nil {
		return nil, err
	}
	f.window = []*Leaf{again}
	w.begin(again)
	return nil, nil
}

// awaitMore waits until l was opened, or until there may be parts of f to begin beside it, and room for them.
func (w *Walker) awaitMore(ctx context.Context, f *frame, l *Leaf) (more bool, err error) {
	if f.feed == nil {
		return false, w.await(ctx, l)
	}
	select {
	case <-l.opened:
	case <-f.feed.changed:
		return true, nil
	case <-w.freed:
		return true, nil
	case <-ctx.Done():
	}
	return false, w.await(ctx, l)
}

// await waits until l was opened.
func (w *Walker) await(ctx context.Context, l *Leaf) error {
	select {
	case <-l.opened:
		w.idle.opens += 1 + len(l.errs)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hand makes l the reader's.
func (w *Walker) hand(l *Leaf) {
	info := l.stock.info()
	l.answer = answer{info: info, off: l.t.off, size: max(l.size, info.Size), cached: l.cached, cur: l.cur, next: l.next}
	l.pipe = &pipe{taken: l.resumed != nil}
	l.then <- func(ctx context.Context) { w.fetch(ctx, l) }
}

// push executes the manifest that answered for l; after is what follows it, and opened what is open until it ends.
func (w *Walker) push(ctx context.Context, l *Leaf, after *rest, opened []uint64) *Leaf {
	doc := &document{to: l.doc.to, info: l.doc.info()}
	if l.c.up == nil {
		if err := w.begun(doc.info, true); err != nil {
			l.discard()
			return &Leaf{c: l.c, fatal: err}
		}
	}
	doc.info.Digests, doc.info.Links = nil, nil // every continuation would keep them
	opened = w.countAgain(doc.to.url, opened)
	c := l.c.with(func(c *cont) { c.next, c.errs, c.after = l.next, l.errs, after })
	c = c.pushed()
	if c.checkDepth(w.o.opts.MaxDepth) != nil {
		var more []uint64
		c, more = w.lookedPast(ctx, c)
		opened = append(slices.Clip(opened), more...)
	}
	if err := c.checkDepth(w.o.opts.MaxDepth); err != nil {
		l.discard()
		return &Leaf{c: l.c, fatal: err}
	}
	w.o.tellWalked(l)
	f := newFeed(l.cancel)
	w.feeds[f] = struct{}{}
	w.frame = &frame{c: c, doc: doc, feed: f, opened: opened}
	p := l.doc
	p.t.hasCRC = !p.mayGoOn()
	l.then <- func(ctx context.Context) { f.read(ctx, p, point{line: 1}) }
	l.finish()
	return nil
}

// countAgain counts opens of manifests that are open already, without a byte between. One that ended in a tail call is
// open as long as what it called. It returns what is open because of the manifest at url, which goes on for those in
// opened.
func (w *Walker) countAgain(url string, opened []uint64) []uint64 {
	if w.heard.Swap(false) {
		clear(w.seen)
	}
	h := maphash.String(w.seed, url)
	if w.seen[h] > 0 {
		w.idle.again++
	}
	if len(opened) >= maxSeen {
		opened = opened[len(opened)/2:]
	}
	w.seen[h]++
	return append(slices.Clip(opened), h)
}

// closeAll counts the manifests in opened as no longer open.
func (w *Walker) closeAll(opened []uint64) {
	for _, h := range opened {
		if w.seen[h]--; w.seen[h] <= 0 {
			delete(w.seen, h)
		}
	}
}

// checkIdle is for the opens between two leaves; the reader adds them up over leaves without a byte.
func (w *Walker) checkIdle() error { return w.idle.check(w.o.opts.MaxIdleOpens) }

func (i idling) check(limit int) error {
	switch {
	case i.again > min(limit, maxIdleAgain):
		return fmt.Errorf("%w: the same manifests were opened %d times without a byte between", io.ErrNoProgress, i.again)
	case i.opens > limit:
		return fmt.Errorf("%w: %d opens without a byte between", io.ErrNoProgress, i.opens)
	}
	return nil
}
