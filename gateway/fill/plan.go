package fill

import (
	"slices"
	"time"
)

// plan says what is to be done now, and what followed from what happened since it was last asked.
func (c *core) plan(now time.Duration) (out []action) {
	c.at(now)
	c.lacks, c.short, c.full = false, false, free
	c.watch()
	if c.known {
		c.serveAll()
	} else {
		c.ask()
	}
	c.forget()
	return c.planned()
}

// planFor is plan where nothing but r has changed: it waits, or has moved on. With a thousand readers that is the difference.
func (c *core) planFor(now time.Duration, r *reader) []action {
	if !c.known || c.short && c.full > waitedFor {
		return c.plan(now)
	}
	c.at(now)
	c.watch()
	c.serveHead(r)
	c.serveAhead(r)
	return c.planned()
}

// settle is plan where nothing but a reader has gone.
func (c *core) settle(now time.Duration) []action {
	if c.short {
		return c.plan(now)
	}
	c.at(now)
	c.watch()
	c.forget()
	return c.planned()
}

// at begins to plan.
func (c *core) at(now time.Duration) { c.now, c.ahead = now, c.room() }

func (c *core) planned() (out []action) {
	c.giveUp()
	out, c.out = c.out, nil
	return out
}

// isSettled reports whether all that can be done for r, which waits, is being done.
func (c *core) isSettled(r *reader) bool {
	if !c.known || r.asks {
		return false
	}
	s := c.server(c.index(r.pos))
	return s != nil && s.id == r.joined && s.prio == waitedFor && !s.idle && c.crosses(r) != unproved
}

// ask has somebody asked what the file is, from where it is wanted first.
func (c *core) ask() {
	if len(c.readers) == 0 || len(c.streams) > 0 {
		return
	}
	m := c.choose(-1)
	if m < 0 {
		c.lacks = true
		return
	}
	r := c.readers[0]
	s := c.add(m, c.floor(max(r.pos, 0)), endless)
	switch {
	case r.pos < 0:
		s.end = c.block
	case r.bounded:
		s.end = c.ceil(r.end)
	}
	c.out = append(c.out, action{kind: begin, stream: s, first: true, check: -1})
}

// serveAll begins what is needed: what is waited for, then what will be, then the rest.
func (c *core) serveAll() {
	for _, r := range c.readers {
		c.serveHead(r)
	}
	for _, r := range c.readers {
		if r.looked = 0; c.full > aheadOf {
			c.serveAhead(r)
		}
	}
	if c.fills() && !c.single && !slices.ContainsFunc(c.streams, func(s *stream) bool { return s.fill }) {
		c.serveRest()
	}
}

// serveAhead begins what r will want, from where that was looked at before. Where there is no room for a block of each reader that would
// have another's go, which would be begun again.
func (c *core) serveAhead(r *reader) {
	if !r.waits && c.ahead < c.block {
		return
	}
	from, to := c.window(r)
	for b := c.index(max(from, r.looked)); c.from(b) < to; b++ {
		if !c.has(b) && !c.owned(b) && !c.launch(r, b, aheadOf) {
			return
		}
		r.looked = c.to(b)
	}
}

// fills reports whether to fetch what nobody has asked for.
func (c *core) fills() bool { return c.fill && c.used() }

// serveHead begins what r waits for, if it does.
func (c *core) serveHead(r *reader) {
	from, to := c.window(r)
	if !r.waits || from == to {
		return
	}
	b := c.index(from)
	if c.begunAny(b) {
		switch c.crosses(r) {
		case unproved:
			c.join(b)
			return
		case torn:
			c.rouse(r)
			return
		}
	}
	if c.has(b) {
		c.found(b)
		c.rouse(r)
		return
	}
	by := c.server(b)
	if by == nil {
		if c.spent {
			c.forgive()
		}
		c.launch(r, b, waitedFor)
		by = c.server(b)
	} else if r.joined != by.id {
		c.counts.joins++
	}
	if by != nil {
		r.joined = by.id
	}
}

