package journal

import (
	"cmp"
	"slices"

	"spate/format/span"
)

// A Given says which of the header's Origins has given bytes of the file; -1: that is not known.
type Given struct {
	span.Span
	Origin int
}

// GivenBy are the bytes of s.Ranges that came from an origin, by its number in the header, as far as that is known. Of one origin alone
// that is all.
func (s *State) GivenBy(origin int) *span.Set {
	covered, set := s.Covered(), &span.Set{}
	if origin == 0 && len(s.Header.Origins) == 1 {
		set = covered.Clone()
	}
	for _, g := range s.Given {
		if g.Origin == origin {
			set.Add(g.Span)
		} else {
			set.Remove(g.Span)
		}
	}
	keep(set, covered)
	return set
}

// keep takes out of set what is not of covered.
func keep(set, covered *span.Set) {
	for gap := range covered.Gaps(set.Bounds()) {
		set.Remove(gap)
	}
}

// givers are who has given what. What is of none of them is not known; of bytes that are not there it says nothing.
type givers map[int]*span.Set

// add says that x is of origin, whoever gave before what was there.
func (g givers) add(x span.Span, origin int) {
	for _, set := range g {
		set.Remove(x)
	}
	set := g[origin]
	if set == nil {
		set = &span.Set{}
		g[origin] = set
	}
	set.Add(x)
}

// has reports whether anything is known of x.
func (g givers) has(x span.Span) bool {
	for _, set := range g {
		if set.Overlaps(x) {
			return true
		}
	}
	return false
}

// count is how many spans there are.
func (g givers) count() (n int) {
	for _, set := range g {
		n += set.Len()
	}
	return n
}

// lines is how many a journal has at least that says what l says.
func (l *ledger) lines() int { return l.count() + len(l.places) + l.givers.count() }

// mayGive reports whether an origin may be said to give; -1 is none.
func (l *ledger) mayGive(origin int) bool { return origin >= -1 && origin < l.origins }

// tells reports whether it has to be said that x is of origin.
func (l *ledger) tells(x span.Span, origin int) bool {
	switch {
	case l.origins == 1:
		return origin != 0 || l.givers.has(x)
	case origin < 0:
		return l.givers.has(x)
	}
	return true
}

// give notes that x is of origin. Where that makes more spans than there may be ranges, all of it is forgotten: nothing is known then.
func (l *ledger) give(x span.Span, origin int) {
	if l.givers.add(x, origin); l.givers.count() <= l.limit {
		return
	}
	clear(l.givers)
	if l.origins == 1 {
		l.givers.add(l.covered().Bounds(), -1)
	}
}

func (l *ledger) covered() *span.Set {
	var set span.Set
	for _, rs := range l.states() {
		for _, r := range *rs {
			set.Add(r.Span)
		}
	}
	return &set
}

// given is what is known of the bytes that are there, in order.
func (l *ledger) given() []Given {
	if len(l.givers) == 0 {
		return nil
	}
	var all []Given
	covered := l.covered()
	for origin, set := range l.givers {
		set := set.Clone()
		keep(set, covered)
		for x := range set.All() {
			all = append(all, Given{x, origin})
		}
	}
	slices.SortFunc(all, func(a, b Given) int { return cmp.Compare(a.Off, b.Off) })
	return all
}
