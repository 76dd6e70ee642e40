package fill

import (
	"context"
	"errors"
	"testing"
	"time"

	"spate/source"
)

// A block that was begun anew, from another answer, is not that which a stream has brought the end of: what the stream brings next does
// not go together with it for that.
func TestSeamWithWhatWasBegunAnew(t *testing.T) {
	p := newScript(t, 1, false)
	p.reader(0, 3*sblk)
	p.plan()
	first := p.answer(1)
	p.bring(first, sblk)
	delete(p.there, 0)
	other := p.c.add(0, 0, sblk)
	p.bring(p.answer(other.id), sblk)
	p.bring(first, 100)
	if p.c.seams.proved[1] {
		t.Error("what two answers gave is taken for one's")
	}
}

// Nor is more of a block put behind what another answer has begun anew, where that ends right there.
func TestPartThatWasBegunAnew(t *testing.T) {
	p := newScript(t, 1, false)
	p.reader(0, sblk)
	p.plan()
	first := p.answer(1)
	p.bring(first, 1000)
	delete(p.c.parts, 0)
	other := p.c.add(0, 0, sblk)
	p.bring(p.answer(other.id), 1000)
	if p.bring(first, 100); p.c.parts[0].n != 1000 {
		t.Errorf("%d bytes of two answers that nobody compared", p.c.parts[0].n)
	}
	if p.bring(other, 100); p.c.parts[0].n != 1100 {
		t.Errorf("%d bytes", p.c.parts[0].n)
	}
}

// A comparison proves nothing of a block that was begun anew since it was read.
func TestSeamThatChangesWhileItIsCompared(t *testing.T) {
	for _, anew := range []int64{0, 1} {
		p := newScript(t, 1, false)
		r := p.reader(0, 2*sblk)
		p.plan()
		p.bring(p.answer(1), sblk)
		p.c.move(r, sblk, p.c.fillingAt(0))
		p.c.seams.renew(1)
		p.there[1] = true
		p.plan()
		s := p.c.streams[len(p.c.streams)-1]
		if !s.probe {
			t.Fatal("nothing is compared")
		}
		was := p.c.seamAt(1)
		p.c.seams.renew(anew)
		if p.c.joined(s, was); p.c.seams.proved[1] {
			t.Errorf("block %d was begun anew, and was not compared", anew)
		}
	}
}

// What comes to the place of some bytes, while they are compared with what was there, is compared with them as well.
func TestBlockThatChangesWhileItIsCompared(t *testing.T) {
	src := &pulse{size: 4 * blk, piece: chunk, gap: time.Millisecond, tag: `W/"1"`}
	cache := &hooked{shelf: newShelf(1)}
	inBubble(t, src, Options{Cache: cache}, func(_ *Pool, f *File) {
		time.Sleep(linger + time.Second)
		o := f.o
		if err := o.store.disk.Put(1, content(blk)); err != nil {
			t.Fatal(err)
		}
		cache.get = func(int64) bool { // it goes, and another stream begins it anew, with other bytes
			o.store.disk.Drop(1, 1)
			o.mu.Lock()
			defer o.mu.Unlock()
			o.core.begun(1, o.core.add(0, blk, 2*blk)).n = 1000
			o.bufs[1] = newSlab(make([]byte, blk))
			return false
		}
		ctx, cancel := context.WithCancelCause(o.ctx)
		defer cancel(nil)
		o.mu.Lock()
		r := &running{o: o, stream: o.core.add(0, blk, 2*blk), ctx: ctx, cancel: cancel}
		o.mu.Unlock()
		if err := r.take(content(blk + 1000)[blk:]); !errors.Is(err, source.ErrChanged) {
			t.Errorf("other bytes are taken for those that came: %v", err)
		}
	})
}
