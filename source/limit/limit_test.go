package limit

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// place is a Position that a test sets.
type place struct{ atomic.Int64 }

func (p *place) Ahead() int64 { return p.Load() }

func at(ahead int64) *place {
	p := &place{}
	p.Store(ahead)
	return p
}

// claim is one that asks for a slot in a goroutine of its own.
type claim struct {
	pos    *place
	once   bool
	cancel context.CancelFunc

	mu      sync.Mutex
	slot    *Slot
	err     error
	revokes int

	wasHead, headRevoked atomic.Bool
}

// ask asks for a slot of name, and returns once it is granted or waited for.
func ask(h *Hosts, name string, ahead int64) *claim { return askFor(h, name, ahead, false) }

// askOnce is for what should be asked for only once.
func askOnce(h *Hosts, name string, ahead int64) *claim { return askFor(h, name, ahead, true) }

func askFor(h *Hosts, name string, ahead int64, once bool) *claim {
	ctx, cancel := context.WithCancel(context.Background())
	c := &claim{pos: at(ahead), once: once, cancel: cancel}
	c.move(ahead)
	go func() {
		slot, err := h.Acquire(ctx, name, Claim{Position: c.pos, Revoke: c.revoked, Once: c.once})
		c.mu.Lock()
		defer c.mu.Unlock()
		c.slot, c.err = slot, err
	}()
	synctest.Wait()
	return c
}

// move sets the position, without telling the limiter.
func (c *claim) move(ahead int64) {
	c.pos.Store(ahead)
	if ahead == 0 {
		c.wasHead.Store(true)
	}
}

func (c *claim) revoked() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.revokes++
	if c.pos.Ahead() == 0 {
		c.headRevoked.Store(true)
	}
}

// state waits until nothing more happens by itself.
func (c *claim) state() (holds bool, revokes int) {
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slot != nil, c.revokes
}

// want fails the test if the claim does not hold a slot, or does, or was not revoked so often.
func (c *claim) want(t *testing.T, what string, holds bool, revokes int) {
	t.Helper()
	if h, r := c.state(); h != holds || r != revokes {
		t.Errorf("%s: holds a slot: %v, revoked %d times; want %v, %d", what, h, r, holds, revokes)
	}
}

// end releases what is held and ends what waits.
func (c *claim) end() {
	c.cancel()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slot != nil {
		c.slot.Release()
	}
	c.slot = nil
}

func endAll(cs ...*claim) {
	for _, c := range cs {
		c.end()
	}
}

// TestSlots: as many as the limit says, 8 if it says nothing.
func TestSlots(t *testing.T) {
	for perHost, want := range map[int]int{0: DefaultPerHost, -1: DefaultPerHost, 1: 1, 2: 2, 9: 9} {
		synctest.Test(t, func(t *testing.T) {
			h := &Hosts{PerHost: perHost}
			var cs []*claim
			for i := range want + 3 {
				cs = append(cs, ask(h, "a", int64(i+1)))
			}
			for i, c := range cs {
				c.want(t, "a claim", i < want, 0)
			}
			endAll(cs...)
		})
	}
}

// TestHostsAreApart: slots of one do not count for another.
func TestHostsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		a, b, c := ask(h, "a", 1), ask(h, "b", 1), ask(h, "c", 0)
		for _, c := range []*claim{a, b, c} {
			c.want(t, "a claim", true, 0)
		}
		endAll(a, b, c)
		if len(h.hosts) != 0 {
			t.Errorf("%d hosts are remembered that nobody uses", len(h.hosts))
		}
	})
}

// TestNearestFirst: a free slot goes to who is nearest to its head, among equals to who came first.
func TestNearestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		holder := ask(h, "a", 1)
		var cs []*claim
		for _, ahead := range []int64{7, 3, 9, 3, 5} {
			cs = append(cs, ask(h, "a", ahead))
		}
		holder.end()
		for _, i := range []int{1, 3, 4, 0, 2} {
			for j, c := range cs {
				if holds, _ := c.state(); holds != (j == i) {
					t.Errorf("the turn of %d: claim %d holds a slot: %v", i, j, holds)
				}
			}
			cs[i].end()
		}
	})
}

