package fill

import (
	"context"
	"slices"

	"spate/format/span"
	"spate/source"
)

// A Sight is what is there of a file at one moment.
type Sight struct {
	Size   int64    // -1: not known
	There  span.Set // in memory, or in the Cache
	Coming span.Set // There, and what connections are about to bring: as much of it as somebody wants now
	Conns  int      // that are open for it
	Blocks int      // that were found
}

// Look is what is there of the file of the mirrors, without asking anybody, and without using it: it is remembered no longer for that.
// nil: it is not known. ctx says whether the mirrors are vouched for, as that of Open does. It takes as long as there are blocks, be
// the file as large as it likes.
func (p *Pool) Look(ctx context.Context, mirrors []string) *Sight {
	p.mu.Lock()
	o := p.objects[keyOf(mirrors, source.IsVouched(ctx))]
	p.mu.Unlock()
	if o == nil {
		return nil
	}
	return o.look()
}

func (o *object) look() *Sight {
	o.mu.Lock()
	if !o.core.known || o.dead != nil || o.store == nil {
		o.mu.Unlock()
		return nil
	}
	s, block, st := o.core.sight(), o.core.block, o.store
	o.mu.Unlock()
	s.find(block, st.indexes())
	return s
}

// sight is what the core itself knows: of blocks that are being filled what is there, and what comes next.
func (c *core) sight() *Sight {
	s := &Sight{Size: c.size}
	for b, p := range c.parts {
		s.There.Add(span.Span{Off: c.from(b), End: c.from(b) + p.n})
	}
	for _, o := range c.streams {
		if o.phase == queued {
			continue
		}
		s.Conns++
		if end := c.quota(o); !o.probe && end < endless {
			s.Coming.Add(span.Span{Off: o.off, End: end})
		}
	}
	return s
}

// find adds the blocks that are there, which may come in any order.
func (s *Sight) find(block int64, indexes []int64) {
	slices.Sort(indexes)
	var all span.Set // in order: what is put in the middle of many costs more
	for _, b := range slices.Compact(indexes) {
		all.Add(span.Span{Off: b * block, End: (b + 1) * block})
		s.Blocks++
	}
	all.AddSet(&s.There)
	s.There = all
	s.Coming.AddSet(&all)
	if s.Size >= 0 {
		beyond := span.Span{Off: s.Size, End: endless}
		s.There.Remove(beyond)
		s.Coming.Remove(beyond)
	}
}
