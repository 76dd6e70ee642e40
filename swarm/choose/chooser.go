package choose

import (
	"slices"
	"time"

	"spate/swarm/wire"
)

// Options say whose Chooser it is.
type Options struct {
	// Self are the addresses under which others know this peer: it is never asked. The first is the one that it announces.
	Self []wire.Addr
	// Last is the index of the last chunk, from 1 on. Memory is proportional to it, so whoever reads it bounds it.
	Last int
	// Window is how many questions may be open at a time: 1 for trackers that take a segment to be a message. Default 32.
	Window int
	// Parallel is how many requests may be open at a time, each to another source. Default 64: those that wait cost nothing, and
	// whoever waits at few places is often idle.
	Parallel int
	// Patience is how long a request waits for its first byte before the chunk is asked for elsewhere, too, where somebody is idle.
	// Whoever waits is dropped once it has begun to come from elsewhere: not every server of others survives that, so towards
	// strangers it is better long. Default 250 ms. A request that is not connected is waited for a second at most.
	Patience time.Duration
	// ChunkSize is how many bytes a chunk has, where chunks that are here tell it. Default: what arrives tells it.
	ChunkSize int64
}

func (o Options) withDefaults() Options {
	if o.Window <= 0 {
		o.Window = 32
	}
	if o.Parallel <= 0 {
		o.Parallel = 64
	}
	if o.Patience <= 0 {
		o.Patience = 250 * time.Millisecond
	}
	return o
}

// Request is for a chunk, from one of those who have it.
type Request struct {
	Chunk int
	From  wire.Addr
}

// Chooser is what one peer knows of its swarm. It is not safe for concurrent use. Make it with New.
type Chooser struct {
	o       Options
	own     uint64 // of the first of Self, for ranks
	chunks  []chunk
	missing int
	sources []*source // in the order in which they were learnt of
	byAddr  map[wire.Addr]*source
	open    []*flight // in the order in which they were begun
	cancel  []Request // to be handed out by the next Next
	asks    asks
	typical int64         // bytes of a chunk: the largest so far
	service time.Duration // from the first byte of a chunk to its last, on the average
	wake    time.Duration // 0: not set by the last Next
	rarer   func(a, b *chunk) bool
	choices []choice // in this order
}

// choice is what a source that is idle is asked for, or nil.
type choice func(now time.Duration, s *source) *chunk

// chunk is one that is missing, or there.
type chunk struct {
	index   int
	here    bool
	holders []*source
	live    int32 // of them, those that are not out
	rank    int32 // how many of the peers that are not out have a higher weight
	weight  uint64
	flights []*flight
	spoilt  []spoilt
	ask     asking
}

// source is a peer that has chunks.
type source struct {
	addr   wire.Addr
	hash   uint64
	flight *flight
	wanted []int   // chunks that it has; some may be here by now
	rate   float64 // bytes per nanosecond, 0: not known
	trust
}

// flight is a request that is open.
type flight struct {
	Request
	source *source
	began  time.Duration
	heard  bool          // it is connected
	first  time.Duration // when the first byte was there
	last   time.Duration // when bytes came last
	bytes  int64
}

func (f *flight) waits() bool { return f.bytes == 0 }

// New returns a Chooser that lacks every chunk and knows nobody.
func New(o Options) *Chooser {
	c := &Chooser{o: o.withDefaults(), byAddr: map[wire.Addr]*source{}, missing: max(o.Last, 0), typical: o.ChunkSize, rarer: rarer}
	c.choices = []choice{c.pick, c.hedge, c.replace}
	if len(o.Self) > 0 {
		c.own = hashOf(o.Self[0])
	}
	c.chunks = make([]chunk, c.missing+1)
	for i := range c.chunks {
		c.chunks[i] = chunk{index: i, weight: weight(c.own, i)}
	}
	c.chunks[0].here = true // there is none
	c.asks.fill(c)
	return c
}

func (c *Chooser) chunk(i int) *chunk {
	if i < 1 || i >= len(c.chunks) {
		return nil
	}
	return &c.chunks[i]
}

// Missing returns how many chunks are not here.
func (c *Chooser) Missing() int { return c.missing }

// Have says that a chunk is here: from the beginning, or since. Whatever is open for it is cancelled by the next Next.
func (c *Chooser) Have(i int) {
	ch := c.chunk(i)
	if ch == nil || ch.here {
		return
	}
	for _, f := range slices.Clone(ch.flights) {
		c.drop(f)
	}
	ch.here = true
	c.missing--
	c.asks.known(ch)
	ch.holders, ch.live, ch.spoilt, ch.flights = nil, 0, nil, nil
}

// Lose says that a chunk is not here after all. It is asked for anew, of the tracker too.
func (c *Chooser) Lose(now time.Duration, i int) {
	ch := c.chunk(i)
	if ch == nil || !ch.here {
		return
	}
	ch.here, ch.rank = false, 0
	c.missing++
	for _, s := range c.sources {
		s.wanted = slices.DeleteFunc(s.wanted, func(j int) bool { return j == i })
		if !s.out && weight(s.hash, i) > ch.weight {
			ch.rank++
		}
	}
	if !ch.ask.queued {
		ch.ask.due = now
		c.asks.push(ch)
	}
}

// Located says what the tracker answered: who has a chunk. Nobody: it is not known yet.
func (c *Chooser) Located(now time.Duration, i int, holders []wire.Addr) {
	ch := c.chunk(i)
	if ch == nil {
		return
	}
	for _, a := range holders {
		if !ch.here && !slices.Contains(c.o.Self, a) {
			c.hold(ch, a)
		}
	}
	c.asks.answered(now, ch)
}

// hold notes that somebody has a chunk.
func (c *Chooser) hold(ch *chunk, a wire.Addr) {
	s := c.source(a)
	if s == nil || slices.Contains(ch.holders, s) {
		return
	}
	if len(ch.holders) == 0 {
		c.asks.known(ch)
	}
	ch.holders = append(ch.holders, s)
	s.wanted = append(s.wanted, ch.index)
	if !s.out {
		ch.live++
	}
}

// sourcesMost bounds how many peers are known, whatever a tracker tells.
const sourcesMost = 4096

// source returns what is known by an address: nil if too much is known already.
func (c *Chooser) source(a wire.Addr) *source {
	if s := c.byAddr[a]; s != nil {
		return s
	}
	if len(c.sources) >= sourcesMost && !c.forget() {
		return nil
	}
	s := &source{addr: a, hash: hashOf(a)}
	c.byAddr[a] = s
	c.sources = append(c.sources, s)
	c.count(s, +1)
	return s
}

// forget makes room for another source, if there is one that cannot be reached.
func (c *Chooser) forget() bool {
	i := slices.IndexFunc(c.sources, func(s *source) bool { return s.out && s.flight == nil })
	if i < 0 {
		return false
	}
	s := c.sources[i]
	c.sources = slices.Delete(c.sources, i, i+1)
	delete(c.byAddr, s.addr)
	for _, j := range s.wanted {
		ch := &c.chunks[j]
		ch.holders = slices.DeleteFunc(ch.holders, func(h *source) bool { return h == s })
		ch.spoilt = slices.DeleteFunc(ch.spoilt, func(p spoilt) bool { return p.source == s })
	}
	return true
}

// Holders returns who is known to have a missing chunk.
func (c *Chooser) Holders(i int) []wire.Addr {
	ch := c.chunk(i)
	if ch == nil {
		return nil
	}
	var all []wire.Addr
	for _, s := range ch.holders {
		all = append(all, s.addr)
	}
	return all
}