// TestOrderAsOfNow: positions count as they are when a slot is free.
func TestOrderAsOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		holder := ask(h, "a", 1)
		first, second := ask(h, "a", 2), ask(h, "a", 3)
		second.pos.Store(1)
		holder.end()
		first.want(t, "overtaken", false, 0)
		second.want(t, "raised", true, 0)
		endAll(second, first)
	})
}

// TestHeadRevokes: a head that finds no slot has that of the claimant furthest ahead revoked, and gets it once it is
// given back.
func TestHeadRevokes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 3}
		near, far, middle := ask(h, "a", 1), ask(h, "a", 9), ask(h, "a", 5)
		other := ask(h, "b", 99)
		head := ask(h, "a", 0)
		head.want(t, "the head, before the slot is given back", false, 0)
		far.want(t, "the furthest", true, 1)
		near.want(t, "the nearest", true, 0)
		middle.want(t, "the one between", true, 0)
		other.want(t, "that of another host", true, 0)
		far.end()
		head.want(t, "the head", true, 0)
		endAll(near, middle, other, head)
	})
}

// TestOnlyHeadsRevoke: however far ahead the holders are.
func TestOnlyHeadsRevoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		far := ask(h, "a", 99)
		near := ask(h, "a", 1)
		near.want(t, "near", false, 0)
		far.want(t, "far", true, 0)
		endAll(far, near)
	})
}

// TestPromote: who has become the head while it waits revokes then.
func TestPromote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		far := ask(h, "a", 9)
		next := ask(h, "a", 1)
		next.pos.Store(0)
		far.want(t, "before", true, 0)
		h.Promote()
		far.want(t, "after", true, 1)
		h.Promote()
		far.want(t, "again", true, 1)
		far.end()
		next.want(t, "the head", true, 0)
		next.end()
		h.Promote()
	})
}

// TestOnceLeavesASlot: all but one of the slots, unless it is the head.
func TestOnceLeavesASlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 3}
		one, two, three := askOnce(h, "a", 1), askOnce(h, "a", 2), askOnce(h, "a", 3)
		one.want(t, "the first", true, 0)
		two.want(t, "the second", true, 0)
		three.want(t, "the third", false, 0)
		other := ask(h, "a", 9)
		other.want(t, "one behind it, that may be revoked", true, 0)
		head := askOnce(h, "a", 0)
		other.want(t, "the one that may be revoked", true, 1)
		other.end()
		head.want(t, "the head", true, 0)
		one.end()
		three.want(t, "the third, with the head among two others", false, 0)
		head.end()
		three.want(t, "the third", true, 0)
		endAll(two, three)
	})
}

// TestOnceIsRevokedLast: only where there is no other, be it nearer.
func TestOnceIsRevokedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 2}
		far, near := askOnce(h, "a", 9), ask(h, "a", 1)
		head := ask(h, "a", 0)
		near.want(t, "the near one", true, 1)
		far.want(t, "the far one", true, 0)
		near.end()
		second := ask(h, "a", 0)
		far.want(t, "the far one, for another head", true, 1)
		far.end()
		second.want(t, "the other head", true, 0)
		endAll(head, second)
	})
}

// TestOnceForNobody: what nobody waits for any more goes first.
func TestOnceForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 2}
		stray, near := askOnce(h, "a", 5), ask(h, "a", 1)
		stray.move(math.MaxInt64)
		head := ask(h, "a", 0)
		near.want(t, "the near one", true, 0)
		stray.want(t, "the one for nobody", true, 1)
		stray.end()
		endAll(head, near)
	})
}

// TestOneVictimForEachHead: two heads, of two streams, each get a slot; of one head only one slot is taken.
func TestOneVictimForEachHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 3}
		a, b, c := ask(h, "a", 3), ask(h, "a", 4), ask(h, "a", 5)
		one := ask(h, "a", 0)
		h.Promote()
		c.want(t, "the furthest", true, 1)
		b.want(t, "the second", true, 0)
		two := ask(h, "a", 0)
		b.want(t, "the second", true, 1)
		a.want(t, "the nearest", true, 0)
		c.end()
		b.end()
		one.want(t, "a head", true, 0)
		two.want(t, "the other", true, 0)
		endAll(a, one, two)
	})
}

