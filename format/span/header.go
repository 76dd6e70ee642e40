package span

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ErrUnsatisfiable says that not one range of a set has a byte of the representation: 416 (RFC 9110 §15.5.17).
var ErrUnsatisfiable = errors.New("no byte of it is there")

const (
	// MaxRanges is how many ranges a Range header may have. One with more is ignored, as whoever wants that many wants work done.
	MaxRanges = 64

	// MinGap is from how many bytes on between two of them ranges are sent apart: a part of multipart/byteranges costs as much.
	MinGap = 80
)

// ParseRange reads the value of a Range header (RFC 9110 §14.2) for a representation of size bytes. It returns the spans to
// send, in the order in which they were asked for: none is empty, all lie within size, and any two are [MinGap] apart, as those
// that overlap or come nearer are one, in the place of the first of them. So one span alone is no multipart.
//
// No span and no error means that the header counts for nothing and all is to be sent: it is malformed, has a range that ends
// before it begins, another unit than bytes, more than [MaxRanges] ranges, or ranges that are together larger than the
// representation; or it asks for the end of one that has no bytes, which no Content-Range can say.
// [ErrUnsatisfiable] means that all its ranges begin behind the end, or are of the last 0 bytes.
//
// The unit is compared without case. Numbers may have any number of digits. Around ranges there may be blanks and tabs, and
// elements of the list may be empty (RFC 9110 §5.6.1); unlike there, that goes for the first one, too, as elsewhere.
func ParseRange(value string, size int64) ([]Span, error) {
	unit, set, _ := strings.Cut(value, "=")
	if len(unit) != len("bytes") || !strings.EqualFold(unit, "bytes") {
		return nil, nil
	}
	ranges, ok := parseSet(set)
	if !ok {
		return nil, nil
	}
	var spans []Span
	for _, r := range ranges {
		switch s := r.of(size); {
		case !s.Empty():
			spans = append(spans, s)
		case r.isSuffix() && !r.isNothing(): // of an empty representation
			return nil, nil
		}
	}
	if len(spans) == 0 {
		return nil, ErrUnsatisfiable
	}
	if isMoreThan(spans, size) {
		return nil, nil
	}
	return merge(spans), nil
}

// isMoreThan reports whether spans have more bytes together than size, which is at least that of each.
func isMoreThan(spans []Span, size int64) bool {
	for _, s := range spans {
		if size -= s.Len(); size < 0 {
			return true
		}
	}
	return false
}

// merge makes those that overlap, or lie nearer than MinGap, one.
func merge(spans []Span) []Span {
	type placed struct {
		Span
		place int
	}
	all := make([]placed, len(spans))
	for i, s := range spans {
		all[i] = placed{s, i}
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.Off, b.Off) })
	n := 0
	for _, s := range all[1:] {
		if last := &all[n]; s.Off-last.End < MinGap {
			last.End, last.place = max(last.End, s.End), min(last.place, s.place)
			continue
		}
		n++
		all[n] = s
	}
	all = all[:n+1]
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	for i, s := range all {
		spans[i] = s.Span
	}
	return spans[:n+1]
}

// A byteRange is one of a set: first-last, first- or -last, in digits.
type byteRange struct{ first, last string }

// parseSet reads the ranges of a set; ok is false where it is malformed, has none or too many.
func parseSet(set string) (ranges []byteRange, ok bool) {
	for element := range strings.SplitSeq(set, ",") {
		element = strings.Trim(element, " \t")
		if element == "" {
			continue
		}
		r, ok := parseOne(element)
		if !ok || len(ranges) == MaxRanges {
			return nil, false
		}
		ranges = append(ranges, r)
	}
	return ranges, len(ranges) > 0
}

func parseOne(text string) (r byteRange, ok bool) {
	if r.first, r.last, ok = strings.Cut(text, "-"); !ok || !isDigits(r.first) || !isDigits(r.last) {
		return r, false
	}
	switch {
	case r.first == "":
		return r, r.last != ""
	case r.last == "":
		return r, true
	}
	return r, !isLess(r.last, r.first)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// isLess compares numbers of any length.
func isLess(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return len(a) < len(b) || len(a) == len(b) && a < b
}

func (r byteRange) isSuffix() bool { return r.first == "" }

// isNothing reports whether r is the last 0 bytes.
func (r byteRange) isNothing() bool { return r.isSuffix() && number(r.last) == 0 }

// of is the bytes of r that a representation of size bytes has.
func (r byteRange) of(size int64) Span {
	if r.isSuffix() {
		return Span{max(0, size-number(r.last)), size}
	}
	s := Span{number(r.first), size}
	if r.last != "" && number(r.last) < size {
		s.End = number(r.last) + 1
	}
	return s
}

// number is what digits say, or the greatest there is.
func number(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return n
}
