package sched

import (
	"math/rand/v2"
	"testing"
)

// A set of ranges is compared with a set of bytes.
func TestSpans(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		var s spans
		var model [64]bool
		for range 40 {
			a := r.Int64N(65)
			x := Range{a, a + r.Int64N(65-a)}
			add := r.IntN(2) == 0
			if add {
				s.add(x)
			} else {
				s.remove(x)
			}
			for i := x.Off; i < x.End; i++ {
				model[i] = add
			}
			compare(t, s, model, seed)
		}
	}
}

func compare(t *testing.T, s spans, model [64]bool, seed uint64) {
	t.Helper()
	n := int64(0)
	for i, in := range model {
		if (len(s.within(Range{int64(i), int64(i) + 1})) == 1) != in {
			t.Fatalf("seed %d: %v, byte %d", seed, s, i)
		}
		if in {
			n++
		}
	}
	if s.len() != n {
		t.Fatalf("seed %d: %v has %d bytes, not %d", seed, s, s.len(), n)
	}
	for i := range s {
		if s[i].Off >= s[i].End || i > 0 && s[i-1].End >= s[i].Off {
			t.Fatalf("seed %d: %v is not in order", seed, s)
		}
	}
}
