// Package budget shares the memory for bytes that were read ahead, nearest to the head of its stream first.
package budget

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"spate/source/limit"
)

// Default is the size of a Budget whose Max is 0.
const Default = 64 << 20

// Budget is a number of bytes that may be held at once. Its zero value works; it is safe for concurrent use. Streams
// that share one share its bytes.
type Budget struct {
	Max int64 // bytes; 0: Default. Not to be changed once in use.

	mu      sync.Mutex
	used    int64
	waiters []*waiter

	free buffers
}

// An Account is one stream's access to a Budget. On top of what the Budget has, it keeps a reserve that only the head
// of the stream may use: the head goes on, however far others have read ahead.
type Account struct {
	b       *Budget
	reserve int64
	taken   int64 // of the reserve, guarded by b.mu
}

type waiter struct {
	a     *Account
	n     int64
	pos   limit.Position
	whole bool
	ready chan struct{}
	grant Grant
}

// A Grant is the right to hold bytes, given back in parts or at once. Its zero value holds nothing. It is not safe
// for concurrent use.
type Grant struct {
	a       *Account
	n       int64
	reserve bool
}

// Account opens an account with a reserve of so many bytes.
func (b *Budget) Account(reserve int64) *Account { return &Account{b: b, reserve: reserve} }

// Limit is the size of the Budget in bytes.
func (b *Budget) Limit() int64 {
	if b.Max > 0 {
		return b.Max
	}
	return Default
}

// Used is how many bytes are granted now, reserves aside.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Acquire waits for n bytes, n at most the reserve. The error is that of ctx.
func (a *Account) Acquire(ctx context.Context, n int64, pos limit.Position) (Grant, error) {
	return a.wait(ctx, &waiter{a: a, n: n, pos: pos})
}

// AcquireWhole waits for n bytes for all of something, so that what is begun can also be finished. It gives up with
// an empty Grant where n is more than the Budget, or once pos is the head, which need not wait: it can stream.
func (a *Account) AcquireWhole(ctx context.Context, n int64, pos limit.Position) (Grant, error) {
	if n > a.b.Limit() {
		return Grant{}, nil
	}
	return a.wait(ctx, &waiter{a: a, n: n, pos: pos, whole: true})
}

func (a *Account) wait(ctx context.Context, w *waiter) (Grant, error) {
	b := a.b
	b.mu.Lock()
	if len(b.waiters) == 0 && b.admit(w) {
		b.mu.Unlock()
		return w.grant, nil
	}
	w.ready = make(chan struct{})
	b.waiters = append(b.waiters, w)
	b.serve()
	b.mu.Unlock()
	select {
	case <-w.ready:
		return w.grant, nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := slices.Index(b.waiters, w); i >= 0 {
		b.waiters = slices.Delete(b.waiters, i, i+1)
	} else {
		b.giveBack(&w.grant, w.grant.n)
	}
	b.serve() // it may have stood in the way of others
	return Grant{}, ctx.Err()
}

// Promote is to be called after positions changed: a waiter that is the head by now may take from its reserve.
func (b *Budget) Promote() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.serve()
}

// serve grants in order of position and stops at the first that has to wait; heads may pass, on their reserves.
func (b *Budget) serve() {
	slices.SortStableFunc(b.waiters, func(x, y *waiter) int { return cmp.Compare(x.pos.Ahead(), y.pos.Ahead()) })
	blocked := false
	b.waiters = slices.DeleteFunc(b.waiters, func(w *waiter) bool {
		if blocked && w.pos.Ahead() > 0 || !b.admit(w) {
			blocked = true
			return false
		}
		close(w.ready)
		return true
	})
}

func (b *Budget) admit(w *waiter) bool {
	head := w.pos.Ahead() == 0
	switch {
	case b.used+w.n <= b.Limit():
		b.used += w.n
		w.grant = Grant{a: w.a, n: w.n}
	case head && w.whole:
	case head && w.a.taken+w.n <= w.a.reserve:
		w.a.taken += w.n
		w.grant = Grant{a: w.a, n: w.n, reserve: true}
	default:
		return false
	}
	return true
}

// Held is how many bytes the Grant still has.
func (g *Grant) Held() int64 { return g.n }

// Split moves n bytes of g into a Grant of their own.
func (g *Grant) Split(n int64) Grant {
	n = min(n, g.n)
	g.n -= n
	return Grant{a: g.a, n: n, reserve: g.reserve}
}

// Release gives back what the Grant has. Releasing it again does nothing.
func (g *Grant) Release() {
	if g.n == 0 {
		return
	}
	b := g.a.b
	b.mu.Lock()
	defer b.mu.Unlock()
	b.giveBack(g, g.n)
	b.serve()
}

func (b *Budget) giveBack(g *Grant, n int64) {
	if g.a == nil {
		return
	}
	g.n -= n
	if g.reserve {
		g.a.taken -= n
	} else {
		b.used -= n
	}
}
