package journal

import (
	"cmp"

	"spate/format/span"
)

// A State is what a journal says.
type State struct {
	Header Header
	Ranges []Range // in order, no two overlap; from a reader, neighbours within a piece are one
	Given  []Given // in order, no two overlap; bytes of Ranges that are in none are of nobody who is known, but see [State.GivenBy]
	Places []Place // in the order of their notes; of many, older ones are left out
	Torn   bool    // of one that was read: its end was damaged, and what stood there is not in Ranges
}

// A Range is bytes of the file that were written.
type Range struct {
	span.Span
	CRC     uint32 // their CRC32C
	Durable bool   // a sync has confirmed it; else it counts only where the file, read again, matches
}

// A Place says where bytes of the file come from, for a file that is written in order from several resources: those from
// At on are those of URL from Off on.
type Place struct {
	At        int64  // in the file
	Part      int64  // which of a manifest's, counted as the one who notes it likes
	Off       int64  // in that part
	URL       string // redacted when written
	Validator string // of that resource
	Manifest  string // that lists the part, redacted when written; "" for what no manifest lists
	Line      int64  // of the part there
}

// Covered is the set of all bytes of s.Ranges.
func (s *State) Covered() *span.Set {
	var set span.Set
	for _, r := range s.Ranges {
		set.Add(r.Span)
	}
	return &set
}

// PlaceOf is the last place that was noted for off or before it: from there on the file can be gone through again. It
// need not be the place of off itself, as not all are kept. Without one it is false.
func (s *State) PlaceOf(off int64) (Place, bool) {
	for i := len(s.Places) - 1; i >= 0; i-- {
		if s.Places[i].At <= off {
			return s.Places[i], true
		}
	}
	return Place{}, false
}

func byOffset(a, b Range) int { return cmp.Compare(a.Off, b.Off) }
