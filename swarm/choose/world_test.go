package choose

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"
)

var seed = flag.Uint64("seed", 0, "of the one random world to run")

// seeds runs f with n random numbers' sources, or as many as SPATE_WORLDS says; the name of the test says the seed, to be run again
// with -seed.
func seeds(t *testing.T, n int, f func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	base := *seed
	switch s := os.Getenv("SPATE_WORLDS"); {
	case base != 0:
		n = 1
	case s != "":
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatalf("SPATE_WORLDS: %v", err)
		}
	}
	if base == 0 {
		base = rand.Uint64()
	}
	for i := range n {
		seed := base + uint64(i)
		if !t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) { f(t, rand.New(rand.NewPCG(seed, 7))) }) {
			return
		}
	}
}

// badly makes a peer one that does not do what it should.
func badly(r *rand.Rand, m *member) string {
	switch r.IntN(7) {
	case 0:
		m.gives = func(int) Outcome { return Corrupt }
		return "lies"
	case 1:
		m.gives = func(int) Outcome { return []Outcome{Done, Corrupt, Short, Missing, Doubtful}[r.IntN(5)] }
		return "lies at times"
	case 2:
		m.gives = func(int) Outcome { return Short }
		return "gives half"
	case 3:
		m.mute = true
		return "is mute"
	case 4:
		m.trick = 1
		return "gives a byte a second"
	case 5:
		m.dies = time.Duration(r.Int64N(int64(20 * time.Second)))
		return "dies"
	default:
		m.deaf = time.Duration(r.Int64N(int64(time.Minute)))
		return "is deaf at first"
	}
}

// randomWorld is one in which everybody that lives can finish: each chunk is at somebody who stays, and gives it.
func randomWorld(r *rand.Rand) (*world, string) {
	n, chunks := 2+r.IntN(12), 1+r.IntN(40)
	members := make([]member, n)
	says := fmt.Sprintf("%d peers, %d chunks", n, chunks)
	sound := 1 + r.IntN(n)
	for i := range members {
		m := &members[i]
		m.up = float64(1+r.IntN(100)) * 1e5
		if r.IntN(3) == 0 {
			m.joins = time.Duration(r.Int64N(int64(30 * time.Second)))
		}
		if i >= sound {
			says += fmt.Sprintf("; %d %s", i, badly(r, m))
		}
	}
	deal(r, members, sound, chunks)
	w := newWorld(r.Uint64N(250), chunks, float64(1+r.IntN(1000))*1e3, members...)
	w.opts = Options{Window: []int{1, 4, 32}[r.IntN(3)], Parallel: []int{1, 2, 4, 64}[r.IntN(4)]}
	if r.IntN(2) == 0 {
		w.opts.ChunkSize = int64(w.size)
	}
	w.reach = time.Duration(1+r.IntN(50)) * time.Millisecond
	return w, fmt.Sprintf("%s; %+v, chunks of %.0f, reach %v", says, w.opts, w.size, w.reach)
}

// deal gives each chunk to somebody sound, and to some others.
func deal(r *rand.Rand, members []member, sound, chunks int) {
	for c := 1; c <= chunks; c++ {
		keeper := r.IntN(sound)
		for i := range members {
			if i == keeper || r.IntN(4) == 0 {
				members[i].has = append(members[i].has, c)
			}
		}
	}
}

func TestEverybodyFinishes(t *testing.T) {
	seeds(t, 150, func(t *testing.T, r *rand.Rand) {
		w, says := randomWorld(r)
		ok := w.run()
		for _, f := range w.faults {
			t.Error(f)
		}
		if !ok {
			for _, n := range w.nodes {
				t.Logf("%d: alive %v, has %d of %d, open %d", n.id, n.alive, len(n.there), w.chunks, len(n.mine))
			}
			t.Errorf("not finished at %v", w.now)
		}
		if t.Failed() {
			t.Log(says)
		}
		w.fewMessages(t)
	})
}

// fewMessages checks that what the tracker is asked does not grow with the number of those who have a chunk.
func (w *world) fewMessages(t *testing.T) {
	n := len(w.nodes)
	if most := float64(n*w.chunks)*(1+perArrival) + float64(n)*(savedMost+w.now.Seconds()*perSecond*2); float64(w.asked) > most {
		t.Errorf("%d questions in %v, at most %.0f", w.asked, w.now, most)
	}
}
