package assemble

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"math"
	"slices"
	"sync"

	"spate/source"
	"spate/source/limit"
)

// A fill fetches one URL into the store. It belongs to the memo, not to the part that began it: that part may be
// dropped while others read along.
type fill struct {
	m    *memo
	to   target
	sha  hash.Hash     // of a promised digest; nil: none
	done chan struct{} // closed when it is over
	sum  func() []byte // SHA-256 of a whole fill, computed once
	used *list.Element // in memo.byUse; guarded by memo.mu

	// How the request was answered. None of it changes once answered is closed.
	answered chan struct{}
	info     source.Info
	mayGoOn  bool  // see pull
	refusal  error // why there was no answer
	kept     bool  // what was answered is fetched and kept; else aside has it, for the first reader
	aside    chan *pull

	mu      sync.Mutex
	cond    *sync.Cond
	blocks  []stored // all of storeBlock bytes, but for the last when over
	tail    []byte   // the last bytes that came
	tailAt  int64    // where tail begins: behind blocks, or further on when passing
	n       int64    // bytes that came
	passing bool     // no more is kept: what comes passes by a single reader
	over    bool
	err     error // why it is over; nil: it is whole
	readers []*joined
	owner   *spot // of the first part in the stream that it was fetched for
	dropped bool  // no longer in the memo: freed once the last reader left
	cancel  context.CancelFunc
}

func newFill(m *memo, to target, cancel context.CancelFunc) *fill {
	to.size = -1 // what is promised of the part is for its reader to see to
	f := &fill{m: m, to: to, cancel: cancel, done: make(chan struct{}), answered: make(chan struct{}), aside: make(chan *pull)}
	f.cond = sync.NewCond(&f.mu)
	f.sum = sync.OnceValue(f.digest)
	if to.digest != nil {
		f.sha = sha256.New()
	}
	return f
}

// holds reports whether the fill may serve to, of a part of so many bytes (-1: not known), from off on, its digest
// aside. Where the fill does not know its size yet, its readers find out. f.mu is held.
func (f *fill) holds(to target, size, off int64) bool {
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
	return f.info.Size
}

// join makes l a reader, so that the fill gets its place in the order.
func (f *fill) join(l *Leaf) *joined {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := &joined{f: f, t: &l.t, spot: l.spot, off: l.t.off, size: -1}
	f.readers = append(f.readers, j)
	if f.owner == nil {
		f.owner = l.spot
	}
	f.cond.Broadcast()
	return j
}

// isOrphan reports whether the part that the fill was begun for was never reached.
func (f *fill) isOrphan() bool {
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
		least = min(least, j.spot.Ahead())
	}
	return least
}

func (f *fill) run(ctx context.Context) {
	p := f.ask(ctx)
	switch {
	case p == nil:
		f.cancel()
	case f.kept:
		f.keep(ctx, p)
	default:
		select {
		case f.aside <- p:
		case <-ctx.Done():
			p.Close()
		}
	}
}

// ask makes the request, of which p is the answer. What is not to be kept is forgotten before anybody is told.
func (f *fill) ask(ctx context.Context) (p *pull) {
	defer close(f.answered)
	p = &pull{o: f.m.o, position: f, once: true, to: f.to, t: &tally{}, size: -1}
	if f.refusal = p.reopen(ctx); f.refusal != nil {
		f.m.forget(f)
		return nil
	}
	f.info = p.info()
	f.info.Links = nil // thousands of fills may be kept
	f.kept = !isDocument(p) && p.size <= maxCached
	if !f.kept {
		f.m.forget(f)
	}
	f.mayGoOn = p.mayGoOn()
	p.t.hasCRC = !f.mayGoOn
	return p
}

// handOver gives what is not to be kept to who asked for it, from now on at its place in the order and until ctx ends.
func (f *fill) handOver(ctx context.Context, position limit.Position) (*pull, error) {
	select {
	case p := <-f.aside:
		f.mu.Lock()
		context.AfterFunc(ctx, f.cancel)
		f.cancel = func() {}
		f.mu.Unlock()
		p.once = false
		p.setPosition(position)
		return p, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// keep fetches what p reads.
func (f *fill) keep(ctx context.Context, p *pull) {
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
	f.m.isOver(f)
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
			err = f.publish(ctx, n)
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
			if f.n-j.off < f.m.window(j.spot.Ahead() == 0) {
				return nil
			}
		}
		f.cond.Wait()
	}
	return ctx.Err()
}

// publish makes n more bytes of the tail readable and stores a tail that is full.
func (f *fill) publish(ctx context.Context, n int) error {
	if f.sha != nil {
		f.sha.Write(f.tail[len(f.tail) : len(f.tail)+n])
	}
	f.mu.Lock()
	f.tail = f.tail[:len(f.tail)+n]
	f.n += int64(n)
	f.cond.Broadcast()
	f.mu.Unlock()
	if f.n > maxCached {
		f.pass()
	}
	if len(f.tail) < storeBlock {
		return nil
	}
	return f.clearTail(ctx)
}

// clearTail keeps the tail, if it can, or waits until it was read.
func (f *fill) clearTail(ctx context.Context) error {
	if !f.passing && !f.keepTail() {
		f.pass()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.passing {
		for ctx.Err() == nil && (len(f.readers) == 0 || f.readers[0].off < f.n) {
			f.cond.Wait()
		}
		f.tail, f.tailAt = f.tail[:0], f.n
	}
	return ctx.Err()
}

// keepTail stores the tail. It reports false if there is no room.
func (f *fill) keepTail() bool {
	if len(f.tail) == 0 {
		return true
	}
	b, err := f.m.put(f.tail)
	if err != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blocks = append(f.blocks, b)
	f.tail, f.tailAt = f.tail[:0], f.n
	return true
}

// pass makes what comes pass by without being kept: for the reader that is the first in the stream. The others, of
// whom nobody can tell when they read, have to fetch it by themselves.
func (f *fill) pass() {
	if f.passing {
		return
	}
	f.m.forget(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passing = true
	if len(f.readers) > 0 {
		first := slices.MinFunc(f.readers, func(a, b *joined) int { return cmp.Compare(a.spot.Ahead(), b.spot.Ahead()) })
		f.readers = []*joined{first}
	}
	f.cond.Broadcast()
}

func (f *fill) finish() error {
	if f.sha != nil && !bytes.Equal(f.sha.Sum(nil), f.to.digest) {
		return &source.Error{Op: "read", URL: f.to.url, Kind: source.KindCorrupt, Err: errDigest}
	}
	if f.passing {
		return nil
	}
	if !f.keepTail() {
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

// serves reports whether j still has a part in what is fetched. f.mu is held.
func (f *fill) serves(j *joined) bool { return !f.passing || slices.Contains(f.readers, j) }

// readAt copies what there is at off into b. It returns 0 and no error if there is nothing yet.
func (f *fill) readAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	i := int(off / storeBlock)
	if off >= f.tailAt {
		n := copy(b, f.tail[min(off-f.tailAt, int64(len(f.tail))):])
		f.mu.Unlock()
		return n, nil
	}
	if i >= len(f.blocks) { // it passed by, or was freed: its reader was sent away
		f.mu.Unlock()
		return 0, errNotKept
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

func (f *fill) isRead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.readers) > 0
}
