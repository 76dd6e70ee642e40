package sched_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"spate/sched"
)

// Where the first falls silent, and stays so however it is asked, the others have its work as soon as they were compared, though that waits
// for the first as well: whoever waits is not silent.
func TestTakeover(t *testing.T) {
	const size, gives, rate, waits = 2_500_000, 100_000, 400_000, 4 * time.Second
	type how struct {
		name  string
		first site
	}
	var hows []how
	for _, n := range []int64{1, 10_000, gives, 4 * gives} {
		hows = append(hows, how{fmt.Sprintf("silent after %d", n), site{stallAfter: n}},
			how{fmt.Sprintf("only answers after %d", n), site{stallAfter: n, answers: true}},
			how{fmt.Sprintf("has no more than %d", n), site{stallAt: n}},
			how{fmt.Sprintf("silent after %d, which took a while", n), site{connRate: 4 * mb, stallAfter: n, answers: true}})
	}
	for _, h := range hows {
		for _, idle := range []time.Duration{4 * time.Second, 20 * time.Second} {
			for _, conns := range []int{0, 1, 4} {
				for _, retryMax := range []time.Duration{0, 4 * time.Second} {
					t.Run(fmt.Sprintf("%s, idle %v, connections %d, RetryMax %v", h.name, idle, conns, retryMax), func(t *testing.T) {
						first := h.first
						first.idle = idle
						w := newWorld(t, size, sched.Config{Connections: conns, RetryMax: retryMax}, &first, &site{connRate: rate})
						w.refPatience = waits
						ideal := time.Duration(float64(size-w.truth()) / rate * 1e9)
						if d := w.finished(time.Minute); d > sched.Silence+waits+ideal+500*time.Millisecond {
							t.Errorf("%v, over one connection of the other %v", d, ideal)
						}
					})
				}
			}
		}
	}
}

// truth is how much the first gives.
func (w *world) truth() int64 { return max(w.sites[0].stallAfter, w.sites[0].stallAt) }

// silencing is a network of which all but one fall silent, each in its own way.
func silencing(r *rand.Rand) (n network, good int) {
	n.size = 1 + r.Int64N(pick[int64](r, 3<<20, 20<<20))
	n.cfg.Connections = pick(r, 0, 0, 1, 2, 4, 8)
	n.cfg.Order = pick(r, sched.Auto, sched.Auto, sched.HeadTail, sched.Sequential)
	if n.window = n.cfg.Order == sched.Sequential || r.IntN(2) == 0; n.window {
		n.cfg.Window = 8 << 20
	}
	if r.IntN(3) == 0 {
		n.cfg.PieceSize = 1 << 20
	}
	good = r.IntN(4)
	for i := range max(good+1, 2+r.IntN(3)) {
		st := &site{connRate: float64(pick(r, 4, 10, 50)) * mb / 10, delay: time.Duration(r.IntN(50)) * time.Millisecond}
		if n.sites = append(n.sites, st); i != good {
			silence(r, n.size, st)
		}
	}
	return n, good
}

func silence(r *rand.Rand, size int64, st *site) {
	st.connRate = float64(pick(r, 0, 1, 10)) * mb
	st.answers, st.idle = r.IntN(2) == 0, time.Duration(pick(r, 4, 20))*time.Second
	switch r.IntN(3) {
	case 0:
		st.stallAfter = 1 + r.Int64N(size)
	case 1:
		st.stallAt = 1 + r.Int64N(size)
	case 2:
		st.downFrom, st.downTill = time.Duration(r.IntN(2000))*time.Millisecond, 24*time.Hour
	}
}

// However many fall silent, and however: each costs no more than two silences, as it may give something when it is asked again, and what
// it takes to compare who comes next.
func TestAllButOneFallSilent(t *testing.T) {
	seeds(t, 400, func(t *testing.T, r *rand.Rand) {
		n, good := silencing(r)
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng = r
		w.frontier, w.late, w.refPatience = n.window, r.IntN(2) == 0, time.Duration(r.IntN(2)*3)*time.Second
		if n.cfg.PieceSize > 0 {
			w.pieces = newPieceWorld(r, n.cfg.PieceSize, func(*site, int64) bool { return false })
		}
		d := w.finished(20 * time.Minute)
		slowest := n.sites[good].connRate // over one connection all may come from him
		for _, st := range n.sites {
			if st.connRate > 0 {
				slowest = min(slowest, st.connRate)
			}
		}
		ideal := time.Duration(float64(n.size) / slowest * 1.25e9)
		each := sched.Silence + w.refPatience + 300*time.Millisecond
		if most := ideal + 2*time.Duration(len(n.sites)-1)*each + time.Second; d > most {
			t.Errorf("%v, at most %v\n%v", d, most, n)
		}
	})
}
