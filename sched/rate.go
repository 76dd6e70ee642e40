package sched

import (
	"math"
	"time"
)

const (
	minDelta     = 10 * time.Millisecond  // less than that is not worth a request
	slowest      = 3 * time.Second        // set-up that is believed
	unknownDelta = 100 * time.Millisecond // set-up of an origin that has not answered yet
)

// setup is how long a request to src takes until its answer.
func (s *Scheduler) setup(src int) time.Duration {
	if d := s.sources[src].setup; d > 0 {
		return d
	}
	d := unknownDelta
	for _, o := range s.sources {
		if o.setup > 0 {
			d = min(d, o.setup)
		}
	}
	return d
}

// delta is the set-up as a measure of what is worth a request.
func (s *Scheduler) delta(src int) time.Duration { return max(s.setup(src), minDelta) }

// rateOf is the rate to expect of c: what it was lately, or at the moment if that differs much; what its source's others have
// where it is new. One that should have given something by now counts for less and less.
func (s *Scheduler) rateOf(c *conn) float64 {
	silent := s.now - c.since
	if c.phase == reading && c.meter.known() {
		now, long := c.meter.rate(fast, s.now), c.meter.rate(slow, s.now)
		if now < long/2 || now > long*2 {
			return now
		}
		return long
	}
	r := s.rateFor(c.src, c)
	if c.busy() {
		if late := silent - 2*s.delta(c.src) - 500*time.Millisecond; late > 0 {
			r *= math.Exp(-late.Seconds() / tau[fast])
		}
	}
	return r
}

// rateFor is the rate to expect of a request to src, on c if that is not nil.
func (s *Scheduler) rateFor(src int, c *conn) float64 {
	if c != nil && c.meter.known() {
		if c.phase == reading {
			return s.rateOf(c)
		}
		return c.meter.rate(slow, c.meter.at)
	}
	if r := s.sources[src].rate; r > 0 {
		return r
	}
	return assumedRate
}

// meanRate is the mean of a source's connections that have one; what it was last where none has.
func (s *Scheduler) meanRate(src int) float64 {
	sum, n := 0.0, 0
	for _, c := range s.conns {
		if c.src == src && c.phase == reading && c.meter.known() {
			sum += c.meter.rate(slow, s.now)
			n++
		}
	}
	if n == 0 {
		return s.sources[src].rate
	}
	return sum / float64(n)
}

// hand is somebody who works, or could: its rate, and after what time it begins.
type hand struct {
	rate float64
	wait time.Duration
}

// hands are all connections that work or may, and those that may be opened.
func (s *Scheduler) hands() []hand {
	hands := make([]hand, 0, len(s.conns)+8)
	for i, src := range s.sources {
		src.rate = s.meanRate(i)
	}
	for _, c := range s.conns {
		switch {
		case s.ready(c):
			hands = append(hands, hand{s.rateFor(c.src, c), s.setup(c.src)})
		case c.busy() && !c.hedge:
			hands = append(hands, hand{s.rateOf(c), s.toAnswer(c)})
		}
	}
	for src, n := range s.slots() {
		for range n {
			hands = append(hands, hand{s.rateFor(src, nil), s.setup(src)})
		}
	}
	return hands
}

// toAnswer is how long c's answer will still take.
func (s *Scheduler) toAnswer(c *conn) time.Duration {
	if c.phase != opening {
		return 0
	}
	return max(0, c.since+s.setup(c.src)-s.now)
}

func (s *Scheduler) capacity() (sum float64) {
	for _, h := range s.hands() {
		sum += h.rate
	}
	return sum
}

func (s *Scheduler) helpers() int { return len(s.hands()) }

// working is how many connections have a range, or compare.
func (s *Scheduler) working() (n int) {
	for _, c := range s.conns {
		if c.busy() && !c.hedge {
			n++
		}
	}
	return n
}

// finishTime is how long n bytes take if all end together, and all that may help do.
func (s *Scheduler) finishTime(n int64) time.Duration {
	hands, end := s.hands(), forever
	for range 4 { // those who would begin after the end do not count, which moves the end
		sum, before := 0.0, 0.0
		for _, h := range hands {
			if h.wait < end {
				sum += h.rate
				before += h.rate * h.wait.Seconds()
			}
		}
		if sum <= 0 {
			return forever
		}
		end = seconds((float64(n) + before) / sum)
	}
	return end
}

// seconds is a Duration, at most a century.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 3e9) * float64(time.Second))
}

// timeLeft is how long c will need for its range.
func (s *Scheduler) timeLeft(c *conn) time.Duration {
	rate := s.rateOf(c)
	if rate < 1 {
		rate = 1
	}
	return s.toAnswer(c) + seconds(float64(c.left())/rate)
}
