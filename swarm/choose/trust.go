package choose

import (
	"slices"
	"time"
)

// Outcome is how a request ended.
type Outcome int

const (
	Done     Outcome = iota // the chunk is here
	Refused                 // nobody listened: some announce themselves before they do
	Broken                  // the connection could not be made for another reason, or broke
	Missing                 // there is no such chunk after all: 0 bytes, or CHUNK_NOT_FOUND
	Short                   // fewer bytes came than the chunk is known to have
	Corrupt                 // other bytes came than the chunk is known to have
	Doubtful                // bytes came of which nothing says that they are all: another is to be asked, and the giver not to blame
	Unsaved                 // it could not be written: nobody's fault
)

const (
	restFirst = 250 * time.Millisecond // after the first failure; doubled with each one that follows
	restMost  = 30 * time.Second
	shunFirst = 30 * time.Second // who gave wrong bytes, where another has the chunk; doubled with each one that follows
	shunMost  = 30 * time.Minute
	spoilMost = 30 * time.Second // who did not have the chunk, or not certainly: that chunk, from 1 s on
	goneAfter = 3                // failures
)

// trust is what was experienced with a source.
type trust struct {
	fails   int           // in a row, of connections
	rests   time.Duration // until when it is not asked
	stalls  int           // in a row, of requests that got nowhere
	strikes int           // wrong bytes
	shunned time.Duration // until when others are asked, where there are any
	out     bool          // not counted: it seems to be gone
}

// spoilt is a source that did not give a chunk.
type spoilt struct {
	source *source
	times  int
	until  time.Duration
}

// Ended says how a request ended. After Done the chunk is here; after anything else somebody is asked for it again.
func (c *Chooser) Ended(now time.Duration, r Request, o Outcome) {
	f := c.flight(r)
	if f == nil {
		return
	}
	c.land(f)
	ch, s := &c.chunks[r.Chunk], f.source
	switch o {
	case Done:
		c.came(now, f)
		s.fails, s.stalls, s.rests = 0, 0, 0
		c.Have(ch.index)
		c.asks.allow(perArrival)
	case Refused, Broken:
		s.fails++
		s.rests = now + doubled(restFirst, s.fails, restMost)
	case Short, Corrupt:
		s.fails = 0
		s.strikes++
		s.shunned = now + doubled(shunFirst, s.strikes, shunMost)
		c.spoil(now, ch, s)
	case Missing, Doubtful:
		s.fails = 0
		c.spoil(now, ch, s)
	case Unsaved:
		s.rests = now + time.Second
	}
	c.recount(s)
}

// recount keeps those out of the count that are not there: else what only they have would look common, and what would be theirs would
// be nobody's.
func (c *Chooser) recount(s *source) {
	gone := s.fails >= goneAfter
	if gone == s.out {
		return
	}
	s.out = gone
	by := int32(1)
	if gone {
		by = -1
	}
	c.count(s, by)
	for _, i := range s.wanted {
		if ch := &c.chunks[i]; !ch.here {
			ch.live += by
		}
	}
}

func (c *Chooser) spoil(now time.Duration, ch *chunk, s *source) {
	i := slices.IndexFunc(ch.spoilt, func(p spoilt) bool { return p.source == s })
	if i < 0 {
		i = len(ch.spoilt)
		ch.spoilt = append(ch.spoilt, spoilt{source: s})
	}
	p := &ch.spoilt[i]
	p.times++
	p.until = now + doubled(time.Second, p.times, spoilMost)
}

// doubled is the wait after the nth failure.
func doubled(first time.Duration, n int, most time.Duration) time.Duration {
	return min(first<<min(n-1, 20), most)
}

// may says whether a source may be asked for a chunk, and sees to it that it is looked at again if not.
func (c *Chooser) may(now time.Duration, ch *chunk, s *source) bool {
	if until := ch.spoiltBy(s); until > now {
		c.wakeBy(until)
		return false
	}
	if s.shunned <= now {
		return true
	}
	c.wakeBy(s.shunned)
	return !slices.ContainsFunc(ch.holders, func(h *source) bool {
		return h.shunned <= now && h.fails == 0 && ch.spoiltBy(h) <= now
	})
}

// spoiltBy returns until when a source is not to be asked for a chunk.
func (ch *chunk) spoiltBy(s *source) time.Duration {
	for _, p := range ch.spoilt {
		if p.source == s {
			return p.until
		}
	}
	return 0
}
