package budget

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"spate/source/limit"
)

// place is a Position that a test sets.
type place struct{ atomic.Int64 }

func (p *place) Ahead() int64 { return p.Load() }

// claim is one that asks for bytes in a goroutine of its own.
type claim struct {
	pos    place
	cancel context.CancelFunc

	mu    sync.Mutex
	grant Grant
	err   error
	over  bool // what was asked for is answered
}

// ask asks for n bytes, and returns once they are granted or waited for.
func ask(a *Account, n, ahead int64) *claim { return begin(a.Acquire, n, ahead) }

// askWhole asks for n bytes for all of something.
func askWhole(a *Account, n, ahead int64) *claim { return begin(a.AcquireWhole, n, ahead) }

func begin(acquire func(context.Context, int64, limit.Position) (Grant, error), n, ahead int64) *claim {
	ctx, cancel := context.WithCancel(context.Background())
	c := &claim{cancel: cancel}
	c.pos.Store(ahead)
	go func() {
		grant, err := acquire(ctx, n, &c.pos)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.grant, c.err, c.over = grant, err, true
	}()
	synctest.Wait()
	return c
}

// state waits until nothing more happens by itself.
func (c *claim) state() (over bool, held int64) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.over, c.grant.Held()
}

// want fails the test if the claim was not answered, or was, or holds another number of bytes.
func (c *claim) want(t *testing.T, what string, over bool, held int64) {
	t.Helper()
	if o, h := c.state(); o != over || h != held {
		t.Errorf("%s: answered: %v, holds %d bytes; want %v, %d", what, o, h, over, held)
	}
}

// end releases what is held and ends what waits.
func (c *claim) end() {
	c.cancel()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grant.Release()
	synctest.Wait()
}

func endAll(cs ...*claim) {
	for _, c := range cs {
		c.end()
	}
}

// wantUsed fails the test if another number of bytes is granted.
func wantUsed(t *testing.T, b *Budget, n int64) {
	t.Helper()
	synctest.Wait()
	if used := b.Used(); used != n {
		t.Errorf("%d bytes are in use, want %d", used, n)
	}
}

// TestLimit: what a Budget has.
func TestLimit(t *testing.T) {
	for size, want := range map[int64]int64{0: Default, -1: Default, 1: 1, 100: 100} {
		if got := (&Budget{Max: size}).Limit(); got != want {
			t.Errorf("a Budget of %d has %d bytes, want %d", size, got, want)
		}
	}
}

// TestBytes: what is there is granted, to the last byte; what is not is waited for.
func TestBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(0)
		one, two, three := ask(a, 60, 1), ask(a, 0, 1), ask(a, 40, 2)
		one.want(t, "one", true, 60)
		two.want(t, "nothing", true, 0)
		three.want(t, "the rest", true, 40)
		wantUsed(t, b, 100)
		four := ask(a, 1, 3)
		four.want(t, "one too many", false, 0)
		three.end()
		four.want(t, "one too many, later", true, 1)
		endAll(one, two, four)
		wantUsed(t, b, 0)
	})
}

// TestNearestFirst: bytes go to who is nearest to its head; nobody passes one who is nearer and has to wait.
func TestNearestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(0)
		holder := ask(a, 90, 1)
		var cs []*claim
		for _, ahead := range []int64{7, 3, 9, 3, 5} {
			cs = append(cs, ask(a, 60, ahead))
		}
		small := ask(a, 10, 99)
		small.want(t, "a small one behind large ones", false, 0)
		holder.end()
		for _, i := range []int{1, 3, 4, 0, 2} {
			for j, c := range cs {
				if _, held := c.state(); held > 0 != (j == i) {
					t.Errorf("the turn of %d: claim %d holds %d bytes", i, j, held)
				}
			}
			cs[i].end()
		}
		small.want(t, "the small one", true, 10)
		small.end()
	})
}

// TestOrderAsOfNow: positions count as they are when there are bytes.
func TestOrderAsOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 10}
		a := b.Account(0)
		holder := ask(a, 10, 1)
		first, second := ask(a, 10, 2), ask(a, 10, 3)
		second.pos.Store(1)
		holder.end()
		first.want(t, "overtaken", false, 0)
		second.want(t, "raised", true, 10)
		endAll(second, first)
	})
}

