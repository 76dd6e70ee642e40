package sched

import (
	"slices"
	"time"
)

const (
	claimTime   = 4 * time.Second // of work at its own rate is what a connection is given
	endTime     = 6 * time.Second // what ends sooner is given out whole, so that all end together
	assumedRate = 2 << 20         // of a connection of which nothing is known
	minClaim    = 64 << 10
	heldFor     = time.Second / 2 // is how long it counts that a connection is held up: that is told more often
)

// waits says whether c is held up by us: its rate is not its own, and what it has would not come sooner from elsewhere.
func (s *Scheduler) waits(c *conn) bool {
	return c.heldUp && c.phase == reading && s.now-c.since < heldFor
}

// assign gives ranges to the idle, opens what may be opened, and where no range is free takes from those who would end last.
func (s *Scheduler) assign() {
	if s.live() == 0 && !s.held { // so little is there that a mirror is compared by all of it, or by nothing
		s.begun, s.held = s.begun && s.got > 0, s.got > 0
	}
	if !s.begun {
		s.begin()
		return
	}
	if s.size < 0 || s.restarted() {
		return
	}
	for _, c := range s.conns {
		if g, ok := s.gap(c.off, c); ok && s.ready(c) {
			s.claim(c, g)
		}
	}
	for s.openOne() {
	}
	s.help()
}

// claim gives c of the free range g.
func (s *Scheduler) claim(c *conn, g Range) {
	s.ask(c, Range{g.Off, g.Off + s.claimLen(c.src, c, g)}, Action{})
}

// gap is the free range to take from, for c or, where that is nil, a new connection: the one that goes on at off if it is not far,
// else the first.
func (s *Scheduler) gap(off int64, c *conn) (Range, bool) {
	first := s.gaps.at(off)
	if s.suspectTo(off) < 0 || first == len(s.gaps) || s.gaps[first].Off != off {
		first = slices.IndexFunc(s.gaps, func(g Range) bool { return !s.reserved(g.Off, c) })
	}
	if first < 0 {
		return Range{}, false
	}
	g := s.gaps[first]
	if early := s.early(); early.Off < early.End && s.suspectTo(early.Off) < 0 {
		return early, true
	}
	limit := s.limit()
	near := limit // with a window, what is first in it holds it up
	if s.cfg.Window > 0 {
		near = s.frontier + (limit-s.frontier)/2
	}
	if i := s.gaps.at(off); s.cfg.Order != Sequential && i < len(s.gaps) && s.gaps[i].Off == off && off < near && !s.reserved(off, c) {
		g = s.gaps[i]
	}
	if s.cfg.Order == Sequential && g.End > limit {
		g.End = limit
		if g.Len() < min(s.cfg.MinRange, s.cfg.Window/2) {
			return Range{}, false // a sliver: wait until there is more
		}
	}
	return g, g.Off < limit
}

// early is what HeadTail wants first: the last MiB, while nobody has it.
func (s *Scheduler) early() Range {
	from := max(s.size-tailEarly, 0)
	if s.cfg.Order != HeadTail || s.gaps[len(s.gaps)-1].End != s.size {
		return Range{}
	}
	return Range{max(from, s.gaps[len(s.gaps)-1].Off), s.size}
}

// limit is the offset before which claims begin.
func (s *Scheduler) limit() int64 {
	switch {
	case s.cfg.Window <= 0:
		return s.size
	case s.cfg.Order == Sequential:
		return min(s.size, s.frontier+s.cfg.Window)
	}
	ahead := max(s.cfg.Window, int64(claimTime.Seconds()*s.capacity()))
	return min(s.size, s.frontier+ahead)
}

// opens says whether the frontier has moved so far since this was true last that the window may give work to somebody.
func (s *Scheduler) opens() bool {
	if s.cfg.Window <= 0 || s.frontier-s.looked < min(s.cfg.MinRange, s.cfg.Window/16) && s.frontier < s.size {
		return false
	}
	s.looked = s.frontier
	return true
}

// claimLen is how much of g a connection to src is given: claimTime of work, or near the end its share, so that all end together.
func (s *Scheduler) claimLen(src int, c *conn, g Range) int64 {
	n := s.fair(src, c)
	if last := s.gaps[len(s.gaps)-1]; g.End < last.Off && last.Off >= s.limit() {
		n = min(n, g.Len()/int64(max(s.helpers()-s.working(), 1))) // a hole in the window, which waits for it: all together
	}
	// No shorter than what its request takes, or what remains at the very end comes in crumbs.
	n = max(n, minClaim, int64(s.rateFor(src, c)*max(s.delta(src), 20*time.Millisecond).Seconds()))
	if end := s.suspectTo(g.Off); end > g.Off { // one alone is to answer for it
		return min(end-g.Off, g.Len())
	}
	if g.Len()-n < max(minClaim, n/8) {
		return g.Len()
	}
	return s.toPiece(g.Off, n)
}

// fair is how many bytes are a connection's share from now on.
func (s *Scheduler) fair(src int, c *conn) int64 {
	n := s.share(src, c)
	switch {
	case s.cfg.Order == Sequential:
		n = min(n, max(s.cfg.MinRange, s.cfg.Window/int64(s.helpers()+1)))
	case s.cfg.Window > 0 && slices.ContainsFunc(s.conns, s.waits): // near the frontier: others go on where this one ends
		n = min(n, max(s.cfg.MinRange, s.cfg.Window/4))
	}
	return n
}

func (s *Scheduler) share(src int, c *conn) int64 {
	rate, end := s.rateFor(src, c), s.finishTime(s.size-s.got)
	if c != nil && c.busy() { // who should have given something by now keeps less and less
		rate = s.rateOf(c)
	}
	if end <= endTime {
		wait := s.setup(src)
		if c != nil && c.phase == reading {
			wait = 0
		}
		return int64(rate * (end - wait).Seconds())
	}
	n := rate * claimTime.Seconds()
	if c != nil && c.first {
		n *= 2 // what it is cut off from costs its connection
	}
	return max(int64(n), s.cfg.MinRange)
}

// toPiece moves the end of a claim to where a piece ends, if that is near.
func (s *Scheduler) toPiece(off, n int64) int64 {
	p := s.cfg.PieceSize
	if p <= 0 || n < 4*p {
		return n
	}
	return (off+n)/p*p - off
}

// help looks for work for those who found none: from the connection that would end last, or the last range once more.
func (s *Scheduler) help() {
	n := s.helpers() - s.working()
	if n <= 0 || s.cutPending() {
		return
	}
	if len(s.gaps) > 0 && s.gaps[0].Off < s.limit() && s.cfg.Order != Sequential {
		return // there is work, but nobody may ask for it now
	}
	if !s.steal() {
		s.hedgeLast()
	}
}

// unblock takes the range of who waits for the window while what would move it is nobody's: because it was wrong, or because its
// host lets nobody else ask.
func (s *Scheduler) unblock() {
	if s.cfg.Order != Sequential || len(s.gaps) == 0 || s.gaps[0].Off >= s.limit() {
		return
	}
	for _, c := range s.conns {
		src := s.sources[c.src]
		mayServe := s.mayAsk(c.src) || src.stream && src.aside == None
		if c.works() && c.phase == reading && c.off >= s.limit() && c.end >= 0 && c.maybeCut() && mayServe {
			s.cut(c, 0)
			return
		}
	}
}
