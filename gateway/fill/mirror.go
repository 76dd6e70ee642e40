package fill

import (
	"slices"
	"time"
)

const (
	tries      = 3
	backoffMin = 200 * time.Millisecond
	mostWait   = 5 * time.Second  // that an origin may ask for; one that asks for more has failed
	pause      = 30 * time.Second // until a mirror that has failed is asked again, where others are left
	crumb      = 16 << 10         // bytes; who brings fewer before it fails has brought next to nothing
)

// A mirror is what is known of one of a file's URLs.
type mirror struct {
	host    string
	aside   bool // it is not used any more
	trusted bool // it has the same bytes as the founder
	named   bool // its validator names the bytes
	gave    bool // some of the bytes are its
	fails   int  // in a row
	last    int  // the stream begun last when that was counted
	until   time.Duration
	setup   time.Duration // of an answer, smoothed
}

// usable reports whether m may be asked, now or soon.
func (m *mirror) usable() bool { return !m.aside && m.fails < tries }

// failure is how a stream has failed.
type failure struct {
	lasting bool          // it would be the same the next time
	wait    time.Duration // as the origin asked
}

// choose is the mirror to ask now, rather not the one to avoid; -1 if there is none.
func (c *core) choose(avoid int) int {
	best := -1
	for i, m := range c.mirrors {
		if !m.aside && m.until <= c.now && (best < 0 || c.better(i, best, avoid)) {
			best = i
		}
	}
	return best
}

func (c *core) better(i, best, avoid int) bool {
	a, b := c.mirrors[i], c.mirrors[best]
	if (i == avoid) != (best == avoid) {
		return best == avoid
	}
	return a.fails < b.fails
}

// failed tells that s has failed.
func (c *core) failed(now time.Duration, s *stream, f failure) {
	c.now = now
	m := c.mirrors[s.mirror]
	if !c.remove(s) || m.aside {
		return
	}
	switch {
	case f.lasting || f.wait > mostWait:
		m.fails, m.until = tries, now+pause
	case s.gave > 0 && s.gave < crumb:
		m.until = max(m.until, now+backoffMin)
	case s.gave > 0:
		m.fails, m.until = 0, now
	default:
		if s.id > m.last { // else it was under way when another failed, and that is the same failure
			m.fails++
			m.last = c.lastID
		}
		m.until = max(m.until, now+max(f.wait, backoff(m.fails)))
		if m.fails >= tries {
			m.until = now + pause
		}
	}
}

// backoff is how long to wait after n failures.
func backoff(n int) time.Duration {
	if n <= 1 {
		return 0
	}
	return backoffMin << min(n-2, 8)
}

// setAside has a mirror not used any more. It reports whether another one is left.
func (c *core) setAside(i int) (left bool) {
	c.mirrors[i].aside = true
	for _, s := range slices.Clone(c.streams) {
		if s.mirror == i {
			c.halt(s)
		}
	}
	for _, m := range c.mirrors {
		left = left || !m.aside
	}
	return left
}

// exhausted reports whether nobody is left to be asked, now or later.
func (c *core) exhausted() bool {
	for _, m := range c.mirrors {
		if m.usable() || !m.aside && m.until <= c.now {
			return false
		}
	}
	return true
}

// forgive has all that failed tried again: for whoever comes after those who were told.
func (c *core) forgive() {
	c.spent = false
	for _, m := range c.mirrors {
		m.fails, m.until = 0, 0
	}
}

// nextTry is when somebody can be asked again.
func (c *core) nextTry() time.Duration {
	at, spent := time.Duration(endless), c.exhausted()
	for _, m := range c.mirrors {
		if m.usable() || spent && !m.aside {
			at = min(at, m.until)
		}
	}
	return at
}
