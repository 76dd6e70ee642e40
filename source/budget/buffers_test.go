package budget

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// same reports whether a and b, which are not empty, are the same memory.
func same(a, b []byte) bool { return &a[0] == &b[0] }

// buffersOf takes a buffer of each size.
func buffersOf(t *testing.T, b *Budget, sizes ...int) [][]byte {
	t.Helper()
	var bufs [][]byte
	for _, size := range sizes {
		buf := b.Buffer(size)
		if len(buf) != size {
			t.Fatalf("a buffer of %d bytes, want %d", len(buf), size)
		}
		bufs = append(bufs, buf)
	}
	return bufs
}

// TestKeptBuffers: of what is recycled, no more is kept than the Budget has bytes, over all sizes; what is kept is
// handed out again, each to one alone, and only where that size is asked for.
func TestKeptBuffers(t *testing.T) {
	cases := []struct {
		name     string
		max      int64
		recycled []int
		asked    []int
		want     []bool // for each that is asked for: it is a recycled one
	}{
		{"one", 100, []int{10}, []int{10}, []bool{true}},
		{"one, asked for twice", 100, []int{10}, []int{10, 10}, []bool{true, false}},
		{"another size", 100, []int{10}, []int{9, 11, 10}, []bool{false, false, true}},
		{"half and double the size", 100, []int{16}, []int{8, 32, 16}, []bool{false, false, true}},
		{"several sizes", 100, []int{10, 20, 30}, []int{30, 10, 20, 10}, []bool{true, true, true, false}},
		{"one byte less than the Budget", 10, []int{9}, []int{9}, []bool{true}},
		{"as large as the Budget", 10, []int{10}, []int{10}, []bool{true}},
		{"one byte more than the Budget", 10, []int{11}, []int{11}, []bool{false}},
		{"together less than the Budget", 10, []int{5, 4}, []int{5, 4}, []bool{true, true}},
		{"together as large as the Budget", 10, []int{5, 5, 0}, []int{5}, []bool{true}},
		{"together one byte more", 10, []int{5, 6}, []int{5, 6}, []bool{true, false}},
		{"a small one behind one that is too large", 10, []int{5, 6, 5}, []int{5, 6, 5}, []bool{true, false, true}},
		{"nothing beyond the Budget, however small", 10, []int{10, 1}, []int{1, 10}, []bool{false, true}},
		{"a Budget of one byte", 1, []int{1, 1}, []int{1, 1}, []bool{true, false}},
		{"a Budget of the default size", 0, []int{4096}, []int{4096}, []bool{true}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := &Budget{Max: c.max}
			recycled := buffersOf(t, b, c.recycled...)
			for _, buf := range recycled {
				b.Recycle(buf)
			}
			given := buffersOf(t, b, c.asked...)
			for i, buf := range given {
				used := slices.ContainsFunc(recycled, func(r []byte) bool { return len(r) > 0 && same(r, buf) })
				if used != c.want[i] {
					t.Errorf("buffer %d, of %d bytes, was used before: %v", i, len(buf), used)
				}
				for j := range i {
					if same(given[j], buf) {
						t.Errorf("buffers %d and %d are the same", j, i)
					}
				}
			}
		})
	}
}

// TestManyBuffers: so many of a size are kept as fit into the Budget.
func TestManyBuffers(t *testing.T) {
	for _, c := range []struct{ max, size, want int }{{99, 10, 9}, {100, 10, 10}, {101, 10, 10}, {1000, 1, 1000}} {
		b := &Budget{Max: int64(c.max)}
		sizes := slices.Repeat([]int{c.size}, c.want+5)
		recycled := map[*byte]bool{}
		for _, buf := range buffersOf(t, b, sizes...) {
			recycled[&buf[0]] = true // it stays alive: a new one is not where it was
			b.Recycle(buf)
		}
		kept := 0
		for _, buf := range buffersOf(t, b, sizes...) {
			if recycled[&buf[0]] {
				kept++
			}
			delete(recycled, &buf[0])
		}
		if kept != c.want {
			t.Errorf("a Budget of %d keeps %d buffers of %d bytes, want %d", c.max, kept, c.size, c.want)
		}
	}
}

// TestRoomForBuffers: what is handed out leaves its place to others, of any size.
func TestRoomForBuffers(t *testing.T) {
	b := &Budget{Max: 10}
	first, second := b.Buffer(10), b.Buffer(4)
	for round := range 3 {
		b.Recycle(first)
		b.Recycle(second) // no room
		if buf := b.Buffer(10); !same(buf, first) {
			t.Fatalf("round %d: the first was not kept", round)
		}
		b.Recycle(second)
		b.Recycle(first) // no room
		if buf := b.Buffer(4); !same(buf, second) {
			t.Fatalf("round %d: the second was not kept", round)
		}
	}
}

// TestSharedBuffers: what one stream has recycled, another one that shares its Budget is given; those of another
// Budget are not.
func TestSharedBuffers(t *testing.T) {
	b, other := &Budget{Max: 10}, &Budget{Max: 10}
	var used []byte
	for stream := range 3 {
		g, err := b.Account(0).Acquire(t.Context(), 10, &place{})
		if err != nil {
			t.Fatal(err)
		}
		buf := b.Buffer(10)
		if stream > 0 && !same(buf, used) {
			t.Errorf("stream %d has a buffer of its own", stream)
		}
		used = buf
		b.Recycle(buf)
		if same(other.Buffer(10), used) {
			t.Error("another Budget has the same buffer")
		}
		g.Release()
	}
}

// TestBuffersAtOnce: a buffer belongs to one at a time, and the bound holds, whatever is done at the same time.
func TestBuffersAtOnce(t *testing.T) {
	const limit, each = 100, 2000
	b := &Budget{Max: limit}
	sizes := []int{8, 16, 40}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(worker), 1))
			mark := byte(worker + 1)
			for range each {
				size := sizes[rnd.IntN(len(sizes))]
				buf := b.Buffer(size)
				if len(buf) != size {
					t.Errorf("a buffer of %d bytes, want %d", len(buf), size)
					return
				}
				for i := range buf {
					buf[i] = mark
				}
				runtime.Gosched()
				if bytes.Count(buf, []byte{mark}) != size {
					t.Errorf("somebody else has written: %v", buf)
					return
				}
				b.Recycle(buf)
			}
		})
	}
	wg.Wait()
	held := 0
	for size, bufs := range b.free.bufs {
		held += size * len(bufs)
	}
	if held > limit || held == 0 || int64(held) != b.free.held {
		t.Errorf("%d bytes are kept, counted as %d, of at most %d", held, b.free.held, limit)
	}
}
