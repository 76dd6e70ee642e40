package fetch

import (
	"bytes"
	"slices"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/redact"
	"spate/source"
)

// What an earlier download has left is of whom its journal says. A giver of it that is no mirror any more has a number as well, behind
// those of the mirrors.

// adopt takes over who gave what was left. Where the preferred mirror is not of those that it was begun with, nobody is known: it may have
// another object, and that is no fault of the others. d is nobody else's yet.
func (d *driver) adopt() {
	left := d.opts.Left
	if left == nil || d.opts.Pieces != nil || d.opts.Refreshed {
		return
	}
	h := &left.left.Header
	if h.Number(d.mirrors[preferred(d.mirrors)].URL) < 0 {
		return
	}
	of := make(map[int]int) // the mirrors that origins of the header are
	for i := range d.mirrors {
		if n := h.Number(d.mirrors[i].URL); n >= 0 {
			of[n] = i
		}
	}
	for n, o := range h.Origins {
		gave := left.left.GivenBy(n)
		if gave.Len() == 0 {
			continue
		}
		giver, isMirror := of[n]
		if !isMirror {
			giver = len(d.givers)
			d.givers, d.disproved, d.former = append(d.givers, span.Set{}), append(d.disproved, false), append(d.former, o.URL)
		}
		for x := range gave.All() {
			d.givers.add(x, giver)
		}
	}
	d.isOfFirst = d.givers[preferred(d.mirrors)].Len() > 0
}

// preferred is the first mirror of the best priority.
func preferred(mirrors []Mirror) int {
	best := 0
	for i, m := range mirrors {
		if m.Priority < mirrors[best].Priority {
			best = i
		}
	}
	return best
}

// urlOf is that of a giver.
func (d *driver) urlOf(giver int) string {
	if giver < len(d.mirrors) {
		return d.mirrors[giver].URL
	}
	return d.former[giver-len(d.mirrors)]
}

// numbers are those that the givers have in a journal's header.
func (d *driver) numbers(h *journal.Header) []int {
	of := make([]int, len(d.givers))
	for i := range of {
		of[i] = h.Number(d.urlOf(i))
	}
	return of
}

// givenAs is what is known of who gave what, for a journal whose header has givers by these numbers.
func (d *driver) givenAs(of []int) (all []journal.Given) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, n := range of {
		if n < 0 {
			continue
		}
		for x := range d.givers[i].All() {
			all = append(all, journal.Given{Span: x, Origin: n})
		}
	}
	return all
}

// meetBegun compares what a source has at off with what was there. Where it is the preferred mirror, others are taken for wrong that gave
// something else: it is the measure of all, as long as it has what it gave itself.
func (d *driver) meetBegun(src int, off int64, there, now []byte) (wrong []int, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.stays(d.givers.parts(span.Span{Off: off, End: off + int64(len(now))})) {
		if bytes.Equal(there[p.Off-off:p.End-off], now[p.Off-off:p.End-off]) {
			continue
		}
		switch {
		case p.giver == several, p.giver == src:
			return nil, d.notBegun(src, "it is not what was begun: the bytes differ")
		case d.isPreferred(src), p.giver != preferred(d.mirrors):
			wrong = append(wrong, p.giver)
		}
		if !d.isPreferred(src) {
			err = d.differs(src)
		}
	}
	return wrong, err
}

// stays is what of parts was not taken back. d.mu is held.
func (d *driver) stays(parts []given) (left []given) {
	for _, p := range parts {
		if p.giver != several {
			left = append(left, p)
			continue
		}
		for gap := range d.takenBack.Gaps(p.Span) {
			left = append(left, given{gap, several})
		}
	}
	return left
}

// ownOf is some of what a source gave itself of what was there.
func (d *driver) ownOf(src int) (own []journal.Range) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for x := range d.givers[src].All() {
		for off := x.Off; off < x.End; off += compareLen {
			own = append(own, journal.Range{Span: span.Span{Off: off, End: min(off+compareLen, x.End)}})
		}
	}
	return own
}

// disown takes back what givers gave that are wrong.
func (d *driver) disown(wrong []int) {
	slices.Sort(wrong)
	for _, giver := range slices.Compact(wrong) {
		d.disprove(giver, d.differs(giver))
	}
}

// tellFormer says that what somebody gave who is no mirror any more is not used. d.mu is held.
func (d *driver) tellFormer(giver int, err error) {
	d.tellLater(event.Event{Type: event.Aside, URL: redact.URL(d.urlOf(giver)), Kind: source.KindOf(err).String(), Error: err.Error()})
}

// remaining are the ranges of what was left that are there still, of those that were taken back in part what is left.
func (f *File) remaining(written *span.Set) (all []journal.Range, err error) {
	for _, r := range f.left.Ranges {
		if written.Covers(r.Span) {
			all = append(all, r)
			continue
		}
		its := span.Of(r.Span)
		for gap := range written.Gaps(r.Span) {
			its.Remove(gap)
		}
		for x := range its.All() {
			parts, err := f.ranges(x)
			if err != nil {
				return nil, err
			}
			all = append(all, parts...)
		}
	}
	return all, nil
}

// ranges are the bytes of x, which are in the file, as a journal has them.
func (f *File) ranges(x span.Span) (all []journal.Range, err error) {
	for off := x.Off; off < x.End; {
		b := make([]byte, min(pieceSize-off%pieceSize, x.End-off))
		if _, err := f.ReadAt(b, off); err != nil {
			return nil, err
		}
		end := off + int64(len(b))
		all = append(all, journal.Range{Span: span.Span{Off: off, End: end}, CRC: journal.Checksum(b)})
		off = end
	}
	return all, nil
}
