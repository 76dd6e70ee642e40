package choose

import (
	"slices"
	"time"
)

func (c *Chooser) begin(now time.Duration, ch *chunk, s *source) Request {
	f := &flight{Request: Request{ch.index, s.addr}, source: s, began: now}
	s.flight = f
	ch.flights = append(ch.flights, f)
	c.open = append(c.open, f)
	return f.Request
}

// land closes a request in the books.
func (c *Chooser) land(f *flight) {
	is := func(g *flight) bool { return g == f }
	ch := &c.chunks[f.Chunk]
	ch.flights = slices.DeleteFunc(ch.flights, is)
	c.open = slices.DeleteFunc(c.open, is)
	f.source.flight = nil
}

// drop cancels a request. What it has shown of its source's speed is remembered.
func (c *Chooser) drop(f *flight) {
	if ran := f.last - f.first; ran >= look {
		f.source.rate = smooth(f.source.rate, float64(f.bytes)/float64(ran))
	}
	c.land(f)
	c.cancel = append(c.cancel, f.Request)
}

// flight returns what is open, or nil.
func (c *Chooser) flight(r Request) *flight {
	if s := c.byAddr[r.From]; s != nil && s.flight != nil && s.flight.Chunk == r.Chunk {
		return s.flight
	}
	return nil
}

// Connected says that whoever a request is to can hear it now.
func (c *Chooser) Connected(r Request) {
	if f := c.flight(r); f != nil {
		f.heard = true
	}
}

// Progress says how many bytes of a chunk have come by now.
func (c *Chooser) Progress(now time.Duration, r Request, total int64) {
	f := c.flight(r)
	if f == nil || total <= f.bytes {
		return
	}
	if f.waits() {
		f.first = now
		for _, g := range slices.Clone(c.chunks[r.Chunk].flights) {
			if g != f && g.waits() {
				c.drop(g)
			}
		}
	}
	f.bytes, f.last = total, now
}

// forever is how long it may take until what waits has come: that is about somebody else's queue.
const forever = 1 << 62

// left is how long it will take until a chunk that was asked for is here.
func (c *Chooser) left(now time.Duration, ch *chunk) time.Duration {
	least := time.Duration(forever)
	for _, f := range ch.flights {
		least = min(least, c.remains(now, f))
	}
	return least
}

// remains is how long a request will take: by its own speed, once that can be told, else as its source's others did.
func (c *Chooser) remains(now time.Duration, f *flight) time.Duration {
	if f.waits() {
		return forever
	}
	ran, silent := f.last-f.first, time.Duration(0)
	if now-f.last > look {
		ran, silent = now-f.first, now-f.last // it has been silent for so long that this counts
	}
	switch {
	case c.typical == 0 && ran >= silence:
		return forever
	case c.typical == 0 || ran < look/4:
		return max(c.takes(f.source)-(now-f.first), 0)
	}
	left := time.Duration(min(float64(max(c.typical-f.bytes, 0))*float64(ran)/float64(f.bytes), forever))
	return max(left, silent) // where all seems to have come, and the end does not, there is nothing else to go by
}

// takes is how long a chunk takes from a source: what it took before, or what others take.
func (c *Chooser) takes(s *source) time.Duration {
	if s.rate > 0 {
		return time.Duration(min(float64(c.typical)/s.rate, forever))
	}
	return c.service
}

// came learns from a chunk how large chunks are, and how long they take.
func (c *Chooser) came(now time.Duration, f *flight) {
	c.typical = max(c.typical, f.bytes)
	if took := now - f.first; !f.waits() && took > 0 {
		f.source.rate = smooth(f.source.rate, float64(f.bytes)/float64(took))
		c.service = time.Duration(smooth(float64(c.service), float64(took)))
	}
}

func smooth(old, seen float64) float64 {
	if old == 0 {
		return seen
	}
	return old + (seen-old)/4
}
