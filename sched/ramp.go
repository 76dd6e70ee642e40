package sched

import (
	"slices"
	"time"
)

const (
	rampFor  = 400 * time.Millisecond // how long a level is measured, or 4 set-ups
	thawFor  = 30 * time.Second       // after which a host that gave no more is tried again
	coolFor  = 5 * time.Second        // after which one connection more is tried; doubles
	coolMost = 5 * time.Minute
	worth    = 0.15
)

// host is what the sources of one host share.
type host struct {
	live      int
	ceiling   int             // what it bears
	target    int             // what the ramp has come to
	proven    int             // most connections that ever read at once
	busy      int             // times it said so, since it last answered
	penalties []time.Duration // until when a slot stays empty after a failure
	until     time.Duration   // not asked before, by its Retry-After
	cool      time.Duration   // when one more may be tried; 0: the ceiling is not its own
	coolFor   time.Duration
	got       int64         // bytes, ever
	settled   time.Duration // since when as many read as the target says
	before    int64         // got, then
	rate      float64       // measured at the level before
	trying    bool          // whether the level pays is not known yet
	frozen    time.Duration // until when the ramp rests
}

const unlimited = 1 << 30

func (s *Scheduler) firstTarget() int {
	if s.cfg.Connections > 0 {
		return unlimited
	}
	return 1
}

// room is how many connections more the host bears.
func (h *host) room(now time.Duration) int {
	h.penalties = slices.DeleteFunc(h.penalties, func(t time.Duration) bool { return t <= now })
	return min(h.ceiling, h.target) - h.live - len(h.penalties)
}

// slotFree is when the first slot that is kept empty may be used, now if there is none.
func (h *host) slotFree(now time.Duration) time.Duration {
	if h.room(now) > 0 || len(h.penalties) == 0 {
		return now
	}
	return slices.Min(h.penalties)
}

// wanted is the number of connections asked for, where it was: no more than there are ranges of MinRange.
func (s *Scheduler) wanted() int {
	return int(min(int64(s.cfg.Connections), max(s.size/s.cfg.MinRange, 1)))
}

// room is how many connections more all in all.
func (s *Scheduler) room() int {
	if s.cfg.Connections > 0 {
		return s.wanted() - s.live()
	}
	if s.live() > 0 && !s.pays() {
		return 0
	}
	return unlimited
}

// pays says whether what remains takes those who are there longer than two set-ups and a second.
func (s *Scheduler) pays() bool {
	rate, wait := 0.0, forever
	for i, src := range s.sources {
		if src.usable() {
			wait = min(wait, s.delta(i))
		}
	}
	for _, c := range s.conns {
		rate += s.rateOf(c)
	}
	return wait < forever && seconds(float64(s.size-s.got)/max(rate, 1)) > 2*wait+time.Second
}

// reading is how many connections of h give bytes.
func (s *Scheduler) reading(h *host) (n int) {
	for _, c := range s.conns {
		if s.sources[c.src].host == h && c.phase == reading {
			n++
		}
	}
	return n
}

// proven: as many as read now are what h bears.
func (s *Scheduler) proven(h *host) {
	n := s.reading(h)
	h.proven = max(h.proven, n)
	h.ceiling = max(h.ceiling, min(n, s.cfg.PerHost))
}

// climb doubles the target of each host while that pays, and tries one more where a cool-down has ended.
func (s *Scheduler) climb() {
	for i, src := range s.sources {
		h := src.host
		if h.cool > 0 && s.now >= h.cool {
			h.ceiling = min(h.ceiling+1, s.cfg.PerHost)
			h.cool = s.now + h.coolFor
		}
		if s.cfg.Connections == 0 && s.size >= 0 {
			s.climbHost(h, s.delta(i))
		}
	}
}

func (s *Scheduler) climbHost(h *host, delta time.Duration) {
	switch {
	case s.reading(h) < min(h.target, h.ceiling):
		h.settled = 0
		return
	case h.settled == 0:
		h.settled, h.before = s.now, h.got
	}
	d := s.now - h.settled
	if d < max(rampFor, 4*delta) || s.now < h.frozen || !s.pays() {
		return
	}
	h.settled = 0
	s.judge(h, float64(h.got-h.before)/d.Seconds())
}

// judge takes the rate at the present level.
func (s *Scheduler) judge(h *host, rate float64) {
	switch {
	case h.trying && rate <= h.rate*(1+worth):
		h.target /= 2
		h.frozen = s.now + thawFor
		h.trying = false
	case h.target < h.ceiling:
		h.rate, h.trying = rate, true
		h.target = min(2*h.target, s.cfg.PerHost)
	default:
		h.trying = false
	}
}

// dismiss closes idle connections that are too many, or would give much more at another source.
func (s *Scheduler) dismiss() {
	for _, c := range s.conns {
		src := s.sources[c.src]
		if c.phase != idle || c.hedge {
			continue
		}
		if !src.usable() || src.host.live > min(src.host.target, src.host.ceiling) || s.betterElsewhere(c) {
			s.close(c)
		}
	}
}

// betterElsewhere says whether c's place had better be given to another source. One connection stays with each, to know it.
func (s *Scheduler) betterElsewhere(c *conn) bool {
	a := s.sources[c.src]
	if s.cfg.Connections == 0 || a.live < 2 || s.size < 0 || s.finishTime(s.size-s.got) < endTime/2 {
		return false
	}
	for _, i := range s.mirrors() {
		b := s.sources[i]
		if i != c.src && b.trusted && b.rate > 0 && b.host.room(s.now) > 0 &&
			float64(a.live)/s.weight(c.src) > 1.5*float64(b.live+1)/s.weight(i) {
			return true
		}
	}
	return false
}
