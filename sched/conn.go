package sched

import (
	"slices"
	"time"
)

type phase int

const (
	idle    phase = iota // has no range; its connection may be used again
	opening              // asked, no answer yet
	reading
	closing // told to, Closed is to come
)

// conn is one connection, or what is to become one. Its range is [start, end), of which [start, off) has come.
type conn struct {
	id, src         int
	phase           phase
	start, off, end int64         // end < 0: not known
	answerEnd       int64         // where the answer, or what was asked for, ends; < 0: with the object
	since           time.Duration // when it asked, when it was answered, or when its last byte came
	setup           time.Duration // how long its answer took
	quiet           int           // what its source's was when it asked
	first           bool          // opened to the end of the object: cut last
	cutting         bool          // a Cut is not answered yet
	uncut           int64         // 1 + off, when a Cut freed nothing: all of the range is claimed until off has moved; 0: none did
	heldUp          bool          // by us, since its last byte
	probe           bool
	hedge           bool          // its bytes are in memory; got does not count them
	kept            bool          // its range is what a hedge has, and is being written
	void            bool          // what it has of its range, and what it will have, is void
	twin            *conn         // of a hedge: whose range it fetches once more, nil if that one has failed; and the other way round
	opened, low     time.Duration // when it was answered; since when it is too slow
	best            float64       // the highest rate it had
	meter           meter
}

func (c *conn) busy() bool { return c.phase == opening || c.phase == reading }

// works says whether c has a range of its own.
func (c *conn) works() bool { return c.busy() && !c.hedge && !c.probe }

// left is how much of its range is to come.
func (c *conn) left() int64 { return max(c.end-c.off, 0) }

func (s *Scheduler) conn(id int) *conn {
	i, ok := slices.BinarySearchFunc(s.conns, id, func(c *conn, id int) int { return c.id - id })
	if !ok {
		return nil
	}
	return s.conns[i]
}

func (s *Scheduler) live() int { return len(s.conns) }

func (s *Scheduler) anyIdle() bool {
	return slices.ContainsFunc(s.conns, func(c *conn) bool { return c.phase == idle })
}

// add makes a new connection to a source; ask opens it.
func (s *Scheduler) add(src int) *conn {
	s.lastID++
	c := &conn{id: s.lastID, src: src, end: -1, answerEnd: -1}
	s.conns = append(s.conns, c)
	s.sources[src].host.live++
	s.sources[src].live++
	return c
}

// ask sends c for r, which is nobody's from now on. a has the kind of request.
func (s *Scheduler) ask(c *conn, r Range, a Action) {
	fresh := c.meter.bytes == 0 && c.setup == 0 || c.answerEnd < 0 || c.answerEnd-c.end > Drain
	if src := s.sources[c.src]; src.asked < s.lastByte && s.another(c.src) {
		s.triesTill = s.now + silence + time.Second
		src.asked = s.now
	}
	c.phase, c.start, c.off, c.end, c.answerEnd = opening, r.Off, r.Off, r.End, r.End
	c.heldUp, c.kept = false, false
	c.since, c.probe, c.hedge, c.quiet = s.now, a.Probe, a.Hedge, s.sources[c.src].quiet
	if c.works() {
		s.gaps.remove(r)
	}
	a.Type, a.Conn, a.Source, a.Off, a.End, a.Fresh = Open, c.id, c.src, r.Off, r.End, fresh
	s.act(a)
}

func (s *Scheduler) opened(c *conn, ev Event) {
	if c.phase != opening {
		return
	}
	src := s.sources[c.src]
	if why := s.wrongAnswer(c, ev); why != None {
		s.setAside(c.src, why)
		s.close(c)
		return
	}
	c.phase, c.since, c.opened, c.low, c.setup = reading, s.now, s.now, 0, ev.Setup
	c.meter.skip(s.now)
	src.answered(ev.Setup, ev.Seekable)
	s.proven(src.host)
	if c.end < 0 && s.size < 0 && ev.Size >= 0 {
		s.size = ev.Size
		s.gaps = nil
		s.gaps.add(Range{0, s.size})
		for _, r := range s.done {
			s.gaps.remove(r)
		}
		s.gaps.remove(Range{c.off, s.size})
	}
	s.begun = true
	src.trusted = src.trusted || !c.probe
	if c.end < 0 && s.size >= 0 {
		c.end = s.size
	}
	c.answerEnd = c.end
	if ev.End >= 0 && (ev.End < c.end || c.end < 0) {
		s.capped(c, ev.End)
	}
}

