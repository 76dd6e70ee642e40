package sched

import "time"

// maxDup is how many bytes may be asked for twice, in all: 2 % of the object, at least 1 and at most 8 MiB.
func (s *Scheduler) maxDup() int64 { return min(max(s.size/50, 1<<20), 8<<20) }

// hedgeLast asks once more for the range that would end last, where nothing can be taken from it: if the copy is likely to be there
// two set-ups earlier. It is kept in memory, and wins if it is whole first.
func (s *Scheduler) hedgeLast() {
	if s.cfg.Limited || len(s.gaps) > 0 {
		return
	}
	v, left := s.last(func(c *conn) bool {
		hasRoom := s.cfg.Order != Sequential || c.end <= s.limit() // or the copy could not be kept
		return c.twin == nil && !c.cutting && hasRoom && c.left() > 0 && s.dup+c.left() <= s.maxDup() && s.suspectTo(c.off) < 0
	})
	if v == nil {
		return
	}
	h, src := s.freeHand(v.src)
	if src < 0 {
		return
	}
	d := s.delta(src)
	if left <= d+seconds(float64(v.left())/s.copyRate(v, src, h))+2*d {
		return
	}
	if h == nil {
		h = s.add(src)
	}
	s.dup += v.left()
	h.twin, v.twin = v, h
	s.ask(h, Range{v.off, v.end}, Action{Hedge: true})
}

// copyRate is the rate to expect of a copy of what v has left. Where v is far slower than others of the source were, its own rate tells
// nothing of the copy's, though it may be all that is known of those that are there: what has ended counts then. As the fastest may have
// been a burst, that is for who would still take long.
func (s *Scheduler) copyRate(v *conn, src int, h *conn) float64 {
	rate := s.rateFor(src, h)
	if best := s.sources[src].best; s.rateOf(v) < best/collapse && s.timeLeft(v) > time.Second+2*s.delta(v.src) {
		rate = max(rate, best)
	}
	return rate
}

// freeHand is who could fetch a copy: an idle connection or a slot, with another source than not if there is one, and with one that did not
// fall silent. src < 0: nobody.
func (s *Scheduler) freeHand(not int) (c *conn, src int) {
	src = -1
	better := func(o int) bool {
		return src < 0 || src == not && o != not || o != not && s.sources[o].stalls < s.sources[src].stalls
	}
	for _, o := range s.conns {
		if s.ready(o) && s.sources[o.src].trusted && better(o.src) {
			c, src = o, o.src
		}
	}
	for o, n := range s.slots() {
		if n > 0 && s.sources[o].trusted && better(o) {
			c, src = nil, o
		}
	}
	return c, src
}

// hedgeDone: the copy is whole. Its twin, which is late, is closed; where that one got to, the copy goes on.
func (s *Scheduler) hedgeDone(h *conn) {
	h.phase = idle
	if h.twin == nil {
		s.keep(h)
		return
	}
	s.close(h.twin)
}

// keep lets the hedge h win what is left of its range.
func (s *Scheduler) keep(h *conn) {
	s.act(Action{Type: Keep, Conn: h.id, Off: h.start, End: h.end})
	h.hedge, h.off = false, h.start
	if h.start < h.end {
		h.phase, h.kept, h.since = reading, true, s.now
	}
}

// drop ends a hedge that has lost.
func (s *Scheduler) drop(h *conn) {
	h.twin.twin, h.twin = nil, nil
	h.start, h.end = 0, 0
	h.phase = closing
	s.act(Action{Type: Drop, Conn: h.id})
}

// unhedge takes c, which is gone, out of its pair. A hedge whose twin is gone has the rest of its range to itself.
func (s *Scheduler) unhedge(c *conn) {
	o := c.twin
	switch {
	case o == nil && c.hedge:
		s.gaps.add(Range{c.start, c.end}) // it was the only one left
	case o == nil:
	case c.hedge:
		o.twin, c.twin = nil, nil
		s.gaps.add(Range{o.end, c.end}) // where its twin's answer was capped
	default:
		s.leave(c, o)
	}
}

// leave leaves to the hedge h what c, its twin, has not fetched.
func (s *Scheduler) leave(c, h *conn) {
	h.twin, c.twin = nil, nil
	h.start = min(c.off, h.end)
	s.gaps.add(Range{max(c.off, h.end), c.end}) // where the copy's answer was capped
	if h.phase == idle {
		s.keep(h)
	}
}