// TestRevokedByRelease: a slot that comes free otherwise serves the head as well; the one that was revoked for it then
// serves the next.
func TestRevokedByRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 2}
		near, far := ask(h, "a", 1), ask(h, "a", 2)
		head := ask(h, "a", 0)
		far.want(t, "far", true, 1)
		near.end()
		head.want(t, "the head", true, 0)
		next := ask(h, "a", 7)
		next.want(t, "the next", false, 0)
		far.end()
		next.want(t, "the next", true, 0)
		endAll(head, next)
	})
}

// TestHeadsOverflow: where all slots are held by heads, another head is let in.
func TestHeadsOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 2}
		var heads []*claim
		for range 5 {
			c := ask(h, "a", 0)
			c.want(t, "a head", true, 0)
			heads = append(heads, c)
		}
		ahead := ask(h, "a", 1)
		ahead.want(t, "one that is no head", false, 0)
		endAll(heads[:3]...)
		ahead.want(t, "with two heads left", false, 0)
		heads[3].end()
		ahead.want(t, "with one head left", true, 0)
		endAll(heads[4], ahead)
	})
}

// TestNoOverflowWhileARevokedSlotIsDue: a head waits for it rather than go beyond the limit.
func TestNoOverflowWhileARevokedSlotIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		far := ask(h, "a", 9)
		one, two := ask(h, "a", 0), ask(h, "a", 0)
		one.want(t, "a head", false, 0)
		two.want(t, "the other", false, 0)
		far.end()
		first, _ := one.state()
		second, _ := two.state()
		if !first || !second {
			t.Errorf("heads let in: %v, %v", first, second)
		}
		endAll(one, two)
	})
}

// TestRevokedThatBecameTheHead keeps its claim: it asks again, and gets a slot.
func TestRevokedThatBecameTheHead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		far := ask(h, "a", 2)
		head := ask(h, "a", 0)
		far.want(t, "far", true, 1)
		far.pos.Store(0)
		far.end()
		head.want(t, "the head", true, 0)
		again := ask(h, "a", 0)
		again.want(t, "the one that was revoked", true, 0)
		endAll(head, again)
	})
}

// TestCancel: a waiter that gives up is gone, with the error of its context, and takes no slot along.
func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		holder := ask(h, "a", 1)
		first, second := ask(h, "a", 2), ask(h, "a", 3)
		first.cancel()
		first.want(t, "cancelled", false, 0)
		if !errors.Is(first.err, context.Canceled) {
			t.Errorf("error %v", first.err)
		}
		holder.end()
		second.want(t, "the next", true, 0)
		second.end()
		if h.waiting != 0 || len(h.hosts) != 0 {
			t.Errorf("%d waiters and %d hosts are left", h.waiting, len(h.hosts))
		}
	})
}

// TestCancelAfterRevoking: the head gives up after a slot was revoked for it; that slot is of use to the next.
func TestCancelAfterRevoking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hosts{PerHost: 1}
		far := ask(h, "a", 9)
		head, near := ask(h, "a", 0), ask(h, "a", 1)
		far.want(t, "far", true, 1)
		head.end()
		near.want(t, "near", false, 0)
		far.end()
		near.want(t, "near", true, 0)
		near.end()
	})
}

// TestOverBefore: with a context that is over, a slot that is free may be had or not; none is lost.
func TestOverBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	h := &Hosts{PerHost: 1}
	for range 100 {
		if slot, err := h.Acquire(ctx, "a", Claim{Position: at(1), Revoke: func() {}}); err == nil {
			slot.Release()
		}
	}
	slot, err := h.Acquire(t.Context(), "a", Claim{Position: at(1), Revoke: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer slot.Release()
	if _, err := h.Acquire(ctx, "a", Claim{Position: at(1), Revoke: func() {}}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestReleaseInRevoke: revoke may give the slot back itself.
func TestReleaseInRevoke(t *testing.T) {
	h := &Hosts{PerHost: 1}
	var slot *Slot
	var released []string
	slot, err := h.Acquire(t.Context(), "a", Claim{Position: at(5), Revoke: func() {
		released = append(released, "far")
		slot.Release()
	}})
	if err != nil {
		t.Fatal(err)
	}
	head, err := h.Acquire(t.Context(), "a", Claim{Position: at(0), Revoke: func() { t.Error("a head was revoked") }})
	if err != nil {
		t.Fatal(err)
	}
	head.Release()
	if !slices.Equal(released, []string{"far"}) {
		t.Errorf("released %q", released)
	}
}
