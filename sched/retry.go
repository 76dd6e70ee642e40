package sched

import (
	"slices"
	"time"
)

const (
	firstTries  = 3  // of a source that has never answered
	shortTries  = 2  // before those, as long as another source can be asked meanwhile
	maxRestarts = 10 // of an object from its beginning, with one source
	backoffMin  = 200 * time.Millisecond
	backoffMax  = 30 * time.Second
	crumb       = 16 << 10 // bytes; a connection that brings fewer has brought next to nothing
)

// begin asks for the object: by one request to its end, or where some of it is there, for the first gap.
func (s *Scheduler) begin() {
	if s.live() > 0 {
		return
	}
	best := -1
	for i, src := range s.sources {
		if src.aside == None && src.blocked() <= s.now && (best < 0 || s.less(src, s.sources[best])) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	switch src := s.sources[best]; {
	case s.got > 0 && src.stream, // it is the best, so nobody knows ranges
		s.got > 0 && s.size < 0 && !src.trusted: // it could not be compared: it has to give the whole
		s.void()
	}
	switch {
	case s.size < 0 && s.got > 0:
		s.ask(s.add(best), Range{s.got, -1}, Action{})
	case s.got > 0: // whatever the window: the frontier passes what is there
		c := s.add(best)
		s.ask(c, s.gaps[0], Action{})
		c.first = true
	default:
		s.openWhole(best)
	}
}

// less says whether a is to be asked before b.
func (s *Scheduler) less(a, b *source) bool {
	if s.got > 0 && a.stream != b.stream {
		return b.stream
	}
	if a.tries+a.quiet != b.tries+b.quiet {
		return a.tries+a.quiet < b.tries+b.quiet
	}
	return a.priority < b.priority
}

// openWhole is the request without a HEAD before it: its answer tells the size, and is the first connection.
func (s *Scheduler) openWhole(src int) {
	c := s.add(src)
	s.ask(c, Range{0, -1}, Action{Restart: s.voided, Plain: s.sources[src].stream})
	s.voided = false
	c.first = true
	s.gaps = nil
}

// restarted begins anew where only sources are left that know no ranges. It says whether it has, or may have to.
func (s *Scheduler) restarted() bool {
	src := -1
	for i, o := range s.sources {
		switch {
		case o.usable() && o.tries < firstTries:
			return false
		case o.aside == None && o.blocked() <= s.now && (src < 0 || o.restarts < s.sources[src].restarts):
			src = i
		}
	}
	if s.live() == 0 && src >= 0 {
		if !s.mayRestart(src) {
			return true
		}
		s.void()
		s.openWhole(src)
	}
	return true
}

// void forgets all that is there.
func (s *Scheduler) void() {
	s.done, s.got, s.held, s.voided, s.checked = nil, 0, false, true, nil
	s.frontier, s.looked = 0, 0
	if s.size >= 0 {
		s.gaps = spans{{0, s.size}}
	}
}

// lostStream: an answer of unknown length has ended early. It is asked for again from there, if its source can do that.
func (s *Scheduler) lostStream(c *conn, off int64) {
	off = max(off, c.off)
	s.got += off - c.off
	s.done.add(Range{c.start, off})
	s.begun = false
	if s.sources[c.src].stream {
		s.void()
		s.mayRestart(c.src)
	}
}

// mayRestart counts that all begins anew with a source, and sets it aside where that was often enough. Each has its own tries: one that
// never comes to its end says nothing of the next.
func (s *Scheduler) mayRestart(src int) bool {
	o := s.sources[src]
	if o.restarts++; o.restarts > maxRestarts {
		s.setAside(src, RangeUnsupported)
		return false
	}
	return true
}

// failed takes c out, and says when its source may be asked again.
func (s *Scheduler) failed(c *conn, ev Event) {
	ours := c.phase == closing
	gave := ev.Off - c.start
	if c.hedge {
		gave = 0
	}
	src, asked := c.src, c.since
	s.detach(c, ev.Off)
	if ours {
		return
	}
	s.sources[src].last, s.why = ev.Class, ev.Class
	switch ev.Class {
	case Gone:
		if s.believed(src, asked) {
			s.setAside(src, ev.Class)
		} else {
			s.refused(src, ev)
		}
	case Changed, Corrupt:
		s.setAside(src, ev.Class)
	case RangeUnsupported:
		s.sources[src].stream = true
	case Busy, Refused:
		s.refused(src, ev)
	case Timeout:
		if !s.gives(src) {
			s.distrust(src)
		}
		s.lost(src, gave)
	default:
		s.lost(src, gave)
	}
}

// believed says whether a source that says it has nothing, to who asked then, is believed. Some say 403 to one connection too many, and may
// not have noticed yet that one has ended: one that has answered before is not believed while others of it read, nor before
// the third time. Those that were asked together count once: what they were told may have the same reason.
func (s *Scheduler) believed(src int, asked time.Duration) bool {
	o := s.sources[src]
	if slices.ContainsFunc(s.conns, func(c *conn) bool { return c.src == src && c.phase == reading }) {
		return false
	}
	if asked >= o.goneAt {
		o.gone++
		o.goneAt = s.now
	}
	return !o.known || o.gone >= firstTries
}

// lost: the network failed. Once at once, then later and later; where others of the host get on, only this slot waits.
// One that brought next to nothing costs its host more than it gives: it is asked again, but not without a pause.
func (s *Scheduler) lost(src int, gave int64) {
	o := s.sources[src]
	if gave > 0 {
		if o.fails = 0; gave < crumb {
			s.postpone(src, backoffMin)
		}
		return
	}
	if o.until > s.now {
		return // one of several that failed together
	}
	o.fails++
	s.postpone(src, s.backoff(o.fails))
}

// refused: the host has enough. What worked is its ceiling, if it refused more than what has worked before, or twice in a row.
func (s *Scheduler) refused(src int, ev Event) {
	o, h := s.sources[src], s.sources[src].host
	if ev.RetryAfter > 0 {
		h.until = max(h.until, s.now+min(ev.RetryAfter, 24*time.Hour))
	}
	h.busy++
	o.fails++
	n := s.reading(h)
	if n > 0 && (n >= h.proven || h.busy > 1) {
		h.ceiling, h.proven = n, n
		h.coolFor = min(max(2*h.coolFor, coolFor), coolMost)
		h.cool = max(s.now, h.until) + h.coolFor
	}
	if ev.RetryAfter <= 0 {
		s.postpone(src, s.backoff(o.fails))
	}
}

// postpone keeps a slot, or the source where nothing else of its host reads, empty for d. A source that never answered has three
// tries; after those it is asked now and then, if something else is to be had meanwhile.
func (s *Scheduler) postpone(src int, d time.Duration) {
	o := s.sources[src]
	if !o.known {
		if o.tries++; o.tries >= firstTries {
			d = max(d, s.backoffMost())
		}
	}
	if s.reading(o.host) > 0 {
		o.host.penalties = append(o.host.penalties, s.now+max(d, backoffMin/2))
		return
	}
	o.until = s.now + d
}

// backoffMost is the longest that anybody is not asked: not so long that RetryMax would have passed before he was.
func (s *Scheduler) backoffMost() time.Duration {
	if s.cfg.RetryMax < 0 {
		return backoffMax
	}
	return min(backoffMax, max(s.cfg.RetryMax/4, backoffMin))
}

// backoff is how long to wait after n failures: not at all, then twice as long each time, by chance half as long to half as long again.
func (s *Scheduler) backoff(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	d := min(backoffMin<<min(n-2, 16), s.backoffMost())
	return time.Duration(float64(d) * (0.5 + s.cfg.Rand()))
}

// hopeless says whether no source is left, or nothing has come for RetryMax, or nothing may be asked before that.
func (s *Scheduler) hopeless() bool {
	deadline := max(s.lastByte+s.cfg.RetryMax, s.triesTill)
	if s.cfg.RetryMax < 0 {
		deadline = forever
	}
	left := s.live() > 0
	for _, src := range s.sources {
		left = left || src.aside == None && src.host.until <= deadline && (s.begun || src.tries < firstTries)
	}
	return !left || s.now >= deadline
}

func (s *Scheduler) giveUp() {
	s.over = true
	a := Action{Type: GiveUp}
	for i, src := range s.sources {
		a.Faults = append(a.Faults, Fault{i, src.last})
	}
	if a.Class = s.why; a.Class == None {
		a.Class = Timeout
	}
	s.act(a)
}
