package assemble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"math"
	"sync"

	"spate/source"
)

// A fill fetches one URL into the store. It belongs to the memo, not to the part that began it: that part may be
// dropped while others read along.
type fill struct {
	m    *memo
	to   target
	info source.Info
	sha  hash.Hash     // of a promised digest; nil: none
	done chan struct{} // closed when it is over

	mu      sync.Mutex
	cond    *sync.Cond
	blocks  []stored // all of storeBlock bytes, but for the last when over
	tail    []byte   // what came after blocks
	n       int64    // bytes in blocks and tail
	over    bool
	err     error // why it is over; nil: it is whole
	readers []*joined
	owner   *spot // of the first part in the stream that it was fetched for
	dropped bool  // no longer in the memo: freed once the last reader left
	used    int64
	cancel  context.CancelFunc
	sum     func() []byte // SHA-256 of a whole fill, computed once
}

// holds reports whether the fill may serve to, of a part of so many bytes (-1: not known), from off on, its digest
// aside. Where the fill does not know its size yet, its readers find out.
func (f *fill) holds(to target, size, off int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.size()
	switch {
	case f.over && f.err != nil:
		return false
	case own >= 0 && (own < off || to.size >= 0 && to.size != own || size >= 0 && size != own):
		return false
	}
	return to.size < 0 || size < 0 || to.size == size
}

// size is that of the whole, -1 where it is not known. f.mu is held.
func (f *fill) size() int64 {
	if f.over {
		return f.n
	}
	return max(f.info.Size, f.to.size)
}

func (f *fill) join(to target, l *Leaf, clock int64) *joined {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := &joined{f: f, t: &l.t, pos: l.spot, off: l.t.off, size: max(f.size(), to.size, l.size)}
	f.readers = append(f.readers, j)
	f.used = clock
	if f.owner == nil || f.owner.unread.Load() {
		f.owner, j.adopted = l.spot, true
	}
	f.cond.Broadcast()
	return j
}

func (f *fill) isStray() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.owner.unread.Load()
}

// Ahead is that of the nearest reader: joining a fill raises it.
func (f *fill) Ahead() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	least := int64(math.MaxInt64)
	for _, j := range f.readers {
		least = min(least, j.pos.Ahead())
	}
	return least
}

func (f *fill) run(ctx context.Context, p *pull) {
	stop := context.AfterFunc(ctx, f.wake)
	err := f.fetch(ctx, p)
	stop()
	p.Close()
	f.cancel()
	f.mu.Lock()
	f.over, f.err = true, err
	close(f.done)
	f.cond.Broadcast()
	f.freeIfUnused()
	f.mu.Unlock()
	if err != nil {
		f.m.forget(f)
	}
}

// fetch reads p to its end.
func (f *fill) fetch(ctx context.Context, p *pull) error {
	f.mu.Lock()
	f.tail = make([]byte, 0, storeBlock)
	f.mu.Unlock()
	for {
		if err := f.throttle(ctx); err != nil {
			return err
		}
		n, err := p.read(ctx, f.tail[len(f.tail):storeBlock])
		if n > 0 {
			err = f.publish(n)
		}
		switch {
		case err == io.EOF:
			return f.finish()
		case err != nil:
			return err
		}
	}
}

// throttle waits until some reader needs more than there is.
func (f *fill) throttle(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ctx.Err() == nil {
		for _, j := range f.readers {
			if f.n-j.off < f.m.window(j.pos.Ahead() == 0) {
				return nil
			}
		}
		f.cond.Wait()
	}
	return ctx.Err()
}

// publish makes n more bytes of the tail readable and stores a tail that is full.
func (f *fill) publish(n int) error {
	if f.sha != nil {
		f.sha.Write(f.tail[len(f.tail) : len(f.tail)+n])
	}
	f.mu.Lock()
	f.tail = f.tail[:len(f.tail)+n]
	f.n += int64(n)
	f.cond.Broadcast()
	f.mu.Unlock()
	if f.n > maxCached {
		return errTooLarge
	}
	if len(f.tail) < storeBlock {
		return nil
	}
	return f.keepTail()
}

func (f *fill) keepTail() error {
	if len(f.tail) == 0 {
		return nil
	}
	b, err := f.m.put(f.tail)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.blocks = append(f.blocks, b)
	f.tail = f.tail[:0]
	f.mu.Unlock()
	return nil
}

func (f *fill) finish() error {
	if f.sha != nil && !bytes.Equal(f.sha.Sum(nil), f.to.digest) {
		return &source.Error{Op: "read", URL: f.to.url, Kind: source.KindCorrupt, Err: errDigest}
	}
	if err := f.keepTail(); err != nil {
		f.m.forget(f) // whoever reads it now has the tail
		return nil
	}
	f.mu.Lock()
	f.tail = nil
	f.mu.Unlock()
	return nil
}

func (f *fill) wake() {
	f.mu.Lock()
	f.cond.Broadcast()
	f.mu.Unlock()
}

// readAt copies what there is at off into b. It returns 0 and no error if there is nothing yet.
func (f *fill) readAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	i := int(off / storeBlock)
	if i >= len(f.blocks) {
		n := 0
		if at := int(off - int64(len(f.blocks))*storeBlock); at < len(f.tail) {
			n = copy(b, f.tail[at:])
		}
		f.mu.Unlock()
		return n, nil
	}
	kept := f.blocks[i]
	f.mu.Unlock()
	buf := make([]byte, kept.size)
	if err := f.m.store.get(kept, buf); err != nil {
		return 0, err
	}
	return copy(b, buf[off-int64(i)*storeBlock:]), nil
}

// digest is the SHA-256 of a fill that is whole; nil if that cannot be read.
func (f *fill) digest() []byte {
	h := sha256.New()
	buf := make([]byte, storeBlock)
	for off := int64(0); off < f.n; {
		n, err := f.readAt(buf, off)
		if err != nil || n == 0 {
			return nil
		}
		h.Write(buf[:n])
		off += int64(n)
	}
	return h.Sum(nil)
}

// drop takes the fill out of use; the memo's lock is held.
func (f *fill) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropped = true
	f.freeIfUnused()
}

// freeIfUnused gives the blocks back and ends the fetch, once nobody can read them any more. f.mu is held.
func (f *fill) freeIfUnused() {
	if !f.dropped || len(f.readers) > 0 {
		return
	}
	f.cancel()
	for _, b := range f.blocks {
		f.m.store.drop(b)
	}
	f.blocks = nil
}

func (f *fill) state() (over, read bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over, len(f.readers) > 0
}
