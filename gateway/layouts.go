package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"spate/assemble"
	"spate/source"
)

const (
	maxLayouts = 1000             // that are kept
	maxWeight  = 32 << 20         // bytes that they may take together, but for one
	layTime    = 30 * time.Second // in which a manifest is laid out, else it is read in order
)

// layouts keeps the layouts of manifests. Its zero value is ready once src and fresh are set, and safe for concurrent use.
type layouts struct {
	src   source.Source
	fresh time.Duration // in which a layout is not looked at again

	mu     sync.Mutex
	kept   map[string]*kept
	weight int // of all that are kept
	laid   map[string]*laying
}

// A laying is a manifest that is being laid out, for whoever waits. It ends 2 s after the last of them has left.
type laying struct {
	done    chan struct{} // closed once kept or err is set
	kept    *kept
	err     error
	waiting int // guarded by layouts.mu
	cancel  context.CancelFunc
}

// lingering is for how long what nobody waits for goes on: players hang up, and ask again at once.
const lingering = 2 * time.Second

// A kept is what came of laying a manifest out.
type kept struct {
	layout *assemble.Layout // nil: it has none
	err    error            // of [assemble.ErrNoLayout]
	at     time.Time
	weight int // bytes that it takes, about
}

const extentWeight, mirrorWeight = 112, 24 // of one of each, but for its text

// weigh says how many bytes of memory k takes.
func (k *kept) weigh() (n int) {
	if k.layout == nil {
		return 0
	}
	for i := range k.layout.Extents {
		e := &k.layout.Extents[i]
		n += extentWeight + len(e.Validator) + len(e.Digest)
		for _, m := range e.Mirrors {
			n += mirrorWeight + len(m.URL)
		}
	}
	return n
}

// of is the layout of the manifest at url. Whoever asks meanwhile waits for the same; the work outlives each of them, but not all.
func (l *layouts) of(ctx context.Context, url string) (*assemble.Layout, error) {
	k, w := l.join(ctx, url)
	if w == nil {
		return k.layout, k.err
	}
	defer l.leave(url, w)
	select {
	case <-w.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if w.err != nil {
		return nil, w.err
	}
	return w.kept.layout, w.kept.err
}

// join is what is kept of url, or the work on it, which is begun if need be, and is to be left.
func (l *layouts) join(ctx context.Context, url string) (*kept, *laying) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, w := l.kept[url], l.laid[url]
	if k != nil && time.Since(k.at) <= l.fresh {
		return k, nil
	}
	if w == nil {
		w = &laying{done: make(chan struct{})}
		ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
		if l.laid == nil {
			l.laid = map[string]*laying{}
		}
		l.laid[url] = w
		go func() {
			defer close(w.done)
			defer l.end(url, w)
			w.kept, w.err = l.renew(ctx, url, k)
		}()
	}
	w.waiting++
	return nil, w
}

// leave is for who waits for w no more.
func (l *layouts) leave(url string, w *laying) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.waiting--; w.waiting > 0 || l.laid[url] != w {
		return
	}
	time.AfterFunc(lingering, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if w.waiting == 0 && l.laid[url] == w {
			delete(l.laid, url)
			w.cancel()
		}
	})
}

// end has whoever comes from now on not wait for w.
func (l *layouts) end(url string, w *laying) {
	w.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.laid[url] == w {
		delete(l.laid, url)
	}
}

// renew lays the manifest at url out, unless old still holds.
func (l *layouts) renew(ctx context.Context, url string, old *kept) (*kept, error) {
	ctx, cancel := context.WithTimeout(ctx, layTime)
	defer cancel()
	k := &kept{at: time.Now()}
	if old != nil && old.layout != nil {
		if holds, err := old.layout.Holds(ctx, l.src, nil); err == nil && holds {
			k.layout = old.layout
			l.keep(url, k)
			return k, nil
		}
	}
	k.layout, k.err = assemble.Lay(ctx, l.src, url, nil)
	switch {
	case k.err == nil:
	case errors.Is(k.err, assemble.ErrNoLayout):
	case errors.Is(ctx.Err(), context.DeadlineExceeded): // it may be one without an end
		k.err = errors.Join(assemble.ErrNoLayout, k.err)
	default:
		return nil, k.err
	}
	l.keep(url, k)
	return k, nil
}

// get is what is kept of url; nil: nothing is.
func (l *layouts) get(url string) *kept {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.kept[url]
}

// forget forgets layout, which is of url and proved wrong.
func (l *layouts) forget(url string, layout *assemble.Layout) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := l.kept[url]; k != nil && k.layout == layout {
		l.drop(url)
	}
}

// keep keeps k, and forgets the oldest where they are too many, or too large.
func (l *layouts) keep(url string, k *kept) {
	k.weight = k.weigh()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept == nil {
		l.kept = map[string]*kept{}
	}
	l.drop(url)
	l.kept[url] = k
	l.weight += k.weight
	for len(l.kept) > 1 && (len(l.kept) > maxLayouts || l.weight > maxWeight) {
		l.drop(l.oldestBut(url))
	}
}

// drop takes what is kept of url out, if there is something. l.mu is held.
func (l *layouts) drop(url string) {
	if k := l.kept[url]; k != nil {
		l.weight -= k.weight
		delete(l.kept, url)
	}
}

// oldestBut is the URL of what was kept first, other than that one. l.mu is held.
func (l *layouts) oldestBut(but string) (oldest string) {
	var at time.Time
	for url, k := range l.kept {
		if url != but && (at.IsZero() || k.at.Before(at)) {
			oldest, at = url, k.at
		}
	}
	return oldest
}
