package fill

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
)

func TestSlotsAreGivenByPriority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slots{all: 1, host: 1, object: 1}
		first := &slot{host: "a", revoke: func() { t.Error("one that is waited for was revoked") }}
		if err := s.acquire(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		var order []int32
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, prio := range []int32{background, aheadOf, waitedFor} {
			wg.Go(func() {
				w := &slot{host: "a", revoke: func() {}}
				w.prio.Store(prio)
				if err := s.acquire(t.Context(), w); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, prio)
				mu.Unlock()
				w.release()
			})
			synctest.Wait()
		}
		first.release()
		wg.Wait()
		if len(order) != 3 || order[0] != waitedFor || order[1] != aheadOf {
			t.Errorf("%v", order)
		}
	})
}

// Who is waited for takes the slot of the one of least use, and of one that is in its way.
func TestSlotsAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slots{all: 4, host: 2, object: 4}
		held := map[string]*slot{}
		var revoked []string
		for name, x := range map[string]struct {
			host string
			prio int32
		}{"a ahead": {"a", aheadOf}, "a idle": {"a", unneeded}, "b idle": {"b", unneeded}} {
			w := &slot{host: x.host}
			w.revoke = func() { revoked = append(revoked, name) }
			w.prio.Store(x.prio)
			if err := s.acquire(t.Context(), w); err != nil {
				t.Fatal(err)
			}
			held[name] = w
		}
		w := &slot{host: "a"}
		w.prio.Store(aheadOf)
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := s.acquire(t.Context(), w); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if len(revoked) != 1 || revoked[0] != "a idle" {
			t.Errorf("%v", revoked)
		}
		s.poke() // takes no second one
		if len(revoked) != 1 {
			t.Errorf("%v", revoked)
		}
		held["a idle"].release()
		wg.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.acquire(ctx, &slot{host: "a"}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		w.release()
		if len(s.held) != 2 || len(s.waiting) != 0 {
			t.Errorf("%d held, %d waiting", len(s.held), len(s.waiting))
		}
	})
}

// However many come and go, no bound is passed and everybody gets through.
func TestSlotsAreBounded(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	s := &slots{all: 5, host: 3, object: 2}
	var mu sync.Mutex
	now := map[any]int{}
	count := func(w *slot, d int) {
		mu.Lock()
		defer mu.Unlock()
		for at, most := range map[any]int{"all": 5, w.host: 3, w.object: 2} {
			if now[at] += d; now[at] > most {
				t.Errorf("%d of %v", now[at], at)
			}
		}
	}
	var wg sync.WaitGroup
	for i := range 40 {
		rnd := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for range 50 {
				w := &slot{host: []string{"x", "y"}[rnd.IntN(2)], object: rnd.IntN(5), revoke: func() {}}
				w.prio.Store(rnd.Int32N(4))
				if err := s.acquire(t.Context(), w); err != nil {
					t.Error(err)
				}
				count(w, 1)
				w.prio.Store(rnd.Int32N(4))
				s.poke()
				count(w, -1)
				w.release()
			}
		})
	}
	wg.Wait()
}
