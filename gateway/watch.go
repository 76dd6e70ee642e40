package gateway

import (
	"context"
	"sort"
	"strings"
	"sync"
	"time"

	"spate/assemble"
	"spate/event"
	"spate/format/manifest"
	"spate/format/span"
	"spate/gateway/fill"
)

// Watch is how much is there of what /s/ has under url, or what is served under a name with url as its first mirror, as far as that is known without asking anybody: an [event.Progress] with Bytes,
// Size, Conns, the connections that are open for it now, and Map, where the size is known. What is in the cache is there. It has no Time, so
// that two that tell the same are equal. false: it is not known, not allowed, or can be read in order alone.
//
// It may be called often: it takes as long as there are parts, and blocks of them. Where these are many, what it tells is up to a
// second old.
func (g *Gateway) Watch(url string) (event.Event, bool) {
	url, err := urlOf(url, "")
	if err != nil || g.opts.Policy.AllowURL(url) != nil {
		return event.Event{}, false
	}
	if e, ok := g.seen.get(url); ok {
		return e, true
	}
	p := g.look(url)
	if p == nil {
		return event.Event{}, false
	}
	e := p.progress()
	if p.cost > muchToSee {
		g.seen.keep(url, e)
	}
	return e, true
}

// look draws what url stands for; nil: that is not known.
func (g *Gateway) look(url string) *picture {
	ctx := context.Background()
	if !manifest.IsManifest(url, "") {
		if s := g.lookAtFile(ctx, url); s != nil {
			p := newPicture(s.Size)
			p.add(0, p.seen(s))
			return p
		}
	}
	k := g.layouts.get(url)
	if k == nil || k.layout == nil {
		return nil
	}
	return drawLayout(ctx, g.opts.Pool, k.layout)
}

// lookAtFile is what is there of the file at url, by itself or as the first mirror of one that has a name here.
func (g *Gateway) lookAtFile(ctx context.Context, url string) *fill.Sight {
	s := g.opts.Pool.Look(ctx, []string{url})
	for _, mirrors := range g.opts.Serve {
		if s == nil && mirrors[0] == url {
			s = g.opts.Pool.Look(ctx, mirrors)
		}
	}
	return s
}

// drawLayout draws the parts of l that the pool knows. A file that is several of them is looked at once.
func drawLayout(ctx context.Context, pool *fill.Pool, l *assemble.Layout) *picture {
	type identity struct {
		urls    string
		vouched bool
	}
	p, known := newPicture(l.Info.Size), map[identity]*sighted{}
	for i := range l.Extents {
		e := &l.Extents[i]
		urls := urlsOf(e)
		id := identity{strings.Join(urls, "\n"), e.Mirrors[0].Vouched}
		if known[id] == nil {
			s := pool.Look(vouching(ctx, e), urls)
			if p.cost++; s == nil {
				continue
			}
			known[id] = p.seen(s)
		}
		if s := known[id]; s.Size == e.Span.Len() { // else it has changed
			p.add(e.Span.Off, s)
		}
	}
	return p
}

// sighted is a file that was looked at, and how much of it is there, and there or on its way.
type sighted struct {
	*fill.Sight
	there, coming int64
}

// A picture is what is there of a stream, cell by cell.
type picture struct {
	size   int64   // -1: not known
	bounds []int64 // of the cells
	there  []int64 // bytes
	coming []int64 // bytes that are there, or on their way
	bytes  int64   // that are there
	conns  int
	cost   int // parts and blocks that were looked at
}

func newPicture(size int64) *picture {
	p := &picture{size: size}
	if size >= 0 {
		p.bounds = event.Cells(size)
		p.there, p.coming = make([]int64, len(p.bounds)-1), make([]int64, len(p.bounds)-1)
	}
	return p
}

// seen counts what is of the file s, wherever it is drawn.
func (p *picture) seen(s *fill.Sight) *sighted {
	p.conns += s.Conns
	p.cost += s.Blocks
	return &sighted{s, s.There.Bytes(), s.Coming.Bytes()}
}

// add draws s at off. Where it lies within a cell that costs the same whatever is there of it.
func (p *picture) add(off int64, s *sighted) {
	p.bytes += s.there
	if s.coming == 0 || p.size < 0 {
		return
	}
	if i := p.cell(off); off+s.Size <= p.bounds[i+1] {
		p.there[i] += s.there
		p.coming[i] += s.coming
		return
	}
	p.spread(p.there, off, &s.There)
	p.spread(p.coming, off, &s.Coming)
}

// cell is the one that has the byte at off.
func (p *picture) cell(off int64) int {
	return sort.Search(len(p.there), func(i int) bool { return p.bounds[i+1] > off })
}

// spread adds the bytes of set, which begins at off, to those of the cells.
func (p *picture) spread(cells []int64, off int64, set *span.Set) {
	for x := range set.All() {
		x = span.Span{Off: off + x.Off, End: off + x.End}
		for i := p.cell(x.Off); i < len(cells) && p.bounds[i] < x.End; i++ {
			cells[i] += x.Intersect(span.Span{Off: p.bounds[i], End: p.bounds[i+1]}).Len()
		}
	}
}

func (p *picture) progress() event.Event {
	e := event.Event{Type: event.Progress, Bytes: p.bytes, Size: p.size, Conns: p.conns}
	cells := make([]byte, len(p.there))
	for i := range cells {
		switch n := p.bounds[i+1] - p.bounds[i]; n {
		case p.there[i]:
			cells[i] = event.MapThere
		case p.coming[i]:
			cells[i] = event.MapAsked
		default:
			cells[i] = event.MapMissing
		}
	}
	e.Map = string(cells)
	return e
}

const (
	muchToSee = 1 << 14 // parts and blocks, that are looked at once a second
	maxSeen   = 64
)

// seen is what was last told of what takes long to look at. Its zero value is ready, and safe for concurrent use.
type seen struct {
	mu   sync.Mutex
	last map[string]told
}

type told struct {
	event.Event
	at time.Time
}

func (s *seen) get(url string) (event.Event, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.last[url]
	return e.Event, ok && time.Since(e.at) < time.Second
}

// keep keeps e, and forgets all others where they are too many.
func (s *seen) keep(url string, e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil || len(s.last) >= maxSeen {
		s.last = map[string]told{}
	}
	s.last[url] = told{e, time.Now()}
}
