package choose

import (
	"cmp"
	"slices"
	"time"
)

// Next returns the requests to be given up, which are over thereby, and those to be begun: the former first, since a source
// never has two. A request that is begun is for a chunk that is missing, and to nobody of Self.
func (c *Chooser) Next(now time.Duration) (cancel, begin []Request) {
	c.wake = 0
	idle := c.idle(now)
	for _, choose := range c.choices {
		idle = slices.DeleteFunc(idle, func(s *source) bool {
			ch := choose(now, s)
			if ch != nil {
				begin = append(begin, c.begin(now, ch, s))
			}
			return ch != nil
		})
	}
	cancel, c.cancel = c.cancel, nil
	return cancel, begin
}

// idle returns the sources that can be asked: those first that answer, then those that are fast.
func (c *Chooser) idle(now time.Duration) []*source {
	var idle []*source
	for _, s := range c.sources {
		if s.flight != nil {
			continue
		}
		s.wanted = slices.DeleteFunc(s.wanted, func(i int) bool { return c.chunks[i].here })
		switch {
		case len(s.wanted) == 0:
		case s.rests > now:
			c.wakeBy(s.rests)
		default:
			idle = append(idle, s)
		}
	}
	slices.SortStableFunc(idle, func(a, b *source) int {
		return cmp.Or(cmp.Compare(a.fails, b.fails), cmp.Compare(a.stalls+a.strikes, b.stalls+b.strikes), cmp.Compare(c.takes(a), c.takes(b)))
	})
	return idle
}

// pick returns the chunk to ask a source for, of those that nobody is asked for.
func (c *Chooser) pick(now time.Duration, s *source) *chunk {
	if len(c.open) >= c.o.Parallel {
		return nil
	}
	var best *chunk
	for _, i := range s.wanted {
		ch := &c.chunks[i]
		if len(ch.flights) == 0 && (best == nil || c.rarer(ch, best)) && c.may(now, ch, s) {
			best = ch
		}
	}
	return best
}

// rarer says whether a is to be asked for before b.
func rarer(a, b *chunk) bool {
	if a.live != b.live {
		return a.live < b.live
	}
	if a.live <= 1 && a.rank != b.rank {
		return a.rank < b.rank
	}
	return a.weight > b.weight
}

func (c *Chooser) wakeBy(at time.Duration) {
	if c.wake == 0 || at < c.wake {
		c.wake = at
	}
}

// Wake returns when to call Questions and Next although nothing has happened, if ever.
func (c *Chooser) Wake() (at time.Duration, ok bool) {
	if c.missing == 0 {
		return 0, false
	}
	at = c.wake
	if due, any := c.asks.next(); any && (at == 0 || due < at) {
		at = due
	}
	return at, at != 0
}
