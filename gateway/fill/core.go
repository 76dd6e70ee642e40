package fill

import (
	"math"
	"slices"
	"time"
)

// endless is the end of what has none, or none that is known.
const endless = math.MaxInt64

// What a core goes by. They are those of the package's documentation.
const (
	near        = 1 << 20   // a stream so little before what is wanted is waited for
	firstAhead  = 256 << 10 // what is read ahead begins with, once that much was read without a gap
	mostAhead   = 8 << 20
	linger      = 2 * time.Second // how long a stream is kept that nobody needs
	overlap     = 16 << 10        // how much of two answers is compared
	leastSeam   = 256             // less proves nothing
	minPatience = 2 * time.Second
	maxPatience = 6 * time.Second
	longest     = 30 * time.Second // that patience grows to
)

// The priorities of streams, the first first.
const (
	waitedFor  = iota // a reader waits for what it brings next
	aheadOf           // a reader will want it
	background        // nobody has asked for it
	unneeded          // nothing more is wanted of it for now
	free              // none of them
)

// A core decides which bytes of one file are asked for, and of whom. It is a pure state machine: no I/O, no clock, no
// goroutine, and it holds no bytes. Times are counted from when the file was begun and never go back.
//
// A block is there (has), or partly there (parts), or missing. Bytes of a block come in order; which stream brings them does
// not matter: what is already there is dropped. So two streams can race for the same bytes, a stream can go on in the middle of
// a block that another has begun, and whoever waits, waits for a block, not for a stream.
//
// Where a validator does not name the bytes (vague), a byte is handed out behind another only if one answer gave both, or gave
// some on either side that were compared with what is there: see seam.go.
type core struct {
	block   int64
	most    int  // streams
	fill    bool // all of it, whether or not somebody wants it
	has     func(index int64) bool
	room    func() int64 // how far may be read ahead
	used    func() bool  // somebody has the file open
	known   bool         // an answer has told what it is
	single  bool         // there are no ranges: one stream from the beginning
	vague   bool
	founder int   // the mirror that answered first
	size    int64 // -1: not known

	parts   map[int64]*part
	readers []*reader
	streams []*stream
	mirrors []*mirror
	trails  [8]trail
	seams   seams

	lastID int
	filled int64 // blocks before this were filled in the background
	misses int   // times somebody was overdue, since anything came
	ahead  int64 // what room was when it was planned last
	full   int   // for this priority, and later ones, there is no connection, until something changes
	short  bool  // something is needed for which there is no connection
	lacks  bool  // something is needed and nobody could be asked
	spent  bool  // the mirrors have failed, and nobody waited who could be told
	now    time.Duration
	out    []action
	counts counts
}

// counts are those of Stats that the core knows.
type counts struct{ joins, stalls, hedges int64 }

// A part is a block that is being filled.
type part struct {
	n      int64 // bytes of it that are there
	whole  bool  // all are; it will be there, or spoiled, in a moment
	unused time.Duration
}

// A reader wants bytes from pos on.
type reader struct {
	start, pos, end int64
	bounded         bool // the end was asked for
	follows         bool // it goes on where another has stopped
	asks            bool // only what the file is
	waits           bool
	failed          bool // the core has given up
	run             int64
	joined          int     // the stream it last found on its way
	looked          int64   // what comes before is there, or on its way, or was when it was looked at
	last            filling // that it has read the last byte of
}

// A trail is where a reader has stopped: one that begins there goes on with its run.
type trail struct{ off, run int64 }

type phase int

const (
	queued  phase = iota // for a connection
	asking               // for an answer
	reading              // its body
)

// A stream is a request, from its wish to its last byte.
type stream struct {
	id, mirror int
	phase      phase
	off        int64 // of the next byte
	end        int64 // of what is asked of it
	want       int64 // the first byte it is to bring; what comes before is compared, or was not asked for
	before     int64 // how much of that is asked for
	sure       int64 // from here on all it has brought was taken or compared
	probe      bool  // it compares what is on either side of off, and brings nothing
	fill       bool  // it was begun in the background
	prio       int   // as it was told to whoever gives out connections
	rival      int   // the stream it is to overtake; -1: none

	gave   int64         // bytes that were new
	gap    time.Duration // smoothed, between bytes
	since  time.Duration // it is waited for
	waits  bool          // for bytes: time counts
	late   bool          // it is overdue
	tried  time.Duration // somebody else was last asked in its place
	idle   bool
	unused time.Duration // idle since then
}

