package blockcache

import "time"

// Close ends the use of the object. Without another use of it, it expires after the TTL.
func (h *Object) Close() error { return h.CloseSince(time.Now()) }

// CloseSince is Close for whoever has it open and has not used it since that time: the TTL is counted from there.
func (h *Object) CloseSince(since time.Time) error {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.closed || !c.begin() {
		return nil
	}
	h.closed = true
	h.o.ops++
	h.o.handles--
	c.touched(h.o, since)
	c.release(h.o)
	return nil
}

// Drop forgets n blocks from first on, also those that are just being written. Who is reading one meanwhile may still get it.
func (h *Object) Drop(first, n int64) {
	h.dropIf(func(e *entry) bool { return e.index >= first && e.index-first < n })
}

// Stale is whether blocks may be there that come from an earlier process. They are not given out, and nothing is known of
// them but that they were of this version then. Whoever has made sure that it still is the one, says so by Confirm.
func (h *Object) Stale() bool {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	return h.o.stale
}

// Confirm has the blocks of earlier processes given out again, if they are the same, and else dropped. Once is enough, for
// all who have the object open.
func (h *Object) Confirm(same bool) {
	if !same {
		h.dropIf(func(e *entry) bool { return h.o.stale && e.run != 0 })
	}
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	h.o.stale = h.o.stale && h.closed
}

func (h *Object) dropIf(wanted func(*entry) bool) {
	c, o := h.c, h.o
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.closed || !c.begin() {
		return
	}
	o.ops++
	var now []*entry
	for _, e := range o.blocks {
		if e.state == dying || !wanted(e) {
			continue
		}
		e.bad = true // whoever reads or writes it drops it
		if e.state == live && e.pins == 0 {
			c.doom(e)
			now = append(now, e)
		}
	}
	if len(now) > 0 {
		c.dropSome(o, now)
	}
	c.release(o)
}
