package choose

import (
	"fmt"
	"testing"

	"spate/swarm/wire"
)

const (
	mbit = 1e6 / 8
	file = 32 << 20
)

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

// swarmOf is a seed and peers that have nothing, with the uplinks given, in turn.
func swarmOf(peers, chunks int, uplinks ...float64) []member {
	m := []member{{up: 20 * mbit, has: upTo(chunks)}}
	for i := range peers {
		m = append(m, member{up: uplinks[i%len(uplinks)] * mbit})
	}
	return m
}

// figures are the averages over some variants of a swarm.
type figures struct{ last, efficiency, seed, got, questions float64 }

func (f figures) String() string {
	return fmt.Sprintf("%6.2f s, %.3f of the bound, the seed sends %.2f files, %.2f files arrive, %.1f questions for a chunk",
		f.last, f.efficiency, f.seed, f.got, f.questions)
}

// measure runs a swarm some times.
func measure(t testing.TB, chunks int, make func() []member, also func(*world)) figures {
	t.Helper()
	var f figures
	variants := 2.0
	if _, ok := t.(*testing.B); ok {
		variants = 8
	}
	for v := range uint64(variants) {
		members := make()
		w := newWorld(v, chunks, float64(file/chunks), members...)
		if also != nil {
			also(w)
		}
		if !w.run() {
			t.Fatalf("variant %d has not finished after %v", v, w.now)
		}
		for _, s := range w.faults {
			t.Errorf("variant %d: %s", v, s)
		}
		f.last += w.last() / variants
		f.efficiency += w.bound() / w.last() / variants
		f.seed += w.nodes[0].sent / file / variants
		for _, n := range w.nodes[1:] {
			f.got += n.got / file / variants / float64(len(w.nodes)-1)
		}
		f.questions += float64(w.asked) / float64(chunks*(len(w.nodes)-1)) / variants
	}
	return f
}

func TestNearTheBound(t *testing.T) {
	for _, c := range []struct {
		name          string
		peers, chunks int
		uplinks       []float64
		also          func(*world)
		least         float64 // of the bound
		mostSeed      float64 // files
	}{
		{"8 peers, 64 chunks", 8, 64, []float64{20}, nil, 0.86, 1.2},
		{"8 peers, 256 chunks", 8, 256, []float64{20}, nil, 0.86, 1.2},
		{"32 peers, 64 chunks", 32, 64, []float64{20}, nil, 0.78, 1.3},
		{"32 peers, 256 chunks", 32, 256, []float64{20}, nil, 0.80, 1.2},
		{"8 mixed", 8, 64, []float64{5, 10, 20, 45}, nil, 0.75, 1.4},
		{"32 mixed", 32, 256, []float64{5, 10, 20, 45}, nil, 0.75, 1.3},
		{"one question at a time", 8, 64, []float64{20}, func(w *world) { w.opts.Window = 1 }, 0.8, 1.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := measure(t, c.chunks, func() []member { return swarmOf(c.peers, c.chunks, c.uplinks...) }, c.also)
			t.Log(f)
			if f.efficiency < c.least || f.seed > c.mostSeed {
				t.Errorf("at least %.2f of the bound, and at most %.1f files from the seed, are wanted", c.least, c.mostSeed)
			}
			if f.questions > 1+perArrival+perSecond*f.last/float64(c.chunks)+float64(savedMost)/float64(c.chunks) {
				t.Errorf("%.1f questions for each chunk", f.questions)
			}
		})
	}
}

// policy is how all peers of a swarm decide.
type policy struct {
	name  string
	brain func(seed uint64) func(o Options) brain
	queue func() uploads
}

func fifo(slots int) func() uploads {
	return func() uploads { return &Queue{Slots: slots, first: func(a, b *Ticket) bool { return false }} }
}

func slots(n int) func() uploads { return func() uploads { return &Queue{Slots: n} } }

const unlimited = 1 << 20

func simple(parallel int, better func(a, b int, holders map[int][]wire.Addr) bool) func(uint64) func(Options) brain {
	return func(seed uint64) func(Options) brain {
		return func(o Options) brain { return newNaive(seed, o, parallel, better) }
	}
}

