package choose

import (
	"slices"
	"time"
)

const (
	most        = 8                      // requests for one chunk
	mostBegun   = 2                      // of them, those that have begun to come
	look        = 500 * time.Millisecond // how often what is slow is looked at
	unheard     = time.Second            // until what is not connected is taken for lost: the first repetition of a SYN (RFC 6298 §2)
	twiceSlow   = 2                      // how much sooner a second copy has to be here
	silenceMost = time.Hour              // the same for one that was taken for it, doubled each time
	silence     = 30 * time.Second       // who gave nothing for so long can be taken for stuck, where another could give
)

// hedge returns the chunk to ask a source for that others are asked for already: the one that would be here last. Waiting in another
// queue costs nothing, as the first byte from anywhere ends the others' waiting.
func (c *Chooser) hedge(now time.Duration, s *source) *chunk {
	if len(c.open) >= c.o.Parallel {
		return nil
	}
	var best *chunk
	var longest time.Duration
	for _, i := range s.wanted {
		ch := &c.chunks[i]
		if len(ch.flights) == 0 || ch.full() || !c.may(now, ch, s) {
			continue
		}
		if patient := c.patient(ch.flights[len(ch.flights)-1]); patient > now {
			c.wakeBy(patient)
			continue
		}
		c.wakeBy(now + look)
		if left := c.left(now, ch); left > longest && left > twiceSlow*c.takes(s) {
			best, longest = ch, left
		}
	}
	return best
}

// patient is until when a request is waited for before its chunk is asked for elsewhere, too.
func (c *Chooser) patient(f *flight) time.Duration {
	if f.heard {
		return f.began + c.o.Patience
	}
	return f.began + min(c.o.Patience, unheard)
}

// full says whether a chunk is asked for as often as it may be.
func (ch *chunk) full() bool {
	begun := 0
	for _, f := range ch.flights {
		if !f.waits() {
			begun++
		}
	}
	return len(ch.flights) >= most || begun >= mostBegun
}

// replace makes room for a request where so many are open that another may not be: one that is stuck is given up for it. Else as
// many as there may be, of sources that never answer, would keep out all others.
func (c *Chooser) replace(now time.Duration, s *source) *chunk {
	isFull := len(c.open) >= c.o.Parallel
	for _, i := range s.wanted {
		ch := &c.chunks[i]
		among := ch.flights
		switch {
		case isFull && len(among) == 0:
			among = c.open
		case !isFull && !ch.full():
			continue
		}
		if !c.may(now, ch, s) {
			continue
		}
		c.wakeBy(now + look)
		j := slices.IndexFunc(among, func(f *flight) bool { return c.stuck(now, f, s) })
		if j < 0 {
			continue
		}
		c.stalled(now, among[j])
		return ch
	}
	return nil
}

// stuck says whether a request may be given up for one to s.
func (c *Chooser) stuck(now time.Duration, f *flight, s *source) bool {
	left := c.remains(now, f)
	return now-f.began >= f.source.patience() && left >= silence && left > twiceSlow*c.takes(s)
}

// stalled gives up a request that is stuck. Whoever it was for is asked later than others from now on, and given more time: it may be
// that its queue is long.
func (c *Chooser) stalled(now time.Duration, f *flight) {
	f.source.rests = now + f.source.patience()
	f.source.stalls++
	c.drop(f)
}

func (s *source) patience() time.Duration { return doubled(silence, s.stalls+1, silenceMost) }
