package assemble_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/source"
	"spate/source/limit"
)

// The first four tests are the deadlocks that the design of reading ahead has to avoid. In a bubble of synctest a
// deadlock is found at once: time passes only while nothing can happen.

// TestSlotsHeldAhead: the head fails over to a host whose only slot is held by a part ahead, which waits for memory
// that only the head can free.
func TestSlotsHeldAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, gate := text("one", 300_000), text("two", 1<<20), make(chan struct{})
		m := library(map[string]*thing{
			"mem://a/1": {data: one, cutAt: 1000, hold: gate, holdAt: 500},
			"mem://b/1": {data: one},
			"mem://b/2": {data: two},
			plan:        {data: lines("mem://a/1", "mem://b/1", "--", "mem://b/2")},
		})
		r := open(t, m, plan, &assemble.Options{Budget: budgetOf(256 << 10), Hosts: &limit.Hosts{PerHost: 1}})
		r.want(one[:500])
		synctest.Wait()
		if n := m.opened("mem://b/2"); n != 1 {
			t.Fatalf("%d bodies of the part ahead are open, want 1", n)
		}
		close(gate)
		r.want(slices.Concat(one[500:], two))
		r.wantEnd()
	})
}

// TestInversion: the head goes on by what a part far ahead has begun to fetch for the cache. That fetch has lost its
// slot to a part between them, which waits for memory.
func TestInversion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, three := text("one", 3000), text("two", 3<<20), text("three", 3000)
		gate1, gate2, gateX := make(chan struct{}), make(chan struct{}), make(chan struct{})
		m := library(map[string]*thing{
			"mem://a/1": {data: one, cutAt: 1000, hold: gate1, holdAt: 500},
			"mem://y/2": {data: two, cutAt: 10, hold: gate2, holdAt: 5},
			"mem://x/1": {data: one, cutAt: 2000, cuts: 1, hold: gateX, holdAt: 2000},
			"mem://x/2": {data: two},
			"mem://x/3": {data: three, hold: gate1, holdAt: 5},
			plan: {data: lines("(*)", "mem://a/1", "mem://x/1", "--", "mem://x/3", "--", "mem://y/2", "mem://x/2", "--",
				verse, "--", "(*)", "mem://x/1")},
			verse: {data: []byte("v")},
		})
		r := open(t, m, plan, &assemble.Options{Budget: budgetOf(1 << 20), Hosts: &limit.Hosts{PerHost: 2}})
		r.want(one[:500])
		synctest.Wait() // the last part has begun to fetch
		m.wantAsked(t, map[string]int{"mem://x/1": 1, "mem://x/2": 0})
		close(gate2)
		synctest.Wait() // the third part waits for a slot
		m.wantAsked(t, map[string]int{"mem://x/1": 1, "mem://x/2": 0})
		close(gateX)
		synctest.Wait() // and has it
		m.wantAsked(t, map[string]int{"mem://x/1": 1, "mem://x/2": 1})
		if n := m.opened("mem://x/2"); n != 1 {
			t.Fatalf("%d bodies of the third part are open, want 1", n)
		}
		close(gate1)
		r.want(slices.Concat(one[500:], three, two, []byte("v"), one))
		r.wantEnd()
		m.wantAsked(t, map[string]int{"mem://x/1": 2})
	})
}

// TestCancelledFiller: the part that has begun to fetch for the cache is dropped by unwinding, and the replay joins
// what it has begun.
func TestCancelledFiller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, x, gateA, gate, gateX := text("a", 5000), text("x", 300_000), make(chan struct{}), make(chan struct{}), make(chan struct{})
		m := library(map[string]*thing{
			memA:                  {data: a, answer: gateA},
			memB:                  {gone: true, answer: gate},
			memC:                  {data: x, hold: gateX, holdAt: 1000},
			verse:                 {data: []byte("v")},
			plan:                  {data: lines("mem://m/inner.parts", "mem://m/other.parts")},
			"mem://m/inner.parts": {data: lines(memA, "--", memB, "--", "(*)", memC)},
			"mem://m/other.parts": {data: lines(memA, "--", "(*)", memC, "--", verse)},
		})
		r := open(t, m, plan, nil)
		synctest.Wait() // the manifest is known
		close(gateA)
		r.want(a)
		synctest.Wait()
		if n := m.opened(memC); n != 1 {
			t.Fatalf("%d bodies are open, want the one that is fetched ahead", n)
		}
		close(gate)
		r.want(x[:1000])
		m.wantAsked(t, map[string]int{memC: 1})
		close(gateX)
		r.want(append(x[1000:], 'v'))
		r.wantEnd()
		m.wantAsked(t, map[string]int{memC: 1})
	})
}

// TestMarkedManifestOfItself: were the bytes of a manifest cached, this one would wait for itself.
func TestMarkedManifestOfItself(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		synctest.Test(t, func(t *testing.T) {
			m := library(map[string]*thing{self: {data: lines("(*)", verse, "--", "(*)", self)}, verse: {data: []byte("v")}})
			readSome(t, m, self, 1000, &assemble.Options{Ahead: ahead}).want(t, bytes.Repeat([]byte("v"), 1000))
			m.wantAsked(t, map[string]int{verse: 1})
			if n := m.requests(self); n < 1000 {
				t.Errorf("%d requests of the manifest, want 1,000", n)
			}
		})
	}
}

