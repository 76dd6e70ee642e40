// Package span is byte ranges, sets of them, and how HTTP asks for them. It is pure.
package span

// A Span is the bytes from Off on and before End. One whose End is not beyond Off is empty, wherever it lies. Off is
// never negative.
type Span struct{ Off, End int64 }

// Len is how many bytes s has; never negative.
func (s Span) Len() int64 { return max(0, s.End-s.Off) }

// Empty reports whether s has no bytes.
func (s Span) Empty() bool { return s.End <= s.Off }

// Contains reports whether all bytes of t are in s; those of an empty t always are.
func (s Span) Contains(t Span) bool { return t.Empty() || s.Off <= t.Off && t.End <= s.End }

// Overlaps reports whether s and t have a byte in common.
func (s Span) Overlaps(t Span) bool { return !s.Intersect(t).Empty() }

// Intersect is the bytes that s and t have in common; empty if there are none.
func (s Span) Intersect(t Span) Span { return Span{max(s.Off, t.Off), min(s.End, t.End)} }
