package assemble_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"

	"spate/assemble"
)

const (
	memA = "mem://h/a"
	memB = "mem://h/b"
	memC = "mem://h/c"
	plan = "mem://m/plan.parts"
)

// TestForgetting: what was not used for longest makes room for what is new.
func TestForgetting(t *testing.T) {
	a, b, c := text("a", 64<<10), text("b", 64<<10), text("c", 64<<10)
	cases := []struct {
		name         string
		memory, disk int64
		asked        map[string]int
	}{
		{"room for all in memory", 3 * 64 << 10, -1, map[string]int{memA: 1, memB: 1, memC: 1}},
		{"room for two in memory", 2 * 64 << 10, -1, map[string]int{memA: 2, memB: 1, memC: 1}},
		{"room for one in memory and one on disk", 64 << 10, 64 << 10, map[string]int{memA: 2, memB: 1, memC: 1}},
		{"room for two on disk", -1, 2 * 64 << 10, map[string]int{memA: 2, memB: 1, memC: 1}},
		{"room for one", 64 << 10, -1, map[string]int{memA: 2, memB: 2, memC: 1}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			m := library(map[string]*thing{memA: {data: a}, memB: {data: b}, memC: {data: c},
				plan: {data: lines("(*)", memA, "--", "(*)", memB, "--", "(*)", memC, "--", "(*)", memC, "--", "(*)", memB, "--", "(*)", memA)}})
			out := read(t, m, plan, &assemble.Options{Ahead: 1, CacheMemory: tc.memory, CacheDisk: tc.disk})
			out.want(t, slices.Concat(a, b, c, c, b, a))
			m.wantAsked(t, tc.asked)
			m.wantNothingOpen(t)
		})
	}
}

// TestNoRoom: what does not fit into the cache is read all the same, from any kind of origin and by whoever joined it.
func TestNoRoom(t *testing.T) {
	data := text("data", 1<<20)
	for i := range 16 {
		th := thing{data: data, noRange: i&1 > 0, noSize: i&2 > 0}
		opts := &assemble.Options{CacheMemory: -1, CacheDisk: -1, Ahead: 16}
		if i&4 > 0 {
			opts.CacheMemory = 300_000
		}
		if i&8 > 0 {
			opts.Ahead = 1
		}
		t.Run(fmt.Sprintf("no ranges %v, no size %v, memory %d, ahead %d", th.noRange, th.noSize, opts.CacheMemory, opts.Ahead), func(t *testing.T) {
			m := library(map[string]*thing{memA: &th, memB: {data: []byte("b")}, plan: {data: lines("(*)", memA, "--", memB, "--", "(*)", memA)}})
			read(t, m, plan, opts).want(t, slices.Concat(data, []byte("b"), data))
			m.wantAsked(t, map[string]int{memA: 2})
			m.wantNothingOpen(t)
		})
	}
}

// TestTooLarge: a part over 1 GiB is not kept, one of 1 GiB is.
func TestTooLarge(t *testing.T) {
	for size, requests := range map[int64]int{1 << 30: 1, 1<<30 + 1: 2} {
		synctest.Test(t, func(t *testing.T) {
			m := library(map[string]*thing{memA: {gen: alphabet, size: size}, plan: {data: lines("(*)", memA, "--", "(*)", memA)}})
			r := open(t, m, plan, nil)
			r.want([]byte("abcdefghijklm"))
			synctest.Wait()
			m.wantAsked(t, map[string]int{memA: requests})
			r.Close()
			m.wantNothingOpen(t)
		})
	}
}

// TestTooLargeForLong reads such parts to their ends, where SPATE_SOAK is set.
func TestTooLargeForLong(t *testing.T) {
	if os.Getenv("SPATE_SOAK") == "" {
		t.Skip("make soak runs it: SPATE_SOAK is not set")
	}
	for i := range 4 {
		th := &thing{gen: alphabet, size: 1<<30 + 5, noSize: i&1 > 0, noRange: i&2 > 0}
		t.Run(fmt.Sprintf("no size %v, no ranges %v", th.noSize, th.noRange), func(t *testing.T) {
			m := library(map[string]*thing{memA: th, plan: {data: lines("(*)", memA, "--", "(*)", memA)}})
			r, err := assemble.Open(t.Context(), m, plan, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if n, err := io.Copy(io.Discard, r); n != 2*th.size || err != nil {
				t.Errorf("read %d bytes, %v; want %d", n, err, 2*th.size)
			}
			m.wantAsked(t, map[string]int{memA: 2})
		})
	}
}

// TestCorruptCopyAhead: a marked part whose digest proves wrong before it is read comes from the next alternative.
func TestCorruptCopyAhead(t *testing.T) {
	for _, noRange := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			first, data, gate := text("first", 100), text("data", 100_000), make(chan struct{})
			m := library(map[string]*thing{
				memA: {data: first, hold: gate},
				memB: {data: altered(data, 70_000), noRange: noRange},
				memC: {data: data},
				plan: {data: lines(memA, "--", "(*)", memB+"#sha256="+digest(data), memC+"#sha256="+digest(data))},
			})
			r := open(t, m, plan, nil)
			synctest.Wait() // all that can be read ahead is there
			close(gate)
			r.want(slices.Concat(first, data))
			r.wantEnd()
		})
	}
}

// TestCorruptCopyIsNotKept: nor served to who promises nothing, once it is known.
func TestCorruptCopyIsNotKept(t *testing.T) {
	data := text("data", 100_000)
	bad := altered(data, 70_000)
	promise := memB + "#sha256=" + digest(data)
	m := library(map[string]*thing{memB: {data: bad}, memC: {data: data},
		plan: {data: lines("(*)", promise, memC, "--", memA, "--", "(*)", promise, memC)},
		memA: {data: []byte("a")}})
	opts := &assemble.Options{Ahead: 1, Rewind: func(int64) error { return nil }}
	out := read(t, m, plan, opts)
	if out.err != nil {
		t.Fatal(out.err)
	}
	if n := m.requests(memC); n != 1 {
		t.Errorf("%d requests of what is right, want 1", n)
	}
}

// TestNoTemporaryFile: where there is no place for what memory does not hold, the stream goes on without.
func TestNoTemporaryFile(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "missing"))
	data := text("data", 1<<20)
	for _, ahead := range []int{1, 16} {
		m := library(map[string]*thing{memA: {data: data, noRange: true}, memB: {data: []byte("b")},
			plan: {data: lines("(*)", memA, "--", memB, "--", "(*)", memA)}})
		read(t, m, plan, &assemble.Options{CacheMemory: 1 << 19, Ahead: ahead}).want(t, slices.Concat(data, []byte("b"), data))
		m.wantAsked(t, map[string]int{memA: 2})
		m.wantNothingOpen(t)
	}
}