// An action is what a core wants done.
type action struct {
	kind   actionKind
	stream *stream // begin, halt
	reader *reader // fail, rouse
	first  bool    // begin: nobody knows yet what the file is
	check  int64   // begin: a block to compare with the mirror's before it is trusted; -1: none
}

type actionKind int

const (
	begin actionKind = iota
	halt
	fail
	rouse
)

func newCore(block int64, mirrors []*mirror) *core {
	return &core{block: block, most: 4, size: -1, ahead: mostAhead, full: free, mirrors: mirrors, parts: map[int64]*part{},
		has: func(int64) bool { return false }, room: func() int64 { return mostAhead }, used: func() bool { return true }}
}

func (c *core) index(off int64) int64 { return off / c.block }
func (c *core) from(b int64) int64    { return b * c.block }

// to is where block b ends.
func (c *core) to(b int64) int64 {
	end := (b + 1) * c.block
	if c.size >= 0 {
		return min(end, c.size)
	}
	return end
}

// floor is where the block of off begins.
func (c *core) floor(off int64) int64 { return off - off%c.block }

// ceil is the end of the block that ends at off or behind.
func (c *core) ceil(off int64) int64 {
	if off > endless-c.block {
		return endless
	}
	return c.floor(off + c.block - 1)
}

// need is the next byte that is missing of block b.
func (c *core) need(b int64) int64 {
	if p := c.parts[b]; p != nil {
		return c.from(b) + p.n
	}
	return c.from(b)
}

// attach adds a reader. One that begins where another has stopped goes on with its run.
func (c *core) attach(r *reader) {
	r.start = r.pos
	for _, t := range c.trails {
		if t.run > 0 && t.off == r.pos {
			r.run, r.follows = t.run, true
		}
	}
	c.readers = append(c.readers, r)
}

// detach takes a reader out.
func (c *core) detach(r *reader) {
	for i, o := range c.readers {
		if o == r {
			c.readers = append(c.readers[:i], c.readers[i+1:]...)
			c.full = free
			copy(c.trails[1:], c.trails[:])
			c.trails[0] = trail{r.pos, r.run}
			return
		}
	}
}

// move tells that r has read n bytes of from. It reports whether there is something to plan anew.
func (c *core) move(r *reader, n int64, from filling) bool {
	was := c.index(r.pos)
	r.last = from
	r.pos += n
	r.run += n
	if c.index(r.pos) == was {
		return false
	}
	c.full = free // the stream that brought it is not waited for now
	return true
}

// credit is how far is read ahead of r.
func (c *core) credit(r *reader) int64 {
	if r.run < firstAhead {
		return 0
	}
	return min(r.run, mostAhead, c.ahead)
}

// window is what r wants of the file, in whole blocks.
func (c *core) window(r *reader) (from, to int64) {
	if r.asks || r.failed || c.size == 0 {
		return max(r.pos, 0), max(r.pos, 0)
	}
	from = c.floor(r.pos)
	want := max(r.pos+1, r.pos+c.credit(r))
	if r.bounded {
		want = max(want, min(r.end, r.pos+min(near, c.ahead)))
	}
	if !r.follows { // else whoever asks range by range will ask for more
		want = min(want, max(r.end, r.pos))
	}
	to = c.ceil(want)
	if c.size >= 0 {
		to = min(to, c.size)
	}
	return from, to
}

// learn takes what the first answer told.
func (c *core) learn(mirror int, size int64, single, named bool) {
	c.known, c.founder, c.size = true, mirror, size
	c.single = c.single || single
	c.vague = !named || len(c.mirrors) > 1
	m := c.mirrors[mirror]
	m.trusted, m.named = true, named
}

// sized takes the size, once the end was seen.
func (c *core) sized(size int64) { c.size = size }

// asked tells that the request of s is sent now.
func (c *core) asked(now time.Duration, s *stream) {
	c.now = now
	s.phase, s.since, s.waits = asking, now, true
}

// answered tells where the answer of s begins and ends; end is endless where nobody knows.
func (c *core) answered(now time.Duration, s *stream, off, end int64) {
	c.now = now
	m := c.mirrors[s.mirror]
	m.setup = smooth(m.setup, now-s.since)
	s.phase, s.since, s.waits, s.late = reading, now, false, false
	s.end = min(s.end, end)
	if off < s.want-s.before {
		c.single, s.end = true, end
	}
	s.off, s.sure = off, off
}

