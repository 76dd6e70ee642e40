package sched_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"spate/sched"
)

// network is a random world: benign ones have rates and latencies only.
type network struct {
	size   int64
	cfg    sched.Config
	sites  []*site
	window bool
}

func (n network) String() string {
	s := fmt.Sprintf("size %d, %d connections, window %d, order %d\n", n.size, n.cfg.Connections, n.cfg.Window, n.cfg.Order)
	for _, st := range n.sites {
		s += fmt.Sprintf("%+v\n", *st)
	}
	return s
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func benign(r *rand.Rand) network {
	n := network{size: 1 + r.Int64N(pick[int64](r, 1<<20, 20<<20, 200<<20))}
	n.cfg.Connections = pick(r, 0, 0, 1, 2, 3, 5, 8, 16)
	if r.IntN(2) == 0 {
		n.cfg.Window, n.window = 32<<20, true
	}
	n.cfg.Order = pick(r, sched.Auto, sched.Auto, sched.HeadTail)
	for range pick(r, 1, 1, 2, 3, 5) {
		n.sites = append(n.sites, &site{
			rate:     float64(pick(r, 0, 5, 20, 50)) * mb,
			connRate: float64(pick(r, 1, 2, 5, 10)) * mb,
			delay:    time.Duration(r.IntN(100)) * time.Millisecond,
			dial:     time.Duration(r.IntN(100)) * time.Millisecond,
		})
	}
	return n
}

// optimum is how long it takes at least, once all connections are open, spread evenly over the mirrors.
func (n network) optimum() float64 {
	total := min(n.cfg.Connections, int(max(n.size>>20, 1)))
	if n.cfg.Connections == 0 {
		total = 8 * len(n.sites)
	}
	sum := 0.0
	for i, st := range n.sites {
		r := float64((total+len(n.sites)-1-i)/len(n.sites)) * st.connRate
		if st.rate > 0 {
			r = min(r, st.rate)
		}
		sum += r
	}
	return float64(n.size) / sum
}

func (n network) slack() time.Duration {
	var worst time.Duration
	for _, st := range n.sites {
		worst = max(worst, st.delay+st.dial)
	}
	d := 500*time.Millisecond + 6*worst
	if n.cfg.Connections == 0 {
		d += 1200*time.Millisecond + 12*worst // three doublings, of max(400 ms, 4 set-ups)
	}
	return d
}

var seed = flag.Uint64("seed", 0, "of the one random network to run")

// seeds runs f with n random numbers' sources, a quarter of them with the race detector, which takes five times as long; the name of the test
// says the seed, to be run again with -seed.
func seeds(t *testing.T, n int, f func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	if info, _ := debug.ReadBuildInfo(); info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		n /= 4
	}
	base := *seed
	if base == 0 {
		base = rand.Uint64()
	} else {
		n = 1
	}
	for i := range n {
		seed := base + uint64(i)
		if !t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { f(t, rand.New(rand.NewPCG(seed, 7))) }) {
			return
		}
	}
}

// Where nothing fails, the time is near the optimum: of a fluid.
func TestNearTheOptimum(t *testing.T) {
	seeds(t, 300, func(t *testing.T, r *rand.Rand) {
		n := benign(r)
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng = r
		w.frontier = n.window
		d := w.finished(30 * time.Minute)
		if most := time.Duration(n.optimum()*1.25*1e9) + n.slack(); d > most {
			for _, l := range w.log {
				t.Log(l)
			}
			t.Errorf("%v, the optimum is %.3f s, at most %v\n%v", d, n.optimum(), most, n)
		}
		if w.dup > max(n.size/50, 8<<20)+int64(len(n.sites))*64<<10 {
			t.Errorf("%d bytes were fetched twice\n%v", w.dup, n)
		}
	})
}