// rouse has r look again: what it waited for is there, or will never be. Blocks come to the cache, and go, without a word.
func (c *core) rouse(r *reader) { c.out = append(c.out, action{kind: rouse, reader: r}) }

// serveRest begins what nobody has asked for.
func (c *core) serveRest() {
	for c.has(c.filled) && c.from(c.filled) < c.size {
		c.filled++
	}
	for b := c.filled; c.from(b) < c.size; b++ {
		if c.has(b) || c.owned(b) {
			continue
		}
		if c.launch(nil, b, background) {
			c.streams[len(c.streams)-1].fill = true
		}
		return
	}
}

// server is the stream that will bring the next byte of b soon; nil if there is none.
func (c *core) server(b int64) *stream {
	for _, s := range c.streams {
		if !s.probe && c.covers(s, c.need(b)) {
			return s
		}
	}
	return nil
}

func (c *core) served(b int64) bool {
	p := c.parts[b]
	return p != nil && p.whole || c.server(b) != nil
}

// covers reports whether s will soon be at off.
func (c *core) covers(s *stream, off int64) bool {
	return s.off <= off && off < s.end && (c.single || off-s.off <= near)
}

// launch begins a stream at what is missing of block b. It reports false if that cannot be now.
func (c *core) launch(r *reader, b int64, prio int) bool {
	m := c.choose(-1)
	if m < 0 {
		c.lacks = true
		return false
	}
	if !c.makeRoom(prio) {
		return false
	}
	c.dropCrumb(b)
	off := c.need(b)
	for _, o := range c.streams {
		if !c.single && !o.probe && o.off < off && off < o.end {
			o.end = c.from(b) // that one is far behind
		}
	}
	c.begin(c.add(m, off, c.extent(r, b)))
	return true
}

// dropCrumb forgets what is there of b, if it is too little to be compared with and not all that its readers have read.
func (c *core) dropCrumb(b int64) {
	n := c.need(b) - c.from(b)
	if n == 0 || !c.vague || c.compares(b, c.need(b)) >= min(leastSeam, c.block) {
		return
	}
	if slices.ContainsFunc(c.readers, func(r *reader) bool { return r.start < c.from(b) && r.pos > c.from(b) }) {
		delete(c.parts, b)
	}
}

// begin asks for what s is to bring.
func (c *core) begin(s *stream) {
	a := action{kind: begin, stream: s, check: -1}
	if c.single {
		s.off, s.end = 0, endless
	} else {
		b := c.index(s.want)
		s.before = c.compares(b, s.want)
		if m := c.mirrors[s.mirror]; !m.trusted && s.before < min(overlap, c.block) {
			a.check = c.checked(b)
		}
	}
	c.out = append(c.out, a)
}

// extent is how far the run goes that begins with block b: as long as blocks are missing that nobody will bring, and the
// longer, the longer what r has read without a gap.
func (c *core) extent(r *reader, b int64) int64 {
	limit := int64(endless)
	if r != nil {
		_, to := c.window(r)
		limit = c.from(b) + near
		if r.run >= mostAhead {
			limit = endless
		} else if r.run >= near {
			limit = c.from(b) + 8*r.run
		}
		if r.bounded {
			limit = min(limit, c.ceil(r.end))
		}
		limit = max(limit, to)
	}
	end := c.to(b)
	for n := b + 1; c.from(n) < min(limit, c.size); n++ {
		if c.has(n) || c.owned(n) {
			break
		}
		end = c.to(n)
	}
	return end
}

// owned reports whether some stream is to bring b, however far it is.
func (c *core) owned(b int64) bool {
	off := c.need(b)
	if p := c.parts[b]; p != nil && p.whole {
		return true
	}
	return slices.ContainsFunc(c.streams, func(s *stream) bool { return !s.probe && s.off <= off && off < s.end })
}

// makeRoom sees that one more stream may begin, for which one of less use may have to end.
func (c *core) makeRoom(prio int) bool {
	if len(c.streams) < c.most {
		return true
	}
	if prio >= c.full {
		return false
	}
	var worst *stream
	for _, s := range c.streams {
		if p := c.priority(s); p > prio && (worst == nil || p > c.priority(worst)) {
			worst = s
		}
	}
	if worst == nil {
		c.short, c.full = true, prio
		return false
	}
	c.halt(worst)
	return true
}

