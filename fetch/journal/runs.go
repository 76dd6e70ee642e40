package journal

import (
	"cmp"
	"slices"
	"sort"

	"spate/format/span"
)

// A run is a range that was written, with the CRC32C of its bytes.
type run struct {
	span.Span
	crc uint32
}

// runs are sorted, and no two overlap. Two that touch are one, where both lie in the same cell of grain bytes: a cell
// is what a sample reads at least, and what is lost at most where one byte is wrong.
type runs []run

// insert puts x in, which must overlap none.
func (rs runs) insert(x run, grain int64) runs {
	i := rs.search(x.Off)
	j := i
	if i > 0 && joins(rs[i-1], x, grain) {
		i, x = i-1, join(rs[i-1], x)
	}
	if j < len(rs) && joins(x, rs[j], grain) {
		x, j = join(x, rs[j]), j+1
	}
	return slices.Replace(rs, i, j, x)
}

// search is the index of the first run that begins at off or behind it.
func (rs runs) search(off int64) int {
	return sort.Search(len(rs), func(i int) bool { return rs[i].Off >= off })
}

// overlapping are the runs [i, j) that have a byte of x.
func (rs runs) overlapping(x span.Span) (i, j int) {
	if x.Empty() {
		return 0, 0
	}
	i = sort.Search(len(rs), func(i int) bool { return rs[i].End > x.Off })
	return i, max(i, rs.search(x.End))
}

// few is how many runs are sooner inserted one by one than sorted in.
const few = 64

// merge puts all of other in, which must overlap none of rs.
func (rs runs) merge(other runs, grain int64) runs {
	if len(other) > few {
		rs = append(rs, other...)
		slices.SortFunc(rs, func(a, b run) int { return cmp.Compare(a.Off, b.Off) })
		return rs.fold(grain)
	}
	for _, x := range other {
		rs = rs.insert(x, grain)
	}
	return rs
}

// fold joins what may be joined at that grain.
func (rs runs) fold(grain int64) runs {
	folded := rs[:0]
	for _, x := range rs {
		if n := len(folded); n > 0 && joins(folded[n-1], x, grain) {
			folded[n-1] = join(folded[n-1], x)
		} else {
			folded = append(folded, x)
		}
	}
	return folded
}

func joins(a, b run, grain int64) bool {
	return a.End == b.Off && a.Off/grain == (b.End-1)/grain
}

func join(a, b run) run {
	return run{span.Span{Off: a.Off, End: b.End}, Combine(a.crc, b.crc, b.Len())}
}
