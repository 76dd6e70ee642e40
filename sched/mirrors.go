package sched

import (
	"cmp"
	"slices"
	"time"
)

// source is what is known of one Config.Sources.
type source struct {
	host     *host
	priority int
	live     int           // connections
	aside    Class         // not None: not used any more
	last     Class         // its last failure
	trusted  bool          // its bytes were compared, or are checked as they come, or it was the first to answer
	stream   bool          // knows no ranges: one answer from the beginning is all it can give
	known    bool          // has answered
	tries    int           // that failed before it ever answered
	fails    int           // in a row, without a byte
	gone     int           // times it said that it has nothing, since it last answered
	goneAt   time.Duration // when that was counted last
	stalls   int           // times it fell silent, since it last gave all of a range
	heard    time.Duration // when bytes came from it last, or would have if we had not held them up; below 0: never
	asked    time.Duration // when; below 0: never
	restarts int           // times that all has begun anew with it
	quiet    int           // times a connection was closed for its silence, since anything came
	bad      int           // pieces in a row that were wrong
	until    time.Duration // not asked before
	setup    time.Duration // of a request, smoothed; 0: not known
	latest   time.Duration // of the request that was answered last, as it was
	rate     float64       // of one connection, on average; 0: not known
	best     float64       // the highest with which one has ended a range
}

// answered takes how long an answer took; one alone that took very long was held up, and says nothing about the next.
func (src *source) answered(setup time.Duration, seekable bool) {
	believed := max(slowest, src.latest)
	src.latest = setup
	if setup = min(max(setup, 1), believed); src.setup == 0 {
		src.setup = setup
	}
	src.setup += (setup - src.setup) / 4
	src.known, src.tries, src.gone, src.host.busy = true, 0, 0, 0
	src.stream = src.stream || !seekable
}

// blocked is until when the source may not be asked.
func (src *source) blocked() time.Duration { return max(src.until, src.host.until) }

// usable says whether ranges may be asked of the source, now or later.
func (src *source) usable() bool { return src.aside == None && !src.stream }

func (s *Scheduler) mayAsk(src int) bool {
	return s.sources[src].usable() && s.sources[src].blocked() <= s.now
}

// ready says whether c could be given work.
func (s *Scheduler) ready(c *conn) bool { return c.phase == idle && !c.hedge && s.mayAsk(c.src) }

// mirrors are the sources in use, the preferred first, but behind those that fell silent less often.
func (s *Scheduler) mirrors() []int {
	var in []int
	for i := range s.sources {
		if s.mayAsk(i) {
			in = append(in, i)
		}
	}
	slices.SortStableFunc(in, func(a, b int) int {
		return cmp.Or(s.sources[a].stalls-s.sources[b].stalls, s.sources[a].priority-s.sources[b].priority)
	})
	n := mirrorsAtOnce
	if s.cfg.Connections > 0 {
		n = s.wanted()
	}
	return in[:min(len(in), max(n, 1))]
}

// slots is how many connections may be opened to each source now. Whoever has least for what it gives is served first.
func (s *Scheduler) slots() []int {
	give := make([]int, len(s.sources))
	room := s.room()
	hosts := map[*host]int{}
	for in := s.mirrors(); room > 0; room-- {
		best, score := -1, 0.0
		for _, i := range in {
			src := s.sources[i]
			if src.host.room(s.now) <= hosts[src.host] {
				continue
			}
			if sc := float64(src.live+give[i]+1) / s.weight(i); best < 0 || sc < score {
				best, score = i, sc
			}
		}
		if best < 0 {
			break
		}
		give[best]++
		hosts[s.sources[best].host]++
	}
	return give
}

// weight is how a source's connections compare with the best source's: 1/4 to 1, 1 while not known; and less each time that it fell silent.
func (s *Scheduler) weight(src int) float64 {
	return s.goodput(src) / float64(1+3*s.sources[src].stalls)
}

