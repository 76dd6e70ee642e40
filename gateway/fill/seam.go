package fill

import "slices"

// Behind one name there may be several machines, and of them some may have another version. Where a validator does not name the
// bytes, nothing but the bytes tells. So bytes of two answers are handed to one reader only where one of them gave bytes of the
// other's as well, and they were the same: a seam.
//
//   - A stream that begins behind what is there is asked for the end of that as well (stream.before).
//   - A stream that goes from one block into the next one has given both.
//   - What meets otherwise is compared once a reader wants to cross it: by a request across it (a probe).
//
// A block that is filled anew is another one: whoever has read of the one before may not go on with it.
type seams struct {
	of     map[int64]filling // by block
	proved map[int64]bool    // blocks that go together with the one before them
	count  int
}

// A filling is where the bytes of a block come from.
type filling struct {
	made int // counted from 1, over all blocks
	by   int // the mirror, from 1, that gave all of it, and whose validator names the bytes; 0: none
}

// same reports whether f is of the same bytes as o was.
func (f filling) same(o filling) bool { return f.made == o.made || f.named(o) }

// named reports whether the same mirror gave both, and vouches for them.
func (f filling) named(o filling) bool { return f.by != 0 && f.by == o.by }

// fillingAt is where the bytes of the block at off come from, as far as that matters.
func (c *core) fillingAt(off int64) filling { return c.seams.of[c.index(off)] }

// renew tells that block b is filled anew.
func (s *seams) renew(b int64) {
	if s.of == nil {
		s.of, s.proved = map[int64]filling{}, map[int64]bool{}
	}
	s.count++
	s.of[b] = filling{made: s.count}
	delete(s.proved, b)
	delete(s.proved, b+1)
}

// outdate tells streams other than s that what they have given of block b, which is begun anew, is not what is there.
func (c *core) outdate(b int64, s *stream) {
	for _, o := range c.streams {
		if o != s && o.off > c.from(b) {
			o.sure = max(o.sure, min(o.off, c.to(b)))
		}
	}
}

// continues reports whether what s brings may be put behind the n bytes that are there of block b: it has given, or was compared with, the
// end of them.
func (c *core) continues(s *stream, b, n int64) bool {
	return !c.vague || n == 0 || s.sure < c.from(b)+n
}

// holds is what there is in the place of n bytes at off, of one block: which filling of that, and how much of it up to their end.
func (c *core) holds(off, n int64) (made int, there int64) {
	b := c.index(off)
	switch p := c.parts[b]; {
	case c.has(b):
		there = c.to(b) - c.from(b)
	case p != nil:
		there = p.n
	}
	return c.seams.of[b].made, min(there, off+n-c.from(b))
}

// prove notes what follows from bytes of s at off, in block b.
func (c *core) prove(s *stream, b, off int64) {
	if c.vague && off >= c.from(b) && s.sure < c.from(b) && c.there(b-1) {
		c.seams.proved[b] = true
	}
}

// there reports whether block b is complete.
func (c *core) there(b int64) bool {
	p := c.parts[b]
	return p != nil && p.whole || c.has(b)
}

// begunAny reports whether there are bytes of block b.
func (c *core) begunAny(b int64) bool {
	p := c.parts[b]
	return p != nil && p.n > 0 || c.has(b)
}

type crossing int

const (
	mayCross crossing = iota
	unproved          // it is not known yet
	torn              // what came before is not there any more to be compared
)

// crosses says whether r may be given the next byte of its block, which is there.
func (c *core) crosses(r *reader) crossing {
	if !c.vague || r.pos == r.start {
		return mayCross
	}
	b := c.index(r.pos)
	now := c.seams.of[b]
	if r.pos > c.from(b) {
		if !r.last.same(now) {
			return torn
		}
		return mayCross
	}
	before := c.seams.of[b-1]
	switch {
	case r.last.named(now):
		return mayCross
	case !r.last.same(before):
		return torn
	case c.seams.proved[b]:
		return mayCross
	case !c.there(b - 1):
		return torn
	}
	return unproved
}

// compares is how many bytes before off are there for a stream that begins at off, in block b, to be compared with.
func (c *core) compares(b, off int64) int64 {
	if !c.vague {
		return 0
	}
	n := off - c.from(b)
	if n < overlap && b > 0 && c.has(b-1) && (n == 0 || c.seams.proved[b]) {
		n += c.to(b-1) - c.from(b-1)
	}
	return min(n, overlap)
}

// checked is a block that a mirror can be compared by; -1 if nothing is there.
func (c *core) checked(b int64) int64 {
	for _, r := range c.readers {
		if at := c.index(r.pos); c.has(at) {
			return at
		} else if at > 0 && c.has(at-1) {
			return at - 1
		}
	}
	for i := b; i >= 0 && i > b-64; i-- {
		if c.has(i) {
			return i
		}
	}
	if c.has(0) {
		return 0
	}
	return -1
}

// join has what is on either side of block b's beginning compared. Where the block before has just come, and is not kept yet, that is
// for when it is.
func (c *core) join(b int64) {
	if !c.has(b - 1) {
		return
	}
	for _, s := range c.streams {
		if s.probe && s.off == c.from(b) {
			return
		}
	}
	m := c.choose(-1)
	if m < 0 {
		c.lacks = true
		return
	}
	if !c.makeRoom(waitedFor) {
		return
	}
	c.probe(m, c.from(b))
}

// probe has a mirror asked for what is on either side of off.
func (c *core) probe(mirror int, off int64) *stream {
	s := c.add(mirror, off, off+1)
	s.probe = true
	c.out = append(c.out, action{kind: begin, stream: s, check: -1})
	return s
}

// seamAt is what meets where block b begins.
func (c *core) seamAt(b int64) [2]filling { return [2]filling{c.seams.of[b-1], c.seams.of[b]} }

// joined tells that the comparison of s was well, of what met there when it was read. Those that are to compare the same are needed no
// more.
func (c *core) joined(s *stream, was [2]filling) {
	b := c.index(s.off)
	if now := c.seamAt(b); !c.remove(s) || now[0].made != was[0].made || now[1].made != was[1].made {
		return
	}
	c.seams.proved[b] = true
	c.mirrors[s.mirror].fails = 0
	for _, o := range slices.Clone(c.streams) {
		if o.probe && o.off == s.off {
			c.halt(o)
		}
	}
}
