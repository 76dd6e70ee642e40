package fill

import (
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// A slab is used for another block once nobody uses it, and no sooner; a short one never is.
func TestSlabs(t *testing.T) {
	s := slabs{size: blk}
	seen := map[*slab]bool{}
	var held []*slab
	for range 100 {
		b := s.get(blk)
		if seen[b] || len(b.data) != blk {
			t.Fatal("a slab that is used, or one of another size")
		}
		seen[b] = true
		b.use().release()
		held = append(held, b)
	}
	for _, b := range held {
		b.release()
	}
	again := 0
	for range 100 {
		if seen[s.get(blk)] {
			again++
		}
	}
	if again == 0 { // some may have been collected
		t.Error("none is used again")
	}
	short := s.get(10)
	if short.release(); len(short.data) != 10 || s.get(10) == short {
		t.Error("a short one")
	}
}

// Readers of blocks that come, go and are fetched again, of which memory has room for few, never see another block's bytes.
func TestSlabsUnderReaders(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, tag := range []string{`"1"`, `W/"1"`} {
		src := &pulse{size: 40*blk + 100, piece: chunk, tag: tag}
		rnd := rand.New(rand.NewPCG(seed, 2))
		src.silent = func(request int, off int64) bool { return request%7 == 3 && off%blk > blk/2 }
		inBubble(t, src, Options{Memory: 3 * blk, Cache: newShelf(seed)}, func(p *Pool, f *File) {
			var readers sync.WaitGroup
			for range 16 {
				rnd := rand.New(rand.NewPCG(rnd.Uint64(), 3))
				readers.Go(func() {
					for range 6 {
						off := rnd.Int64N(src.size)
						n := min(rnd.Int64N(6*blk), src.size-off)
						r := from(t, f, off, n)
						got, err := io.ReadAll(r)
						r.Close()
						want := make([]byte, n)
						generate(1)(off, want)
						if err != nil || string(got) != string(want) {
							t.Errorf("%d bytes from %d: %d of others, %v", n, off, len(got), err)
						}
						time.Sleep(time.Duration(rnd.IntN(int(3 * time.Second))))
					}
				})
			}
			readers.Wait()
		})
	}
}