// rough adds what goes wrong; the first site is one that can deliver.
func rough(r *rand.Rand) network {
	n := benign(r)
	for i, st := range n.sites {
		st.rate = max(st.rate, 5*mb)
		switch r.IntN(6) {
		case 0:
			st.resetMin, st.resetMax = 200_000+r.Int64N(1<<20), 3<<20
		case 1:
			st.busy, st.busyLater = r.IntN(40), true
			st.retryAfter = time.Duration(r.IntN(3)) * time.Second
		case 2:
			st.cap = 300_000 + r.Int64N(5<<20)
		case 3:
			st.maxConns = 1 + r.IntN(6)
		case 4:
			st.slowEvery, st.slowAfter = 8, r.Int64N(20<<20)
		case 5:
			st.downFrom = time.Duration(r.IntN(5000)) * time.Millisecond
			st.downTill = st.downFrom + time.Duration(r.IntN(90))*time.Second
		}
		if i == 0 {
			continue
		}
		switch r.IntN(8) {
		case 0:
			st.lies = true
		case 1:
			st.refuse = true
		case 2:
			st.gone = 1 + r.Int64N(20<<20)
		case 3:
			st.stallAfter = 1 + r.Int64N(20<<20)
		case 4:
			st.noRange = true
		}
	}
	r.Shuffle(len(n.sites)-1, func(i, j int) { n.sites[i+1], n.sites[j+1] = n.sites[j+1], n.sites[i+1] })
	return n
}

// As long as one source can deliver, all arrives, each byte once, and little is fetched in vain.
func TestAlwaysLive(t *testing.T) {
	seeds(t, 500, func(t *testing.T, r *rand.Rand) {
		n := rough(r)
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng = r
		w.frontier, w.late = n.window, r.IntN(2) == 0
		w.finished(20 * time.Minute)
		if most := max(n.size/50, 8<<20) + int64(w.probes)*64<<10; w.dup > most {
			t.Errorf("%d bytes were fetched twice, at most %d\n%v", w.dup, most, n)
		}
	})
}

// A source that proves to have other bytes, whenever that turns out, gives none of the result; what it gave is fetched elsewhere, once.
func TestDisprovedAnyTime(t *testing.T) {
	seeds(t, 300, func(t *testing.T, r *rand.Rand) {
		n := benign(r)
		for range 1 + r.IntN(3) {
			n.sites = append(n.sites, &site{connRate: float64(pick(r, 1, 2, 5, 10)) * mb, delay: time.Duration(r.IntN(100)) * time.Millisecond})
		}
		n.cfg.Order = pick(r, sched.Auto, sched.HeadTail, sched.Sequential)
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng = r
		w.frontier, w.late = n.window || n.cfg.Order == sched.Sequential, r.IntN(2) == 0
		var liars []int
		at := time.Duration(0)
		for i := range n.sites[1:] {
			if r.IntN(2) == 0 {
				at += time.Duration(r.IntN(3000)) * time.Millisecond
				liars = append(liars, 1+i)
				w.proofs = append(w.proofs, proof{at, 1 + i})
			}
		}
		w.finished(30 * time.Minute)
		for _, i := range liars {
			if w.aside[i] == sched.Corrupt && w.by != nil && w.by[i].len() > 0 {
				t.Errorf("%d bytes of site %d count", w.by[i].len(), i)
			}
		}
	})
}

// An answer may show that it is capped only after its range was asked for elsewhere as well, and that of the copy after that was told
// what is left for it.
func TestCappedAfterCopied(t *testing.T) {
	seeds(t, 500, func(t *testing.T, r *rand.Rand) {
		n := network{size: 1<<20 + r.Int64N(4<<20)}
		n.cfg.Connections, n.cfg.MinRange = pick(r, 4, 8, 16), 200_000
		for range 1 + r.IntN(3) {
			st := &site{connRate: pick[float64](r, 0.05, 0.2, 1) * mb, delay: time.Duration(r.IntN(200)) * time.Millisecond}
			if r.IntN(2) == 0 {
				st.cap = 3_000 + r.Int64N(60_000)
			}
			if r.IntN(2) == 0 {
				st.resetMin, st.resetMax = 1_000, 200_000
			}
			n.sites = append(n.sites, st)
		}
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng, w.late = r, r.IntN(2) == 0
		w.finished(10 * time.Minute)
	})
}
