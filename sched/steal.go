package sched

import (
	"math"
	"time"
)

// last is the connection that would end last, of those that do not wait for us. Of connections that are about equal, one that was
// opened to the end of the object comes last: a cut costs its connection, while others have ended theirs.
func (s *Scheduler) last(may func(*conn) bool) (v *conn, left time.Duration) {
	for _, c := range s.conns {
		if !c.works() || c.kept || c.end < 0 || s.waits(c) || !may(c) {
			continue
		}
		t := s.timeLeft(c)
		if c.first {
			t -= min(t/8, 4*s.delta(c.src))
		}
		if v == nil || t > left {
			v, left = c, t
		}
	}
	return v, left
}

// floor is the gain below which nothing is moved: repairs cost a request each, and many small ones cost more than they bring.
func (s *Scheduler) floor(src int, left time.Duration) time.Duration {
	d := s.delta(src)
	return max(d, time.Duration(math.Sqrt(d.Seconds()*min(left, time.Hour).Seconds()/float64(max(s.helpers(), 1)))*float64(time.Second)))
}

// steal cuts the connection that would end last down to its share, if that makes a difference. What is cut off is free then,
// and whoever is idle claims its share of it.
func (s *Scheduler) steal() bool {
	v, left := s.last(func(c *conn) bool {
		return c.twin == nil && c.maybeCut() && s.suspectTo(c.off) < 0 && c.left() > s.inFlight(c)+minClaim
	})
	if v == nil {
		return false
	}
	end := s.finishTime(s.claimable())
	floor, n := s.floor(v.src, end), s.fair(v.src, v)
	if len(s.gaps) > 0 { // only the window holds the others up
		floor = max(floor, time.Second)
		n = min(n, int64(s.rateOf(v)*end.Seconds()))
	}
	if left-end <= floor {
		return false
	}
	n = max(n, s.inFlight(v), minClaim)
	if v.left()-n < minClaim {
		return false
	}
	s.cut(v, n)
	return true
}

// cut asks c to end after n bytes more.
func (s *Scheduler) cut(c *conn, n int64) {
	c.cutting = true
	s.act(Action{Type: Cut, Conn: c.id, End: c.off + n})
}

// claimable is what is to be done before the window moves on.
func (s *Scheduler) claimable() int64 {
	if len(s.gaps) == 0 {
		return s.size - s.got
	}
	var n int64
	for _, c := range s.conns {
		if c.works() {
			n += c.left()
		}
	}
	return n
}

// inFlight is what is on the way to c already, and would be thrown away by a cut before it.
func (s *Scheduler) inFlight(c *conn) int64 {
	if c.phase == opening {
		return 0
	}
	return int64(s.rateOf(c)*max(s.delta(c.src), 50*time.Millisecond).Seconds()) + minClaim
}

func (s *Scheduler) cutPending() bool {
	for _, c := range s.conns {
		if c.cutting {
			return true
		}
	}
	return false
}
