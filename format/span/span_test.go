package span_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/span"
	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestSpan(t *testing.T) {
	s := span.Span{Off: 10, End: 20}
	tests := []struct {
		name               string
		t                  span.Span
		contains, overlaps bool
		common             int64
	}{
		{"itself", s, true, true, 10},
		{"before, touching", span.Span{Off: 5, End: 10}, false, false, 0},
		{"before, by a byte in", span.Span{Off: 5, End: 11}, false, true, 1},
		{"behind, touching", span.Span{Off: 20, End: 25}, false, false, 0},
		{"behind, by a byte in", span.Span{Off: 19, End: 25}, false, true, 1},
		{"within", span.Span{Off: 11, End: 19}, true, true, 8},
		{"around", span.Span{Off: 9, End: 21}, false, true, 10},
		{"empty within", span.Span{Off: 15, End: 15}, true, false, 0},
		{"empty elsewhere", span.Span{Off: 99, End: 99}, true, false, 0},
		{"turned round", span.Span{Off: 19, End: 11}, true, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := s.Contains(tt.t); got != tt.contains {
				t.Errorf("Contains = %v", got)
			}
			if got := s.Overlaps(tt.t); got != tt.overlaps {
				t.Errorf("Overlaps = %v", got)
			}
			if got := s.Intersect(tt.t).Len(); got != tt.common {
				t.Errorf("%d bytes in common, want %d", got, tt.common)
			}
		})
	}
}

func TestSet(t *testing.T) {
	base := []span.Span{{Off: 10, End: 20}, {Off: 30, End: 40}}
	tests := []struct {
		name          string
		x             span.Span
		with, without []span.Span
	}{
		{"empty", span.Span{Off: 25, End: 25}, base, base},
		{"apart, before", span.Span{Off: 0, End: 9}, []span.Span{{Off: 0, End: 9}, {Off: 10, End: 20}, {Off: 30, End: 40}}, base},
		{"touching, before", span.Span{Off: 0, End: 10}, []span.Span{{Off: 0, End: 20}, {Off: 30, End: 40}}, base},
		{"into", span.Span{Off: 0, End: 11}, []span.Span{{Off: 0, End: 20}, {Off: 30, End: 40}}, []span.Span{{Off: 11, End: 20}, {Off: 30, End: 40}}},
		{"a gap", span.Span{Off: 20, End: 30}, []span.Span{{Off: 10, End: 40}}, base},
		{"within", span.Span{Off: 12, End: 18}, base, []span.Span{{Off: 10, End: 12}, {Off: 18, End: 20}, {Off: 30, End: 40}}},
		{"across", span.Span{Off: 19, End: 31}, []span.Span{{Off: 10, End: 40}}, []span.Span{{Off: 10, End: 19}, {Off: 31, End: 40}}},
		{"all", span.Span{Off: 0, End: 50}, []span.Span{{Off: 0, End: 50}}, nil},
		{"one of them", span.Span{Off: 30, End: 40}, base, []span.Span{{Off: 10, End: 20}}},
		{"behind", span.Span{Off: 41, End: 42}, []span.Span{{Off: 10, End: 20}, {Off: 30, End: 40}, {Off: 41, End: 42}}, base},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			with, without := span.Of(base...), span.Of(base...)
			with.Add(tt.x)
			without.Remove(tt.x)
			if diff := cmp.Diff(tt.with, slices.Collect(with.All())); diff != "" {
				t.Errorf("Add:\n%s", diff)
			}
			if diff := cmp.Diff(tt.without, slices.Collect(without.All())); diff != "" {
				t.Errorf("Remove:\n%s", diff)
			}
		})
	}
}

// What holds of the sets of a few bytes is tried against a bitmap.
const width = 48

type bitmap [width]bool

func (b *bitmap) set(x span.Span, to bool) {
	for i := x.Off; i < x.End; i++ {
		b[i] = to
	}
}

// spans are the longest runs of is within x.
func (b *bitmap) spans(x span.Span, is bool) (got []span.Span) {
	for i := x.Off; i < x.End; i++ {
		switch n := len(got); {
		case b[i] != is:
		case n > 0 && got[n-1].End == i:
			got[n-1].End++
		default:
			got = append(got, span.Span{Off: i, End: i + 1})
		}
	}
	return got
}

func TestSetAgainstBitmap(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	some := func() span.Span { return span.Span{Off: rnd.Int64N(width), End: rnd.Int64N(width + 1)} }
	var set span.Set
	var bits bitmap
	for step := range 20000 {
		x := some()
		switch rnd.IntN(8) {
		case 0, 1, 2:
			set.Add(x)
			bits.set(x, true)
		case 3, 4, 5:
			set.Remove(x)
			bits.set(x, false)
		case 6:
			y := some()
			set.AddSet(span.Of(y, x, y))
			bits.set(x, true)
			bits.set(y, true)
		default:
			set.Clone().Add(x) // is not seen here
		}
		check(t, &set, &bits, some())
		if t.Failed() {
			t.Fatalf("seed %d, step %d: %v", seed, step, slices.Collect(set.All()))
		}
	}
}

func check(t *testing.T, set *span.Set, bits *bitmap, q span.Span) {
	t.Helper()
	in, out := bits.spans(q, true), bits.spans(q, false)
	if diff := cmp.Diff(bits.spans(span.Span{Off: 0, End: width}, true), slices.Collect(set.All())); diff != "" {
		t.Errorf("All:\n%s", diff)
	}
	if diff := cmp.Diff(out, slices.Collect(set.Gaps(q))); diff != "" {
		t.Errorf("Gaps(%v):\n%s", q, diff)
	}
	if got := set.Covers(q); got != (len(out) == 0) {
		t.Errorf("Covers(%v) = %v", q, got)
	}
	if got := set.Overlaps(q); got != (len(in) > 0) {
		t.Errorf("Overlaps(%v) = %v", q, got)
	}
	gap := set.NextGap(q)
	if gap.Empty() != (len(out) == 0) || len(out) > 0 && gap != out[0] {
		t.Errorf("NextGap(%v) = %v, want the first of %v", q, gap, out)
	}
	var bytes int64
	for x := range set.All() {
		bytes += x.Len()
	}
	if b := set.Bounds(); !b.Empty() && (!bits[b.Off] || !bits[b.End-1] || set.Covers(span.Span{Off: b.Off, End: b.End + 1})) || b.Empty() != (bytes == 0) {
		t.Errorf("Bounds = %v", b)
	}
	if set.Bytes() != bytes || set.Len() != len(slices.Collect(set.All())) {
		t.Errorf("Bytes = %d, Len = %d", set.Bytes(), set.Len())
	}
}

func TestNextGapOfBounds(t *testing.T) {
	s := span.Of(span.Span{Off: 10, End: 20}, span.Span{Off: 30, End: 40})
	if got, want := s.Bounds(), (span.Span{Off: 10, End: 40}); got != want {
		t.Errorf("Bounds = %v", got)
	}
	if got, want := s.NextGap(s.Bounds()), (span.Span{Off: 20, End: 30}); got != want {
		t.Errorf("NextGap = %v", got)
	}
}