// without is a Chooser some of whose rules are not in force.
func without(change func(c *Chooser)) func(uint64) func(Options) brain {
	return func(uint64) func(Options) brain {
		return func(o Options) brain {
			c := New(o)
			change(c)
			return c
		}
	}
}

func noHedge(c *Chooser) { c.choices = []choice{c.pick} }

func noRank(c *Chooser) {
	c.rarer = func(a, b *chunk) bool { return a.live < b.live || a.live == b.live && a.weight > b.weight }
}

func anyOrder(c *Chooser) { c.rarer = func(a, b *chunk) bool { return a.weight > b.weight } }

func parallel(n int) func(uint64) func(Options) brain {
	return func(uint64) func(Options) brain {
		return func(o Options) brain {
			o.Parallel = n
			return New(o)
		}
	}
}

var policies = []policy{
	{"sequential", simple(1, inOrder), fifo(unlimited)},
	{"random, 4 at a time", simple(4, nil), fifo(unlimited)},
	{"rarest first, 4 at a time", simple(4, rarest), fifo(unlimited)},
	{"one request per source, rarest first, any number of slots", without(func(c *Chooser) { noHedge(c); noRank(c) }), fifo(unlimited)},
	{"the same, 2 slots", without(func(c *Chooser) { noHedge(c); noRank(c) }), fifo(2)},
	{"the same, and HRW", without(noHedge), fifo(2)},
	{"the same, and waiting at several", without(func(*Chooser) {}), fifo(2)},
	{"the same, and the queue's order: all", without(func(*Chooser) {}), slots(2)},
	{"all but waiting at several", without(noHedge), slots(2)},
	{"all but HRW", without(noRank), slots(2)},
	{"all but HRW and rarest first", without(anyOrder), slots(2)},
	{"all, 1 slot", without(func(*Chooser) {}), slots(1)},
	{"all, 3 slots", without(func(*Chooser) {}), slots(3)},
	{"all, 4 slots", without(func(*Chooser) {}), slots(4)},
	{"all, any number of slots", without(func(*Chooser) {}), slots(unlimited)},
	{"all, 4 requests at a time", parallel(4), slots(2)},
	{"all, 8 requests at a time", parallel(8), slots(2)},
}

// BenchmarkPolicies is the table of docs/design/0004-who-gets-which-chunk.md: what it measures is simulated, whatever the machine.
func BenchmarkPolicies(b *testing.B) {
	for _, p := range policies {
		for _, s := range []struct {
			name string
			n, m int
			ups  []float64
		}{{"8x64", 8, 64, []float64{20}}, {"32x256", 32, 256, []float64{20}}, {"8x64 mixed", 8, 64, []float64{5, 10, 20, 45}}} {
			b.Run(p.name+"/"+s.name, func(b *testing.B) {
				var f figures
				for b.Loop() {
					f = measure(b, s.m, func() []member { return p.of(swarmOf(s.n, s.m, s.ups...)) }, nil)
				}
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(f.last, "s")
				b.ReportMetric(f.efficiency, "of-bound")
				b.ReportMetric(f.seed, "seed/file")
				b.ReportMetric(f.questions, "questions/chunk")
			})
		}
	}
}

func (p policy) of(members []member) []member {
	for i := range members {
		members[i].brain, members[i].queue, members[i].naive = p.brain(1), p.queue, true
	}
	return members
}

// The rules that are in force are worth what they cost: what is simple to write is far behind.
func TestAheadOfWhatIsSimple(t *testing.T) {
	took := map[string]float64{}
	for _, p := range policies[:8] {
		f := measure(t, 64, func() []member { return p.of(swarmOf(8, 64, 20)) }, nil)
		took[p.name] = f.last
		t.Logf("%-60s %v", p.name, f)
	}
	all := took[policies[7].name]
	for _, p := range policies[:3] {
		if took[p.name] < 1.5*all {
			t.Errorf("%s takes %.1f s, all rules together %.1f s", p.name, took[p.name], all)
		}
	}
}
