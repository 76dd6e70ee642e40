package choose

import (
	"math/rand/v2"
	"slices"
	"time"

	"spate/swarm/wire"
)

// naive is what is simple to write: so many requests at a time, to whomever, and after each chunk that arrives the tracker is asked
// for every one that is missing.
type naive struct {
	rng      *rand.Rand
	last     int
	parallel int
	better   func(a, b int, holders map[int][]wire.Addr) bool // nil: at random
	here     map[int]bool
	holders  map[int][]wire.Addr
	open     []Request
	asking   map[int]bool
	ask      bool
	again    time.Duration
}

func newNaive(seed uint64, o Options, parallel int, better func(a, b int, holders map[int][]wire.Addr) bool) *naive {
	return &naive{
		rng: rand.New(rand.NewPCG(seed, hashOf(o.Self[0]))), last: o.Last, parallel: parallel, better: better,
		here: map[int]bool{}, holders: map[int][]wire.Addr{}, asking: map[int]bool{}, ask: true,
	}
}

func inOrder(a, b int, _ map[int][]wire.Addr) bool { return a < b }

func rarest(a, b int, holders map[int][]wire.Addr) bool { return len(holders[a]) < len(holders[b]) }

func (n *naive) Have(i int) { n.here[i] = true }

func (n *naive) Located(now time.Duration, i int, holders []wire.Addr) {
	n.holders[i] = holders
	delete(n.asking, i)
	n.again = now + time.Second
}

func (n *naive) Questions(now time.Duration) []int {
	if !n.ask && now < n.again {
		return nil
	}
	n.ask = false
	n.again = now + time.Second
	var out []int
	for i := 1; i <= n.last; i++ {
		if !n.here[i] && !n.asking[i] {
			n.asking[i] = true
			out = append(out, i)
		}
	}
	return out
}

func (n *naive) Next(time.Duration) (cancel, begin []Request) {
	for len(n.open) < n.parallel {
		r, ok := n.choose()
		if !ok {
			break
		}
		n.open = append(n.open, r)
		begin = append(begin, r)
	}
	return nil, begin
}

func (n *naive) choose() (Request, bool) {
	best := 0
	for _, k := range n.rng.Perm(n.last) {
		i := k + 1
		isOpen := slices.ContainsFunc(n.open, func(r Request) bool { return r.Chunk == i })
		if n.here[i] || isOpen || len(n.holders[i]) == 0 {
			continue
		}
		if best == 0 || n.better != nil && n.better(i, best, n.holders) {
			best = i
		}
	}
	if best == 0 {
		return Request{}, false
	}
	from := n.holders[best]
	return Request{best, from[n.rng.IntN(len(from))]}, true
}

func (n *naive) Progress(time.Duration, Request, int64) {}

func (n *naive) Ended(_ time.Duration, r Request, o Outcome) {
	n.open = slices.DeleteFunc(n.open, func(q Request) bool { return q == r })
	if o == Done {
		n.here[r.Chunk] = true
		n.ask = true
	}
}

func (n *naive) Wake() (time.Duration, bool) { return n.again, len(n.here) < n.last }
