package assemble

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync"
)

// A frame is one manifest in execution.
type frame struct {
	c      *cont // the part that it answers for, or one above where nothing is left to do in between
	doc    *document
	known  []listed // decoded before, to be executed before what feed has
	feed   *feed    // nil: not open, or there is nothing behind known
	from   point    // where to open it
	end    bool     // there is nothing behind known
	window []*Leaf  // begun, in order
	nested bool     // a part without a manifest's name answered as one: what follows is begun one at a time
	opened []uint64 // hashes of the manifests that are open because this one is, see countAgain
}

// fill begins parts of f until the tokens are used up, and one at least. Behind what looks like a manifest nothing is
// begun: what comes next is inside that.
func (w *Walker) fill(ctx context.Context, f *frame) error {
	for {
		n := len(f.window)
		if n > 0 && (w.passage.passing() || f.nested || f.window[n-1].mayBeDocument()) {
			return nil
		}
		if n == 0 {
			if err := w.take(ctx); err != nil {
				return err
			}
		} else if !w.tryTake() {
			return nil
		}
		part, ok, err := w.listed(ctx, f, n == 0)
		if err != nil || !ok {
			<-w.tokens
			if n > 0 {
				err = nil // what is begun comes first
			}
			return err
		}
		l := &Leaf{c: newCont(f.c, f.doc, part.Part), after: &part}
		if w.passage.passing() && w.pass(l) {
			<-w.tokens
			continue
		}
		l.untold = !l.peek
		f.window = append(f.window, l)
		w.begin(l)
	}
}

func (w *Walker) take(ctx context.Context) error {
	select {
	case w.tokens <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Walker) tryTake() bool {
	select {
	case w.tokens <- struct{}{}:
		return true
	default:
		return false
	}
}

// give is told that a leaf needs its token no more.
func (w *Walker) give() {
	<-w.tokens
	signal(w.freed)
}

// listed returns the next part of f, waiting for it only if told to.
func (w *Walker) listed(ctx context.Context, f *frame, wait bool) (listed, bool, error) {
	if len(f.known) > 0 {
		part := f.known[0]
		f.known = f.known[1:]
		return part, true, nil
	}
	if f.end {
		return listed{}, false, io.EOF
	}
	if f.feed == nil {
		f.feed = w.reopen(f.doc, f.from)
	}
	if !wait {
		part, ok, _ := f.feed.take()
		return part, ok, nil
	}
	part, err := f.feed.next(ctx)
	return part, err == nil, err
}

// begin starts the goroutine that opens l and, once told what l is, does the rest. It uses up a token.
func (w *Walker) begin(l *Leaf) {
	l.spot = w.order.begin()
	l.promised = slices.ContainsFunc(l.c.part.Alternatives, func(a string) bool { return strings.Contains(a, "sha256=") })
	l.opened, l.stopped = make(chan struct{}), make(chan struct{})
	l.then = make(chan func(context.Context), 1)
	l.finish = sync.OnceFunc(func() {
		l.spot.end()
		w.give()
	})
	var turn *ticket
	if l.c.part.Cacheable && !l.peek && l.resumed == nil {
		turn = w.o.memo.enter(l.urls(w.seed))
	}
	w.o.tellBegun(l, turn)
	l.cancel = w.run(func(ctx context.Context) {
		defer close(l.stopped)
		w.o.openFirst(ctx, l, turn)
		l.dead = l.stock == nil && l.doc == nil
		l.early = l.dead && l.spot.Ahead() > 0 && mayBeLoad(l.errs)
		close(l.opened)
		if l.dead {
			return
		}
		select {
		case do := <-l.then:
			do(ctx)
		case <-ctx.Done():
			l.close()
		}
	})
}