// TestReserve: the head of a stream goes on by its reserve, and nobody else.
func TestReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a, other := b.Account(30), b.Account(0)
		holder := ask(a, 100, 3)
		near := ask(a, 10, 1)
		near.want(t, "one that is no head", false, 0)
		one, two, three := ask(a, 20, 0), ask(a, 10, 0), ask(a, 1, 0)
		one.want(t, "the head", true, 20)
		two.want(t, "the head, up to the end of the reserve", true, 10)
		three.want(t, "the head, beyond it", false, 0)
		stranger := ask(other, 1, 0)
		stranger.want(t, "a head without a reserve", false, 0)
		wantUsed(t, b, 100)
		two.end()
		three.want(t, "the head, after it gave some back", true, 1)
		near.want(t, "one that is no head", false, 0)
		endAll(one, three, near, stranger, holder)
		wantUsed(t, b, 0)
		if a.taken != 0 {
			t.Errorf("%d bytes of the reserve are in use", a.taken)
		}
	})
}

// TestReserveLast: the head takes from the Budget while that has something.
func TestReserveLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(50)
		head := ask(a, 50, 0)
		head.want(t, "the head", true, 50)
		wantUsed(t, b, 50)
		head.end()
	})
}

// TestPromote: who has become the head while it waits takes from the reserve then, past who waits before it.
func TestPromote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(50)
		holder := ask(a, 100, 9)
		stranger, next := ask(b.Account(0), 10, 0), ask(a, 50, 1)
		next.want(t, "before", false, 0)
		next.pos.Store(0)
		next.want(t, "before it is told", false, 0)
		b.Promote()
		next.want(t, "after", true, 50)
		stranger.want(t, "a head without a reserve", false, 0)
		endAll(next, holder, stranger)
	})
}

// TestWhole: all of something, or nothing where that is not to be had.
func TestWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(50)
		all, more := askWhole(a, 100, 5), askWhole(a, 101, 5)
		all.want(t, "as much as there is", true, 100)
		more.want(t, "more than there is", true, 0)
		head := askWhole(a, 10, 0)
		head.want(t, "the head, which can do without", true, 0)
		next := askWhole(a, 10, 1)
		next.want(t, "one that is no head", false, 0)
		next.pos.Store(0)
		b.Promote()
		next.want(t, "one that has become the head", true, 0)
		if a.taken != 0 {
			t.Errorf("%d bytes of the reserve are in use", a.taken)
		}
		endAll(all, more, head, next)
	})
}

// TestCancel: a waiter that gives up is gone, and no longer in the way of others.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(0)
		holder := ask(a, 50, 1)
		large, small := ask(a, 60, 2), ask(a, 40, 3)
		small.want(t, "behind a large one", false, 0)
		large.cancel()
		small.want(t, "after that gave up", true, 40)
		if large.want(t, "the large one", true, 0); !errors.Is(large.err, context.Canceled) {
			t.Errorf("error %v", large.err)
		}
		endAll(holder, small)
		wantUsed(t, b, 0)
		if len(b.waiters) != 0 {
			t.Errorf("%d waiters are left", len(b.waiters))
		}
	})
}

// TestGrant: parts of it.
func TestGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 100}
		a := b.Account(100)
		g, err := a.Acquire(t.Context(), 100, &place{})
		if err != nil {
			t.Fatal(err)
		}
		part, rest := g.Split(30), g
		if part.Held() != 30 || rest.Held() != 70 {
			t.Errorf("split into %d and %d", part.Held(), rest.Held())
		}
		waiter := ask(b.Account(0), 40, 5)
		part.Release()
		waiter.want(t, "with 30 bytes free", false, 0)
		wantUsed(t, b, 70)
		all := rest.Split(1000)
		if all.Held() != 70 || rest.Held() != 0 {
			t.Errorf("split into %d and %d", all.Held(), rest.Held())
		}
		rest.Release()
		wantUsed(t, b, 70)
		all.Release()
		all.Release()
		waiter.want(t, "with all free", true, 40)
		waiter.end()
		wantUsed(t, b, 0)
		var none Grant
		none.Release()
		if part := none.Split(5); part.Held() != 0 {
			t.Errorf("%d bytes of nothing", part.Held())
		}
	})
}

// TestSplitReserve: parts of what came from the reserve go back there.
func TestSplitReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Budget{Max: 10}
		a := b.Account(100)
		g, err := a.Acquire(t.Context(), 100, &place{})
		if err != nil {
			t.Fatal(err)
		}
		part := g.Split(60)
		part.Release()
		if a.taken != 40 || b.Used() != 0 {
			t.Errorf("%d bytes of the reserve and %d others are in use", a.taken, b.Used())
		}
		g.Release()
		if a.taken != 0 || b.Used() != 0 {
			t.Errorf("%d bytes of the reserve and %d others are in use", a.taken, b.Used())
		}
	})
}