// awaits tells that s reads, having waited for somebody to want what comes.
func (c *core) awaits(now time.Duration, s *stream) {
	c.now = now
	s.since, s.waits = now, true
}

func smooth(was, now time.Duration) time.Duration {
	if was == 0 {
		return now
	}
	return was + (now-was)/4
}

// find is the stream of that number; nil if there is none.
func (c *core) find(id int) *stream {
	for _, s := range c.streams {
		if s.id == id {
			return s
		}
	}
	return nil
}

// remove takes s out. It reports whether it was there.
func (c *core) remove(s *stream) bool {
	for i, o := range c.streams {
		if o == s {
			c.streams = append(c.streams[:i], c.streams[i+1:]...)
			c.full = free
			return true
		}
	}
	return false
}

// halt ends s.
func (c *core) halt(s *stream) {
	if c.remove(s) {
		c.out = append(c.out, action{kind: halt, stream: s})
	}
}

// taken is what becomes of bytes that came: of n from Skip on, which belong at At of the block; whole tells that it is complete.
type taken struct {
	index    int64
	skip, at int64
	n        int64
	whole    bool
}

// take tells that s has brought n bytes of one block. Of these some, or none, are new.
func (c *core) take(now time.Duration, s *stream, n int64) taken {
	c.now = now
	off := s.off
	s.off += n
	s.gap = smooth(s.gap, now-s.since)
	s.since, s.late = now, false
	b := c.index(off)
	t := taken{index: b, at: off - c.from(b)}
	if c.has(b) {
		c.found(b)
		c.prove(s, b, off)
		return t
	}
	p := c.parts[b]
	if p == nil {
		if t.at > 0 {
			return t
		}
		p = c.begun(b, s)
	}
	c.prove(s, b, off)
	if p.whole || t.at > p.n || t.at+n <= p.n || !c.continues(s, b, p.n) {
		return t
	}
	t.skip = p.n - t.at
	t.at, t.n = p.n, n-t.skip
	p.n += t.n
	t.whole = c.from(b)+p.n == c.to(b)
	p.whole = t.whole
	c.gained(s, b, t.n)
	return t
}

// begun makes a part of block b.
func (c *core) begun(b int64, s *stream) *part {
	p := &part{unused: -1}
	c.parts[b] = p
	if c.vague {
		c.seams.renew(b)
		c.outdate(b, s)
		if c.mirrors[s.mirror].named {
			c.seams.of[b] = filling{c.seams.count, s.mirror + 1}
		}
	}
	return p
}

// gained notes that s has brought something new.
func (c *core) gained(s *stream, b, n int64) {
	s.gave += n
	c.misses = 0
	m := c.mirrors[s.mirror]
	m.trusted, m.gave = true, true
	if s.gave >= min(crumb, c.block) && m.fails > 0 {
		m.fails, m.until = 0, 0
	}
	if f, ok := c.seams.of[b]; ok && f.by != s.mirror+1 {
		f.by = 0
		c.seams.of[b] = f
	}
}

// found is for a block that is there: who shares the cache may have brought it, and what there is of it besides is not needed.
func (c *core) found(b int64) {
	if p := c.parts[b]; p != nil && !p.whole {
		delete(c.parts, b)
	}
}

// stored tells that the block is there, and was brought by s. Who raced for it has lost.
func (c *core) stored(b int64, s *stream) {
	delete(c.parts, b)
	if c.filled == b {
		c.filled++
	}
	for _, o := range slices.Clone(c.streams) {
		inside := !c.single && c.from(b) <= o.off && o.off < c.to(b)
		if o != s && !o.probe && (inside || o.races(s) && o.off <= s.off) {
			c.halt(o)
		}
	}
}

// races reports whether s and o are to bring the same.
func (s *stream) races(o *stream) bool { return s.rival == o.id || o.rival == s.id }

// spoiled tells that what came of a block is wrong.
func (c *core) spoiled(b int64) { delete(c.parts, b) }

// over reports whether s has nothing more to bring: it is at its end, or where others are, or were.
func (c *core) over(s *stream) bool {
	if s.off >= s.end || c.size >= 0 && s.off >= c.size {
		return true
	}
	b := c.index(s.off)
	if c.single || s.off < s.want || s.off > c.from(b) {
		return false
	}
	return c.there(b) || slices.ContainsFunc(c.streams, func(o *stream) bool {
		return o != s && !o.probe && !o.races(s) && o.off > s.off && o.off <= c.need(b) // else its beginning has gone
	})
}