func (c *core) add(mirror int, off, end int64) *stream {
	c.lastID++
	s := &stream{id: c.lastID, mirror: mirror, off: off, want: off, end: end, sure: off, rival: -1}
	c.streams = append(c.streams, s)
	return s
}

// quota is up to where s may read now: nobody wants more.
func (c *core) quota(s *stream) int64 {
	if s.probe {
		return endless
	}
	limit := int64(0)
	if s.fill && c.fills() {
		limit = s.end
	}
	for _, r := range c.readers {
		if !c.single && (r.pos-c.block-s.off > near || s.off-c.block-mostAhead > r.pos) {
			continue // it is far away, whatever its window
		}
		from, to := c.window(r)
		if to > s.off && to > from && (c.single || from-s.off <= near) {
			limit = max(limit, to)
		}
	}
	if b := c.index(s.off); s.off > c.from(b) && s.phase == reading {
		limit = max(limit, c.to(b))
	}
	return min(limit, s.end)
}

// priority is that of s now.
func (c *core) priority(s *stream) int {
	for _, r := range c.readers {
		if r.waits && !r.failed && c.waitsFor(r, s) {
			return waitedFor
		}
	}
	switch {
	case s.probe, c.quota(s) <= s.off:
		return unneeded
	case s.fill:
		return background
	}
	return aheadOf
}

func (c *core) waitsFor(r *reader, s *stream) bool {
	if !c.known {
		return true
	}
	if r.asks {
		return false
	}
	if b := c.index(r.pos); !s.probe {
		if from := c.from(b); from+c.block <= s.off || from >= s.end || !c.single && from-s.off > near { // most are not, so this is quick
			return false
		}
		return c.covers(s, c.need(b)) && !c.has(b)
	}
	return r.pos == s.off
}

// giveUp fails those who wait for what nobody has.
func (c *core) giveUp() {
	if !c.lacks || !c.exhausted() {
		return
	}
	told := false
	for _, r := range c.readers {
		if r.waits && !r.failed && c.isLost(r) {
			r.failed, told = true, true
			c.out = append(c.out, action{kind: fail, reader: r})
		}
	}
	if c.spent = !told; told && len(c.streams) == 0 {
		c.forgive()
	}
}

// isLost reports whether nothing brings what r waits for.
func (c *core) isLost(r *reader) bool {
	if !c.known {
		return len(c.streams) == 0
	}
	b := c.index(r.pos)
	if c.begunAny(b) && c.crosses(r) == unproved {
		return c.has(b-1) && !slices.ContainsFunc(c.streams, func(s *stream) bool { return s.probe && s.off == r.pos })
	}
	return !r.asks && !c.has(b) && !c.served(b)
}

// forget drops what is left of blocks that nobody fills and nobody wants.
func (c *core) forget() {
	for b, p := range c.parts {
		switch {
		case p.whole || c.server(b) != nil || c.isWanted(b):
			p.unused = -1
		case p.unused < 0:
			p.unused = c.now
		case c.now-p.unused >= linger:
			delete(c.parts, b)
		}
	}
}

func (c *core) isWanted(b int64) bool {
	return slices.ContainsFunc(c.readers, func(r *reader) bool {
		from, to := c.window(r)
		return from <= c.from(b) && c.from(b) < to
	})
}

// wake is when plan is to be asked again, if nothing happens before.
func (c *core) wake() time.Duration {
	at := time.Duration(endless)
	for _, s := range c.streams {
		switch {
		case s.idle:
			at = min(at, s.unused+linger)
		case s.waits:
			at = min(at, c.overdueAt(s))
		}
	}
	for _, p := range c.parts {
		if p.unused >= 0 {
			at = min(at, p.unused+linger)
		}
	}
	if c.lacks {
		at = min(at, c.nextTry())
	}
	return at
}
