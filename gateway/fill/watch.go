package fill

import (
	"slices"
	"time"
)

// watch ends streams that nobody needs, and looks for those that are silent.
func (c *core) watch() {
	for _, s := range slices.Clone(c.streams) {
		if c.isNeeded(s) {
			s.idle = false
		} else if !s.idle {
			s.idle, s.unused = true, c.now
		}
		switch {
		case s.idle && c.now-s.unused >= linger:
			c.halt(s)
		case !s.idle && s.waits && c.now >= c.overdueAt(s):
			c.overdue(s)
		}
	}
}

func (c *core) isNeeded(s *stream) bool {
	if !c.known {
		return len(c.readers) > 0
	}
	if s.probe {
		return c.priority(s) == waitedFor
	}
	return c.quota(s) > s.off
}

// patience is how long s may be silent: 4 times what it takes otherwise, and longer after each time in vain.
func (c *core) patience(s *stream) time.Duration {
	usual := s.gap
	if s.phase != reading {
		usual = c.mirrors[s.mirror].setup
	}
	d := min(max(4*usual, minPatience), maxPatience)
	if s.late {
		d = min(d<<min(c.misses, 4), longest)
	}
	return d
}

// overdueAt is when s will have been silent for too long, once more.
func (c *core) overdueAt(s *stream) time.Duration { return max(s.since, s.tried) + c.patience(s) }

// overdue has another mirror, or another connection, asked for what s does not bring.
func (c *core) overdue(s *stream) {
	if !s.late {
		c.counts.stalls++
	}
	s.late, s.tried = true, c.now
	c.misses++
	hasRival := slices.ContainsFunc(c.streams, func(o *stream) bool { return o.rival == s.id })
	if hasRival || c.single && c.vague && !s.probe {
		return
	}
	m := c.choose(s.mirror)
	if m < 0 || !c.makeRoom(c.priority(s)) {
		return
	}
	c.counts.hedges++
	if s.probe {
		c.probe(m, s.off).rival = s.id
		return
	}
	h := c.add(m, s.off, s.end)
	h.rival = s.id
	if !c.known {
		c.out = append(c.out, action{kind: begin, stream: h, first: true, check: -1})
		return
	}
	if b := c.index(s.off); !c.there(b) && !c.single {
		h.off = max(c.need(b), s.off)
		h.want = h.off
	}
	c.begin(h)
}
