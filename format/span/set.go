package span

import (
	"iter"
	"slices"
	"sort"
)

// A Set is a set of bytes, kept as the fewest spans that hold them. The zero Set is empty. It is meant for some
// thousands of spans: to find one costs the logarithm of their number, to change one in the middle moves those behind
// it. It is not safe for concurrent use, and copies share what they hold: see [Set.Clone].
type Set struct {
	spans []Span // sorted, none empty, no two touch
}

// Of is the set of the bytes of spans, which may overlap and come in any order.
func Of(spans ...Span) *Set {
	s := new(Set)
	for _, x := range spans {
		s.Add(x)
	}
	return s
}

// Len is how many spans it takes to hold the bytes.
func (s *Set) Len() int { return len(s.spans) }

// Bytes is how many bytes are in the set.
func (s *Set) Bytes() (n int64) {
	for _, x := range s.spans {
		n += x.Len()
	}
	return n
}

// Bounds is the smallest span that has all bytes of the set.
func (s *Set) Bounds() Span {
	if len(s.spans) == 0 {
		return Span{}
	}
	return Span{s.spans[0].Off, s.spans[len(s.spans)-1].End}
}

// All are the spans of the set in order; no two overlap or touch. The set must not be changed meanwhile.
func (s *Set) All() iter.Seq[Span] { return slices.Values(s.spans) }

// Clone is a set of the same bytes that shares nothing with s.
func (s *Set) Clone() *Set { return &Set{slices.Clone(s.spans)} }

// Add puts the bytes of x into the set.
func (s *Set) Add(x Span) {
	if x.Empty() {
		return
	}
	// What x overlaps or touches becomes one with it.
	i := s.search(func(y Span) bool { return y.End >= x.Off })
	j := i + sort.Search(len(s.spans)-i, func(k int) bool { return s.spans[i+k].Off > x.End })
	if i < j {
		x = Span{min(x.Off, s.spans[i].Off), max(x.End, s.spans[j-1].End)}
	}
	s.spans = slices.Replace(s.spans, i, j, x)
}

// AddSet puts the bytes of t into the set.
func (s *Set) AddSet(t *Set) {
	for x := range t.All() {
		s.Add(x)
	}
}

// Remove takes the bytes of x out of the set.
func (s *Set) Remove(x Span) {
	i, j := s.overlapping(x)
	if i == j {
		return
	}
	var left []Span
	if head := (Span{s.spans[i].Off, x.Off}); !head.Empty() {
		left = append(left, head)
	}
	if tail := (Span{x.End, s.spans[j-1].End}); !tail.Empty() {
		left = append(left, tail)
	}
	s.spans = slices.Replace(s.spans, i, j, left...)
}

// Covers reports whether all bytes of x are in the set; those of an empty x always are.
func (s *Set) Covers(x Span) bool { return s.NextGap(x).Empty() }

// Overlaps reports whether any byte of x is in the set.
func (s *Set) Overlaps(x Span) bool {
	i, j := s.overlapping(x)
	return i < j
}

// NextGap is the first of [Set.Gaps]; empty if there is none.
func (s *Set) NextGap(within Span) Span {
	for gap := range s.Gaps(within) {
		return gap
	}
	return Span{within.End, within.End}
}

// Gaps are the spans of within that are not in the set, in order; none is empty, no two touch. The set must not be
// changed meanwhile.
func (s *Set) Gaps(within Span) iter.Seq[Span] {
	return func(yield func(Span) bool) {
		i, j := s.overlapping(within)
		off := within.Off
		for _, x := range s.spans[i:j] {
			if gap := (Span{off, x.Off}); !gap.Empty() && !yield(gap) {
				return
			}
			off = x.End
		}
		if gap := (Span{off, within.End}); !gap.Empty() {
			yield(gap)
		}
	}
}

// overlapping are the spans [i, j) of the set that have a byte in common with x.
func (s *Set) overlapping(x Span) (i, j int) {
	if x.Empty() {
		return 0, 0
	}
	i = s.search(func(y Span) bool { return y.End > x.Off })
	j = i + sort.Search(len(s.spans)-i, func(k int) bool { return s.spans[i+k].Off >= x.End })
	return i, j
}

// search is the index of the first span for which is holds, as it does for all behind it.
func (s *Set) search(is func(Span) bool) int {
	return sort.Search(len(s.spans), func(i int) bool { return is(s.spans[i]) })
}
