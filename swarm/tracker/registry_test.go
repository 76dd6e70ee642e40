package tracker

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spate/swarm/wire"
)

// A model is the registry as the specification has it: a list.
type model []*modelEntry

type modelEntry struct {
	chunk  int
	hash   string
	addr   wire.Addr
	isDead bool
}

func (l *model) add(m wire.Message) {
	for _, e := range *l {
		if e.addr == m.Addrs[0] {
			e.isDead = false
		}
	}
	for _, e := range *l {
		if e.chunk == m.Chunk && e.addr == m.Addrs[0] {
			if m.SHA1 != "" {
				e.hash = m.SHA1
			}
			return
		}
	}
	*l = append(*l, &modelEntry{m.Chunk, m.SHA1, m.Addrs[0], false})
}

func (l model) locate(chunk int, isHashed bool) wire.Message {
	var best string
	votes := map[string]int{}
	for _, e := range l {
		if e.chunk == chunk {
			votes[strings.ToLower(e.hash)]++
		}
	}
	for _, e := range l {
		lower := strings.ToLower(e.hash)
		if e.chunk == chunk && lower != "" && votes[lower] >= 2 && (best == "" || votes[lower] > votes[best]) {
			best = lower
		}
	}
	m := wire.Message{Command: wire.LocationUnknown, Chunk: chunk}
	if isHashed && best == "" {
		return m
	}
	for _, isDead := range []bool{false, true} {
		for _, e := range l {
			if e.chunk == chunk && e.isDead == isDead && (!isHashed || strings.EqualFold(e.hash, best)) {
				m.Command = wire.GetChunkFrom
				m.Addrs = append(m.Addrs, e.addr)
			}
		}
	}
	if isHashed {
		m.SHA1 = best
	}
	return m
}

// seeded is a source of random numbers that a failing test names.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// Whatever is registered, the registry answers as the model does.
func TestRegistryIsTheModel(t *testing.T) {
	rnd := seeded(t)
	for range 50 {
		r, l := newRegistry(1<<30), &model{}
		chunks, ports := 1+rnd.IntN(5), 1+rnd.IntN(12)
		for step := range 200 {
			m := wire.Message{Command: wire.LocalChunks, Chunk: 1 + rnd.IntN(chunks),
				Addrs: []wire.Addr{{Host: "localhost", Port: 1 + rnd.IntN(ports)}}}
			switch rnd.IntN(6) {
			case 0:
				m.SHA1 = sha1a
			case 1:
				m.SHA1 = strings.ToUpper(sha1b)
			case 2:
				i := rnd.IntN(ports)
				if addr, ok := r.peer(i); ok {
					isDead := rnd.IntN(2) == 0
					r.mark(i, isDead)
					for _, e := range *l {
						if e.addr == addr {
							e.isDead = isDead
						}
					}
				}
			}
			r.add(m)
			l.add(m)
			for _, isHashed := range []bool{false, true} {
				chunk := 1 + rnd.IntN(chunks+1)
				got, want := r.locate(chunk, isHashed), l.locate(chunk, isHashed)
				got.SHA1 = strings.ToLower(got.SHA1)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("step %d, chunk %d, hashes %v\n%s", step, chunk, isHashed, diff)
				}
			}
		}
		all := 0
		for _, e := range *l {
			if e.hash != "" {
				all++
			}
		}
		if regs, _, _ := r.extent(); regs != len(*l) || r.isHashed() != (all == len(*l)) || r.hashed != all {
			t.Fatalf("%d registrations, %d with a hash, want %d and %d", regs, r.hashed, len(*l), all)
		}
	}
}

// A million registrations take no more memory than is reckoned, which is within the default bound; whatever they are of.
func TestMillion(t *testing.T) {
	host := func(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255) }
	tests := []struct {
		name      string
		n, chunks int // of each client
		hash      func(i int) string
	}{
		{"10,000 clients with 100 chunks each", 1_000_000, 100, func(int) string { return "" }},
		{"a client with many chunks", 150_000, 150_000, func(int) string { return "" }},
		{"many clients with a chunk each", 150_000, 1, func(int) string { return "" }},
		{"each with a hash of its own", 150_000, 100, func(i int) string { return fmt.Sprintf("%040x", i) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := heap()
			r := newRegistry((&Options{}).withDefaults().Memory)
			for i := range tt.n {
				m := wire.Message{Command: wire.LocalChunks, Chunk: 1 + i%tt.chunks, SHA1: tt.hash(i),
					Addrs: []wire.Addr{{Host: host(i / tt.chunks), Port: 7001}}}
				if v := r.add(m); v != added {
					t.Fatalf("registration %d: %d", i, v)
				}
			}
			if used := heap() - before; used > r.memory {
				t.Errorf("%d KiB, reckoned %d", used>>10, r.memory>>10)
			} else {
				t.Logf("%d KiB, reckoned %d: %d bytes each", used>>10, r.memory>>10, used/int64(tt.n))
			}
			if regs, _, _ := r.extent(); regs != tt.n {
				t.Errorf("%d registrations", regs)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// What does not fit is refused, and what was there before is as it was.
func TestBound(t *testing.T) {
	r := newRegistry(registrationCost + chunkCost + addrCost + 1)
	of := func(chunk int, host, hash string) wire.Message {
		return wire.Message{Command: wire.LocalChunks, Chunk: chunk, SHA1: hash, Addrs: []wire.Addr{{Host: host, Port: 1}}}
	}
	tests := []struct {
		m    wire.Message
		want verdict
	}{
		{of(1, "ab", ""), refused}, {of(1, "a", sha1a), refused}, {of(1, "a", ""), added}, {of(1, "a", ""), known},
		{of(1, "a", sha1a), refused}, {of(2, "a", ""), refused}, {of(1, "b", ""), refused},
	}
	for _, tt := range tests {
		if got := r.add(tt.m); got != tt.want {
			t.Errorf("%+v: %d, want %d", tt.m, got, tt.want)
		}
	}
	if got := string(r.locate(1, false).Append(nil)); got != "GET_CHUNK_FROM,1,a,1" {
		t.Error(got)
	}
}

// An answer is no longer than a message may be. Where not all have room, each answer names the next ones, in the order of
// registration, and in the end all are named.
func TestLongAnswer(t *testing.T) {
	r := newRegistry(1 << 30)
	host := strings.Repeat("h", 200)
	const n = 1000
	for i := range n {
		r.add(wire.Message{Command: wire.LocalChunks, Chunk: 1, Addrs: []wire.Addr{{Host: host, Port: 10_000 + i}}})
	}
	var named []int
	for range 5 {
		m := r.locate(1, false)
		text := m.Append(nil)
		if len(text) > wire.MaxMessage || len(text) < wire.MaxMessage-300 {
			t.Fatalf("%d bytes", len(text))
		}
		for _, a := range m.Addrs {
			named = append(named, a.Port-10_000)
		}
	}
	for i, p := range named {
		if p != i%n {
			t.Fatalf("number %d is %d, want %d", i, p, i%n)
		}
	}
	slices.Sort(named)
	if got := len(slices.Compact(named)); got != n {
		t.Errorf("%d of %d were named", got, n)
	}
}