// goodput is the weight of one that does not fall silent.
func (s *Scheduler) goodput(src int) float64 {
	best := 0.0
	for _, o := range s.sources {
		if o.aside == None {
			best = max(best, o.rate)
		}
	}
	if r := s.sources[src].rate; r > 0 && best > 0 {
		return min(max(r/best, 0.25), 1)
	}
	return 1
}

// openOne opens the next connection: for work, or to compare a mirror first. It is false where none may be opened, there is
// nothing to do, or not enough there to compare with.
func (s *Scheduler) openOne() bool {
	g, work := s.gap(-1, nil)
	slots := s.slots()
	for _, i := range s.mirrors() {
		switch {
		case slots[i] <= 0:
		case s.sources[i].trusted && work:
			s.claim(s.add(i), g)
			return true
		case !s.sources[i].trusted && s.held && !s.probing(i):
			s.ask(s.add(i), s.overlap(), Action{Probe: true})
			return true
		}
	}
	return false
}

func (s *Scheduler) probing(src int) bool {
	return slices.ContainsFunc(s.conns, func(c *conn) bool { return c.src == src && c.probe && c.phase != idle })
}

// overlap is a stretch of what is there, to compare a mirror by: anywhere, so that equal beginnings do not deceive.
func (s *Scheduler) overlap() Range {
	best := s.longest()
	n := min(probeLen, best.Len())
	off := best.Off + int64(s.cfg.Rand()*float64(best.Len()-n))
	return Range{off, off + n}
}

// longest is the longest stretch that is there, and stays.
func (s *Scheduler) longest() Range {
	from, best := int64(0), Range{}
	if s.cfg.Kept > 0 { // up to the frontier all is there, whatever was told of it
		from = max(s.frontier-s.cfg.Kept, 0)
		best = Range{from, s.frontier}
	}
	take := func(r Range) {
		if r.Off = max(r.Off, from); r.Len() > best.Len() {
			best = r
		}
	}
	for _, r := range s.done {
		take(r)
	}
	for _, c := range s.conns {
		if c.works() {
			take(Range{c.start, c.off})
		}
	}
	return best
}

// verified takes the outcome of a comparison, or of a piece's check.
func (s *Scheduler) verified(c *conn, ev Event) {
	if ev.Conn == 0 {
		s.pieceChecked(ev)
		return
	}
	if c == nil || !c.probe || !c.busy() {
		return
	}
	c.phase, c.off = idle, c.end
	if ev.OK {
		s.sources[c.src].trusted = true
		return
	}
	s.setAside(c.src, Corrupt)
}

// another says whether there is a source that could do src's work.
func (s *Scheduler) another(src int) bool {
	for i, o := range s.sources {
		if i != src && o.usable() {
			return true
		}
	}
	return false
}

func (s *Scheduler) setAside(src int, why Class) {
	o := s.sources[src]
	if o.aside != None {
		return
	}
	o.aside, o.last, s.why = why, why, why
	s.act(Action{Type: SetAside, Source: src, Class: why})
	for _, c := range s.conns {
		if c.src == src {
			s.close(c)
		}
	}
}

// disproved sets a source aside whose bytes are not the object's, and frees what it gave. It may be none any more: who gave some of Done.
func (s *Scheduler) disproved(ev Event) {
	for _, c := range s.conns {
		if c.src == ev.Source && c.phase != idle && !c.hedge && !c.probe {
			s.got -= c.off - c.start
			c.off, c.void = c.start, true
		}
	}
	for _, r := range ev.Ranges {
		s.free(r)
	}
	s.lastByte = s.now
	if ev.Source >= 0 && ev.Source < len(s.sources) {
		s.setAside(ev.Source, Corrupt)
	}
	s.held = s.longest().Len() >= probeLen
}

// refill frees what c, which is void, has of its range and its hedge has not, and returns where the rest begins.
func (s *Scheduler) refill(c *conn) int64 {
	if t := c.twin; t != nil {
		s.gaps.add(Range{c.start, t.start})
		c.start, c.off = t.start, t.start
	}
	return c.off
}
