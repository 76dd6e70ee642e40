package sched

import "slices"

// spans is a set of bytes: ranges in order, neither touching nor empty.
type spans []Range

// at is the index of the first range that ends behind off.
func (s spans) at(off int64) int {
	i, _ := slices.BinarySearchFunc(s, off, func(r Range, off int64) int {
		if r.End > off {
			return 1
		}
		return -1
	})
	return i
}

func (s *spans) add(r Range) {
	if r.Off >= r.End {
		return
	}
	i := s.at(r.Off - 1) // a range that ends at r.Off is joined
	j := i
	for ; j < len(*s) && (*s)[j].Off <= r.End; j++ {
		r = Range{min(r.Off, (*s)[j].Off), max(r.End, (*s)[j].End)}
	}
	*s = slices.Replace(*s, i, j, r)
}

func (s *spans) remove(r Range) {
	if r.Off >= r.End {
		return
	}
	i := s.at(r.Off)
	j := i
	var rest []Range
	for ; j < len(*s) && (*s)[j].Off < r.End; j++ {
		if have := (*s)[j]; have.Off < r.Off {
			rest = append(rest, Range{have.Off, r.Off})
		}
		if have := (*s)[j]; have.End > r.End {
			rest = append(rest, Range{r.End, have.End})
		}
	}
	*s = slices.Replace(*s, i, j, rest...)
}

func (s spans) len() (n int64) {
	for _, r := range s {
		n += r.Len()
	}
	return n
}

// within is what of the set lies in r.
func (s spans) within(r Range) (in []Range) {
	for i := s.at(r.Off); i < len(s) && s[i].Off < r.End; i++ {
		in = append(in, Range{max(s[i].Off, r.Off), min(s[i].End, r.End)})
	}
	return in
}
