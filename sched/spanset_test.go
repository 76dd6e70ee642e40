package sched_test

import (
	"cmp"
	"slices"
)

// spanSet is the oracle's own set of ranges.
type spanSet [][2]int64

func (s *spanSet) add(off, end int64) {
	if off >= end {
		return
	}
	from := s.at(off)
	to := from
	for ; to < len(*s) && (*s)[to][0] <= end; to++ {
		off, end = min(off, (*s)[to][0]), max(end, (*s)[to][1])
	}
	if to == from+1 {
		(*s)[from] = [2]int64{off, end}
		return
	}
	*s = slices.Replace(*s, from, to, [2]int64{off, end})
}

// at is the first range that ends at off or behind it.
func (s spanSet) at(off int64) int {
	i, _ := slices.BinarySearchFunc(s, off, func(r [2]int64, off int64) int { return cmp.Compare(r[1], off) })
	return i
}

func (s *spanSet) remove(off, end int64) {
	var out spanSet
	for _, r := range *s {
		for _, part := range [][2]int64{{r[0], min(r[1], off)}, {max(r[0], end), r[1]}} {
			if part[0] < part[1] {
				out = append(out, part)
			}
		}
	}
	*s = out
}

func (s spanSet) overlaps(off, end int64) bool {
	i := s.at(off + 1)
	return i < len(s) && s[i][0] < end
}

func (s spanSet) len() (n int64) {
	for _, r := range s {
		n += r[1] - r[0]
	}
	return n
}

func (s spanSet) prefix() int64 {
	if len(s) == 0 || s[0][0] > 0 {
		return 0
	}
	return s[0][1]
}

func (s spanSet) covers(off, end int64) bool {
	i := s.at(end)
	return i < len(s) && s[i][0] <= off
}
