package sched

import "slices"

const (
	maxBad      = 16       // times that a piece may be wrong
	maxBadAlone = 3        // times that it may be, or pieces in a row may be, where nobody else could give it
	checkMax    = retryMax // is how long the check of one piece may take
)

// checks says whether pieces are checked as they come: then no mirror needs to be compared, and what is not checked is not there.
func (s *Scheduler) checks() bool { return s.cfg.PieceSize > 0 }

// pieceChecked takes the outcome of a piece's check.
func (s *Scheduler) pieceChecked(ev Event) {
	r := Range{max(ev.Off, 0), min(ev.End, s.size)}
	if !s.checks() || s.voided || r.Len() <= 0 {
		return // nobody asked, or it is of what is void by now
	}
	s.lastByte = s.now
	if !ev.OK {
		s.badPiece(r, ev.Source)
		return
	}
	s.checked.add(r)
	delete(s.bad, r.Off)
	if ev.Source >= 0 && ev.Source < len(s.sources) {
		s.sources[ev.Source].bad = 0
	}
}

// badPiece has a piece fetched again, and lets its giver go if there is another. The only one may give it, and others in a row,
// wrong a few times, and so may several of whom nobody can be blamed. Whenever somebody can, the others begin to count anew: that is as
// often as there are sources.
func (s *Scheduler) badPiece(r Range, giver int) {
	s.takeBack(r)
	s.bad[r.Off]++
	if giver >= 0 && giver < len(s.sources) {
		src := s.sources[giver]
		src.bad++
		src.last, s.why = Corrupt, Corrupt
		if s.another(giver) || max(src.bad, s.bad[r.Off]) >= maxBadAlone {
			s.setAside(giver, Corrupt)
			s.bad[r.Off] = 1 // who is left has all the tries
			return
		}
	}
	if s.bad[r.Off] >= maxBad {
		for i := range s.sources {
			s.setAside(i, Corrupt)
		}
	}
}

// takeBack makes r free, all of which was written: also where the last Progress of who wrote it is still to come.
func (s *Scheduler) takeBack(r Range) {
	for _, c := range s.conns {
		if (c.phase == reading || c.phase == closing) && !c.hedge && !c.probe && c.start < r.End && c.end > r.Off {
			s.book(c, min(r.End, c.end))
		}
	}
	s.checked.remove(r)
	s.free(r)
}

// free takes back that r is there, as far as no living connection has it.
func (s *Scheduler) free(r Range) {
	for _, have := range s.done.within(r) {
		s.done.remove(have)
		s.gaps.add(have)
		s.got -= have.Len()
	}
}

// book makes what c has of its range up to off, or beyond, done.
func (s *Scheduler) book(c *conn, off int64) {
	n := max(off-c.off, 0)
	if c.works() {
		s.advance(c, c.off+n)
	} else {
		s.got += n
		c.off += n
	}
	s.done.add(Range{c.start, c.off})
	c.start = c.off
}

// suspectTo is where the piece at off ends if it was wrong before; below 0 if it was not.
func (s *Scheduler) suspectTo(off int64) int64 {
	if len(s.bad) == 0 || off < 0 {
		return -1
	}
	at := off / s.cfg.PieceSize * s.cfg.PieceSize
	if s.bad[at] == 0 {
		return -1
	}
	return min(at+s.cfg.PieceSize, s.size)
}

// reserved says whether what is free at off, in the middle of a piece that was wrong before, is for another connection than c: for
// one that has what is before it, and can go on.
func (s *Scheduler) reserved(off int64, c *conn) bool {
	if s.suspectTo(off) < 0 || off%s.cfg.PieceSize == 0 {
		return false
	}
	return slices.ContainsFunc(s.conns, func(o *conn) bool {
		return o != c && (o.works() && o.end == off || s.ready(o) && o.off == off)
	})
}
