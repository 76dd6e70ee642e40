package sched

import (
	"slices"
	"time"
)

const (
	silence     = 3 * time.Second
	collapse    = 4                      // times slower than its peers
	ownCollapse = 20                     // times slower than it was
	collapseFor = 300 * time.Millisecond // among peers
	ownFor      = 3 * time.Second
)

// watch replaces connections that are silent or have collapsed: what they have left goes to others, another source first.
func (s *Scheduler) watch() {
	for _, c := range s.conns {
		if !c.busy() {
			continue
		}
		switch {
		case c.isCompared():
			s.lastByte = s.now
		case s.now-c.since >= s.patience(c):
			s.stalled(c)
		case c.phase == reading && s.collapsed(c):
			s.close(c)
		case s.long(c):
			s.cut(c, max(int64(s.rateOf(c)*claimTime.Seconds()), s.cfg.MinRange))
		}
	}
	s.paused()
}

// isCompared says whether c is a probe that has given all: what it waits for is not its own, and no silence of its source.
func (c *conn) isCompared() bool { return c.probe && c.phase == reading && c.off == c.end }

// long says whether c was given far more than it can do in claimTime, which was not known then: so that it does not hold up what is
// behind it, and its place can be given to a better source.
func (s *Scheduler) long(c *conn) bool {
	return c.works() && c.phase == reading && !c.first && c.maybeCut() && c.twin == nil && c.meter.known() && c.left() > 2*s.cfg.MinRange &&
		s.now-c.opened > time.Second && s.timeLeft(c) > 3*claimTime && s.helpers() > 1 && s.finishTime(s.size-s.got) > endTime
}

// patience is how long c may be silent: not long if something else gets on or could be tried; twice as long each time that its source
// has given nothing. Before there is any answer, the third time is as long as where a source is alone: all may be slow to answer.
func (s *Scheduler) patience(c *conn) time.Duration {
	src := s.sources[c.src]
	short := min(max(silence, 5*src.setup)<<min(c.quiet, 4), s.cfg.ReadTimeout)
	if s.begun && s.cfg.RetryMax > 0 { // or the others would not be asked again in time
		short = min(short, max(silence, s.cfg.RetryMax/4))
	}
	for i := range s.sources {
		if s.gives(i) {
			return short
		}
	}
	if s.begun && s.another(c.src) || !s.begun && c.quiet < shortTries && s.mayAskAnother(c.src) {
		return short
	}
	return s.cfg.ReadTimeout
}

// gives says whether bytes come from a source. That it answers is not enough: who is silent may answer whoever asks.
func (s *Scheduler) gives(src int) bool {
	o := s.sources[src]
	return s.now-o.heard < max(silence/2, 2*o.setup)
}

// mayAskAnother says whether another source than src may be asked now.
func (s *Scheduler) mayAskAnother(src int) bool {
	for i := range s.sources {
		if i != src && s.mayAsk(i) {
			return true
		}
	}
	return false
}

// stalled closes c. If nothing else comes from its source it has to prove itself again before it gets work.
func (s *Scheduler) stalled(c *conn) {
	src := s.sources[c.src]
	src.last, s.why = Timeout, Timeout
	src.quiet = max(src.quiet, c.quiet+1)
	s.close(c)
	if s.gives(c.src) {
		return
	}
	if !src.known && s.now-c.since >= s.cfg.ReadTimeout { // otherwise it was not tried, but had to stand back
		s.postpone(c.src, 0)
	}
	s.distrust(c.src)
}

// distrust leaves a source alone for a while that has fallen silent, where there is another, and gives up what else was asked of it; then
// it is compared anew.
func (s *Scheduler) distrust(src int) {
	o := s.sources[src]
	if !s.begun || !s.another(src) || o.until > s.now { // it is one of several that fell silent together
		return
	}
	o.stalls++
	o.trusted = s.checks()
	o.until = s.now + s.backoff(o.stalls+4)
	for _, c := range s.conns {
		if c.src == src && c.busy() && !c.kept && !c.isCompared() {
			s.close(c)
		}
	}
}

// collapsed says whether c has been far slower than its peers at the source for a while, or than itself for longer, and has
// enough left for that to matter.
func (s *Scheduler) collapsed(c *conn) bool {
	if !c.meter.known() || s.now-c.opened < time.Second || s.now-c.since > time.Second/2 { // that one is silent
		return false
	}
	rate := c.meter.rate(fast, s.now)
	c.best = max(c.best, c.meter.rate(slow, s.now))
	bar, wait := c.best/ownCollapse, ownFor
	if peers := s.peers(c); len(peers) >= 2 {
		bar, wait = peers[len(peers)/2]/collapse, collapseFor
	} else if s.cfg.Limited {
		return false
	}
	if rate >= bar {
		c.low = 0
		return false
	}
	if c.low == 0 {
		c.low = s.now
	}
	return s.now-c.low >= wait && s.timeLeft(c) > time.Second+2*s.delta(c.src)
}

// peers are the rates of the other connections to c's source, in order.
func (s *Scheduler) peers(c *conn) (rates []float64) {
	for _, o := range s.conns {
		if o != c && o.src == c.src && o.phase == reading && o.meter.known() {
			rates = append(rates, o.meter.rate(fast, s.now))
		}
	}
	slices.Sort(rates)
	return rates
}

// paused: where only the window holds us up, nobody is waited for.
func (s *Scheduler) paused() {
	if s.cfg.Window <= 0 || s.working() > 0 || len(s.gaps) == 0 || !s.begun {
		return
	}
	if _, ok := s.gap(-1, nil); !ok {
		s.lastByte = s.now
	}
}
