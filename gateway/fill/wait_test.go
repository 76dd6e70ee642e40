package fill

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// hooked is a Cache whose objects tell of what is asked of them.
type hooked struct {
	*shelf
	has func(index int64) (knows bool) // false: it has not, now
	put func(index int64)
	get func(index int64) (finds bool)
}

type hookedBlocks struct {
	Blocks
	h *hooked
}

func (h *hooked) Object(id ID) (Blocks, error) {
	b, err := h.shelf.Object(id)
	return &hookedBlocks{b, h}, err
}

func (b *hookedBlocks) Has(index int64) bool {
	return (b.h.has == nil || b.h.has(index)) && b.Blocks.Has(index)
}

func (b *hookedBlocks) Put(index int64, data []byte) error {
	if b.h.put != nil {
		b.h.put(index)
	}
	return b.Blocks.Put(index, data)
}

func (b *hookedBlocks) Get(index int64, off int, p []byte) (int, bool) {
	if b.h.get != nil && !b.h.get(index) {
		return 0, false
	}
	return b.Blocks.Get(index, off, p)
}

// A block that another reader opens, just when one has found that it is not in memory and not in the cache either, is found.
func TestBlockThatComesToMemoryMeanwhile(t *testing.T) {
	src := &pulse{size: 3 * blk, piece: chunk, gap: time.Millisecond}
	cache := &hooked{shelf: newShelf(1)}
	inBubble(t, src, Options{Cache: cache, Memory: blk}, func(_ *Pool, f *File) {
		all := from(t, f, 0, -1)
		full(t, all, 0, 3*blk)
		all.Close()
		time.Sleep(linger + time.Second)
		s := f.o.store
		var once atomic.Bool
		cache.has = func(index int64) bool {
			if index > 0 || !once.CompareAndSwap(false, true) {
				return true
			}
			if b := s.open(0); b != nil {
				b.release()
			}
			return false
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		r, err := f.Open(ctx, 0, blk)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		full(t, r, 0, blk)
		if !once.Load() {
			t.Error("the cache was not asked")
		}
	})
}

// A block that the cache is about to keep is not begun anew, though memory has no room for it.
func TestBlockIsKeptBeforeItGoes(t *testing.T) {
	src := &pulse{size: 40 * blk, piece: chunk, gap: time.Millisecond, tag: `W/"1"`}
	release := make(chan struct{})
	cache := &hooked{shelf: newShelf(1)}
	cache.put = func(index int64) {
		if index == 10 {
			<-release
		}
	}
	inBubble(t, src, Options{Cache: cache, Memory: blk}, func(_ *Pool, f *File) {
		release = make(chan struct{}) // one of the bubble
		first := from(t, f, 10*blk, blk)
		defer first.Close()
		full(t, first, 10*blk, blk)
		for _, at := range []int64{20, 30} {
			r := from(t, f, at*blk, blk)
			full(t, r, at*blk, blk)
			r.Close()
		}
		was := src.requests()
		r := from(t, f, 10*blk, blk)
		defer r.Close()
		full(t, r, 10*blk, blk)
		if n := src.requests() - was; n > 0 {
			t.Errorf("%d requests for a block that is there", n)
		}
		close(release)
	})
}

// actionsOf are those of a kind that are for a reader.
func actionsOf(out []action, kind actionKind, r *reader) int {
	return len(slices.DeleteFunc(out, func(a action) bool { return a.kind != kind || a.reader != r }))
}

// Who waits for a comparison with a block that goes meanwhile is told.
func TestBlockThatWasToBeComparedGoes(t *testing.T) {
	p := newScript(t, 1, false)
	r := p.reader(0, 2*sblk)
	p.plan()
	p.bring(p.answer(1), sblk)
	p.c.move(r, sblk, p.c.fillingAt(0))
	p.c.seams.renew(1)
	p.there[1] = true
	if p.c.plan(p.now); p.c.crosses(r) != unproved || len(p.c.streams) == 0 {
		t.Fatal("it is not compared")
	}
	delete(p.there, 0)
	if n := actionsOf(p.c.plan(p.now), rouse, r); n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

// What others have brought to the cache meanwhile is found, and what there is of it besides is dropped.
func TestPartThatTheCacheHas(t *testing.T) {
	p := newScript(t, 1, true)
	r := p.reader(0, 2*sblk)
	p.plan()
	s := p.answer(1)
	p.bring(s, 100)
	p.c.move(r, 100, p.c.fillingAt(0))
	p.there[0] = true
	if n := actionsOf(p.c.plan(p.now), rouse, r); n != 1 || p.c.parts[0] != nil {
		t.Errorf("it was told %d times: %+v", n, p.c.parts[0])
	}
	p.c.begun(1, s).n = 100
	p.there[1] = true
	s.off = sblk + 100
	if p.bring(s, 100); p.c.parts[1] != nil {
		t.Errorf("%+v", p.c.parts[1])
	}
}