// capped takes an answer that ends before what was asked for; the rest is anybody's, but for what its twin has of it.
func (s *Scheduler) capped(c *conn, end int64) {
	if c.works() || c.hedge {
		rest := Range{max(end, c.start), c.end}
		if c.twin != nil {
			rest.Off = max(end, c.twin.end)
		}
		s.gaps.add(rest)
	}
	c.start = min(c.start, end) // a hedge may have got a beginning meanwhile that it does not reach
	c.end, c.answerEnd = end, end
}

// wrongAnswer is for what the driver should have refused.
func (s *Scheduler) wrongAnswer(c *conn, ev Event) Class {
	switch {
	case ev.Off != c.off && !ev.Seekable:
		return RangeUnsupported
	case ev.Off != c.off, ev.Size >= 0 && s.size >= 0 && ev.Size != s.size, ev.End >= 0 && ev.End < ev.Off:
		return Changed
	}
	return None
}

func (s *Scheduler) progress(c *conn, ev Event) (plan bool) {
	if c.phase != reading {
		return false
	}
	if ev.Off == c.off { // held up by us
		c.since, s.lastByte, c.heldUp = s.now, s.now, true
		s.sources[c.src].heard = s.now
		c.meter.skip(s.now)
	}
	off := max(ev.Off, c.off)
	if c.end >= 0 {
		off = min(off, c.end)
	}
	s.advance(c, off)
	if ev.EOF && c.end < 0 {
		s.size, c.end, c.answerEnd = off, off, off
	}
	if c.off != c.end {
		was := s.held
		s.held = s.held || c.works() && c.off-c.start >= probeLen
		return s.held != was
	}
	s.ranOut(c)
	return true
}

// advance books the bytes up to off.
func (s *Scheduler) advance(c *conn, off int64) {
	n := off - c.off
	if n <= 0 {
		return
	}
	if c.kept { // which says nothing of the network
		c.off, s.got = off, s.got+n
		return
	}
	c.meter.add(s.now, n)
	c.off, c.since, c.heldUp = off, s.now, false
	src := s.sources[c.src]
	src.fails, src.quiet, src.heard = 0, 0, s.now
	src.host.got += n
	s.lastByte = s.now
	if c.works() {
		s.got += n
	}
}

// ranOut makes c idle: its range is done.
func (s *Scheduler) ranOut(c *conn) {
	switch {
	case c.hedge:
		s.hedgeDone(c)
		return
	case c.probe:
		return // Verified ends it
	}
	s.done.add(Range{c.start, c.off})
	src := s.sources[c.src]
	src.stalls = 0
	src.best = max(src.best, c.meter.rate(slow, s.now))
	s.held = s.held || s.done.len() >= probeLen
	switch h := c.twin; {
	case h == nil:
	case h.end > c.end:
		s.leave(c, h)
	default:
		s.drop(h)
	}
	c.phase, c.cutting, c.first, c.kept, c.uncut = idle, false, false, false, 0
}

// maybeCut reports whether a Cut may free something.
func (c *conn) maybeCut() bool { return !c.cutting && c.uncut != c.off+1 }

func (s *Scheduler) cutDone(c *conn, end int64) {
	if !c.cutting || !c.works() {
		return
	}
	c.cutting = false
	if end = max(end, c.off); end >= c.end {
		c.uncut = c.off + 1
		return
	}
	s.gaps.add(Range{end, c.end})
	c.end = end
}

// detach takes c out: nothing beyond off will come. The rest of its range is anybody's, or its hedge's.
func (s *Scheduler) detach(c *conn, off int64) {
	src := s.sources[c.src]
	src.rate = s.meanRate(c.src)
	src.host.live--
	src.live--
	s.conns = slices.DeleteFunc(s.conns, func(o *conn) bool { return o == c }) // first: who has gone is not to be told anything
	if c.phase != idle && !c.hedge && !c.probe && c.start != c.end {
		s.orphan(c, off)
	}
	s.unhedge(c)
}

func (s *Scheduler) orphan(c *conn, off int64) {
	if c.end < 0 {
		if s.size < 0 {
			s.lostStream(c, off)
			return
		}
		c.end = s.size
	}
	if c.void {
		off = s.refill(c)
	}
	off = min(max(off, c.off), c.end)
	s.got += off - c.off
	c.off = off
	s.done.add(Range{c.start, off})
	if c.twin == nil {
		s.gaps.add(Range{off, c.end})
	}
}

// close tells c to end; it counts, and its range is its own, until Closed.
func (s *Scheduler) close(c *conn) {
	if c.phase == closing {
		return
	}
	if c.phase == idle && !c.hedge {
		c.start, c.off, c.end = 0, 0, 0
	}
	c.phase = closing
	s.act(Action{Type: Close, Conn: c.id})
}