// TestSmallBudget: parts larger than all the memory there is.
func TestSmallBudget(t *testing.T) {
	var l []string
	var want []byte
	things := map[string]*thing{plan: {}}
	for i := range 12 {
		url, data := fmt.Sprintf("mem://h%d/%d", i%2, i), text(fmt.Sprint(i), 100_000*(i%5))
		things[url] = &thing{data: data, noSize: i%3 == 0}
		want = append(want, data...)
		l = append(l, []string{"", "(*)"}[i%2], url, "--")
	}
	things[plan].data = lines(l...)
	for _, bytes := range []int64{1, 1000, 4 << 10, 128 << 10, 128<<10 + 1, 300_000} {
		for _, slots := range []int{1, 2, 100} {
			synctest.Test(t, func(t *testing.T) {
				opts := &assemble.Options{Budget: budgetOf(bytes), Hosts: &limit.Hosts{PerHost: slots}}
				read(t, library(things), plan, opts).want(t, want)
				if used := opts.Budget.Used(); used != 0 {
					t.Errorf("%d bytes are still in use", used)
				}
			})
		}
	}
}

// turns are several streams from one host, read by one goroutine, some bytes of each in turn.
type turns struct {
	streams, slots int
	budget         int64
	step           int
	idle           bool // the first stream is not read before the others have ended
}

// TestStreamsInTurns: streams that share the budget and the slots never wait for each other.
func TestStreamsInTurns(t *testing.T) {
	for _, c := range []turns{
		{2, 1, 1, 1000, false}, {2, 1, 300_000, 1000, false}, {3, 2, 300_000, 7777, false}, {5, 1, 1 << 20, 50_000, false},
		{5, 2, 128 << 10, 200_000, false}, {3, 1, 300_000, 1000, true}, {4, 2, 64 << 20, 1 << 20, true},
	} {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, want := c.library()
				c.read(t, m, "mem://m/%d.parts", want)
				m.wantNothingOpen(t)
			})
		})
	}
}

const turnParts, turnSize = 6, 150_000

// library has a manifest for each stream, with parts of its own and shared ones.
func (c turns) library() (m *memory, want [][]byte) {
	things := make(map[string]*thing)
	shared := text("shared", turnSize)
	things[memA] = &thing{data: shared}
	for i := range c.streams {
		var l []string
		var all []byte
		for j := range turnParts {
			url, data := fmt.Sprintf("mem://h/%d/%d", i, j), text(fmt.Sprint(i, j), turnSize)
			things[url] = &thing{data: data, noSize: j == 2}
			all = append(append(all, data...), shared...)
			l = append(l, url, "--", "(*)", memA, "--")
		}
		things[link(i)] = &thing{data: lines(l...)}
		want = append(want, all)
	}
	return library(things), want
}

func (c turns) read(t *testing.T, src source.Source, pattern string, want [][]byte) {
	opts := assemble.Options{Budget: budgetOf(c.budget), Hosts: &limit.Hosts{PerHost: c.slots}, Ahead: 4}
	var rs []*stepper
	for i := range c.streams {
		within(t, "opening", func() { rs = append(rs, open(t, src, fmt.Sprintf(pattern, i), &opts)) })
	}
	order := [][]int{{}, {}}
	for i := range c.streams {
		group := 0
		if c.idle && i == 0 {
			group = 1
		}
		order[group] = append(order[group], i)
	}
	for _, group := range order {
		for off := 0; off < len(want[0]); off += c.step {
			for _, i := range group {
				rs[i].want(want[i][off:min(off+c.step, len(want[i]))])
			}
		}
	}
	for _, r := range rs {
		r.wantEnd()
		within(t, "closing", func() { r.Close() })
	}
	if used := opts.Budget.Used(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
}

// TestStreamsInTurnsOverSockets: the same with an origin, whose connections are counted.
func TestStreamsInTurnsOverSockets(t *testing.T) {
	for _, slots := range []int{1, 2} {
		f := grow(t)
		c := turns{streams: 3, slots: slots, budget: 300_000, step: 10_000}
		m, want := c.library()
		for i := range c.streams {
			for j := range turnParts {
				path := fmt.Sprintf("/%d/%d", i, j)
				serve(f, path, m.find("mem://h"+path).data)
			}
			l := m.find(link(i)).data
			l = bytes.ReplaceAll(l, []byte("mem://h"), nil)
			serve(f, fmt.Sprintf("/%d.parts", i), l)
		}
		serve(f, "/a", m.find(memA).data)
		c.read(t, web(t, nil), f.URL("/%d.parts"), want)
		// A head for each stream is let in, and each may have its manifest open.
		if peak := f.Peak(); peak > max(c.streams, slots)+c.streams {
			t.Errorf("%d requests at once", peak)
		}
	}
}

// TestOneStreamStandsStill: it holds what it has read ahead, and another stream goes on all the same.
func TestOneStreamStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := turns{streams: 2}
		m, want := c.library()
		opts := &assemble.Options{Budget: budgetOf(500_000), Hosts: &limit.Hosts{PerHost: 2}}
		still := open(t, m, link(0), opts)
		synctest.Wait()
		other := open(t, m, link(1), opts)
		other.want(want[1])
		other.wantEnd()
		within(t, "reading", func() {
			if n, err := io.Copy(io.Discard, still); n != int64(len(want[0])) || err != nil {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
	})
}
