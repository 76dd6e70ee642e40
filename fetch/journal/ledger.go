package journal

import (
	"math"
	"slices"

	"spate/format/span"
)

// MaxRanges is how many ranges a journal keeps apart at most. Before there are more, neighbours are combined beyond the
// pieces that they lie in: a terabyte in pieces of 1 MiB is kept by 16 MiB or more.
const MaxRanges = 1 << 16

// maxPlaces is how many places are kept at most; every other one of the older half goes before there are more.
const maxPlaces = 256

// A ledger is what a journal says: the same whether it was just told, or read from the records. Each byte is in one of
// three states, and goes from fresh to syncing to durable.
type ledger struct {
	size  int64 // of the file; below 0: not known
	grain int64 // see runs; it only grows
	limit int   // of runs, all states together

	durable runs // confirmed by a sync
	syncing runs // added before the sync began that is under way
	fresh   runs // added since
	places  []Place

	origins int // of the header
	givers  givers
}

func newLedger(h *Header) *ledger {
	return &ledger{size: h.Size, grain: h.pieceSize(), limit: MaxRanges, origins: len(h.Origins), givers: givers{}}
}

func (l *ledger) states() [3]*runs { return [3]*runs{&l.durable, &l.syncing, &l.fresh} }

func (l *ledger) count() int { return len(l.durable) + len(l.syncing) + len(l.fresh) }

// check reports why x cannot be added. It makes room if need be.
func (l *ledger) check(x span.Span) error {
	if x.Off < 0 || x.Empty() || l.size >= 0 && x.End > l.size {
		return errRange
	}
	for _, rs := range l.states() {
		if i, j := rs.overlapping(x); i < j {
			return ErrOverlap
		}
	}
	for l.count() >= l.limit && l.grain <= math.MaxInt64/2 {
		l.coarsen()
	}
	if l.count() >= l.limit {
		return ErrTooMany
	}
	return nil
}

// coarsen doubles the grain until half of the runs are gone, so that it is not done again for each that is added.
func (l *ledger) coarsen() {
	for l.count() > l.limit/2 && l.grain <= math.MaxInt64/2 {
		l.grain *= 2
		for _, rs := range l.states() {
			*rs = rs.fold(l.grain)
		}
	}
}

// add takes what check has passed.
func (l *ledger) add(x run) { l.fresh = l.fresh.insert(x, l.grain) }

// begin is the beginning of a sync: what is fresh is what it will confirm.
func (l *ledger) begin() {
	l.syncing, l.fresh = l.syncing.merge(l.fresh, l.grain), nil
}

// confirm is the end of a sync.
func (l *ledger) confirm() {
	l.durable, l.syncing = l.durable.merge(l.syncing, l.grain), nil
}

// touched is the set of the bytes of every run that has a byte of x.
func (l *ledger) touched(x span.Span) *span.Set {
	var set span.Set
	for _, rs := range l.states() {
		i, j := rs.overlapping(x)
		for _, r := range (*rs)[i:j] {
			set.Add(r.Span)
		}
	}
	return &set
}

// forget takes out every run that has a byte of x, whole.
func (l *ledger) forget(x span.Span) {
	for _, rs := range l.states() {
		i, j := rs.overlapping(x)
		*rs = slices.Delete(*rs, i, j)
	}
}

func (l *ledger) note(p Place) {
	if len(l.places) >= maxPlaces {
		half := l.places[:maxPlaces/2]
		thinned := make([]Place, 0, maxPlaces)
		for i := 0; i < len(half); i += 2 {
			thinned = append(thinned, half[i])
		}
		l.places = append(thinned, l.places[maxPlaces/2:]...)
	}
	l.places = append(l.places, p)
}

// ranges are those of all states, in order.
func (l *ledger) ranges() []Range {
	all := make([]Range, 0, l.count())
	for i, rs := range l.states() {
		for _, r := range *rs {
			all = append(all, Range{Span: r.Span, CRC: r.crc, Durable: i == 0})
		}
	}
	slices.SortFunc(all, byOffset)
	return all
}
