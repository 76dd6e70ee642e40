package assemble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"math"
	"slices"
	"sync"

	"spate/source"
)

const (
	maxCached  = 1 << 30  // a larger part is streamed and not kept
	fillWindow = 16 << 20 // how far a fill runs before those who read it
)

var errTooLarge = errors.New("too large to be cached")

// A memo is the cache of one call for parts marked (*): what was fetched, and what is being fetched, by URL.
//
// Lock order: memo.mu before fill.mu; neither is held over I/O or while calling the limiter.
type memo struct {
	o     *opener
	store *store
	wg    sync.WaitGroup // of the fills

	mu      sync.Mutex
	fills   map[string]*fill
	tickets []*ticket // unsettled, in stream order
	clock   int64     // for the least recently used
	closed  bool
}

// A ticket is the place of one cacheable part in the queue of those that may fetch the same URL.
type ticket struct {
	m       *memo
	urls    []string
	before  []*ticket
	settled chan struct{}
	once    sync.Once
}

// enter is called in stream order. A part that shares a URL with one that came before waits for it to have been
// answered, so that reading ahead fetches what reading in order would.
func (m *memo) enter(urls []string) *ticket {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &ticket{m: m, urls: urls, settled: make(chan struct{})}
	for _, o := range m.tickets {
		if slices.ContainsFunc(urls, func(u string) bool { return slices.Contains(o.urls, u) }) {
			t.before = append(t.before, o)
		}
	}
	m.tickets = append(m.tickets, t)
	return t
}

func (t *ticket) wait(ctx context.Context) error {
	for _, b := range t.before {
		select {
		case <-b.settled:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	t.before = nil
	return nil
}

// settle lets those behind go on. Settling again does nothing; so does settling no ticket.
func (t *ticket) settle() {
	if t == nil {
		return
	}
	t.once.Do(func() {
		t.m.mu.Lock()
		t.m.tickets = slices.DeleteFunc(t.m.tickets, func(o *ticket) bool { return o == t })
		t.m.mu.Unlock()
		close(t.settled)
	})
}

// A fill fetches one URL into the store. It belongs to the memo, not to the part that began it: that part may be
// dropped while others read along.
type fill struct {
	m    *memo
	to   target
	info source.Info
	sha  hash.Hash // of a promised digest; nil: none

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

// joined reads a fill from an offset on, for one part.
type joined struct {
	f   *fill
	t   *tally
	pos *spot
	off int64 // guarded by f.mu
}

// join returns a reader, for l, of what was, or is being, fetched for to, beginning where l is; nil if that is nothing
// that to's promises allow. What was begun for a part that the reader never reached serves only who would fetch it
// now; not a sibling, which would try other alternatives first.
func (m *memo) join(to target, l *Leaf, sibling bool) *joined {
	m.mu.Lock()
	f := m.fills[to.url]
	if f == nil || !f.holds(to, l.t.off) || sibling && f.isStray() {
		m.mu.Unlock()
		return nil
	}
	m.clock++
	j := f.join(l, m.clock)
	m.mu.Unlock()
	if to.digest != nil && !bytes.Equal(to.digest, f.to.digest) && !bytes.Equal(to.digest, f.sum()) {
		j.Close()
		return nil
	}
	m.o.opts.Hosts.Promote()
	return j
}

// holds reports whether the fill may serve to from off on, its digest aside: of a fill that is not over, that is only
// known if the same was promised.
func (f *fill) holds(to target, off int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over && f.err != nil, f.over && f.n < off:
		return false
	case f.over:
		return to.size < 0 || to.size == f.n
	}
	size := max(f.info.Size, f.to.size)
	return (to.size < 0 || size < 0 || to.size == size) && (to.digest == nil || bytes.Equal(to.digest, f.to.digest))
}

func (f *fill) join(l *Leaf, clock int64) *joined {
	f.mu.Lock()
	defer f.mu.Unlock()
	j := &joined{f: f, t: &l.t, pos: l.spot, off: l.t.off}
	f.readers = append(f.readers, j)
	f.used = clock
	if f.owner == nil || f.owner.unread.Load() {
		f.owner = l.spot
	}
	f.cond.Broadcast()
	return j
}

func (f *fill) isStray() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.owner.unread.Load()
}

// begin makes p, which stands at offset 0, the fill of its URL and returns its first reader; nil if it is not to be
// kept. ctx is that of p and ends with cancel.
func (m *memo) begin(ctx context.Context, cancel context.CancelFunc, p *pull, first *Leaf) *joined {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || p.size > maxCached {
		return nil
	}
	f := &fill{m: m, to: p.to, info: p.info(), cancel: cancel}
	f.cond = sync.NewCond(&f.mu)
	f.sum = sync.OnceValue(f.digest)
	if p.to.digest != nil {
		f.sha = sha256.New()
	}
	if old := m.fills[p.to.url]; old != nil {
		old.drop()
	}
	m.fills[p.to.url] = f
	m.clock++
	j := f.join(first, m.clock)
	p.setPosition(f)
	m.wg.Go(func() { f.run(ctx, p) })
	return j
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
			if f.n-j.off < fillWindow {
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
		return err
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

// read waits for the next bytes of the fill and counts them in the part's tally.
func (j *joined) read(ctx context.Context, b []byte) (int, error) {
	if err := j.await(ctx); err != nil {
		return 0, err
	}
	n, err := j.f.readAt(b, j.off)
	if err != nil {
		return 0, err
	}
	j.f.mu.Lock()
	j.off += int64(n)
	j.f.cond.Broadcast()
	j.f.mu.Unlock()
	j.t.add(b[:n])
	return n, nil
}

func (j *joined) await(ctx context.Context) error {
	f := j.f
	stop := context.AfterFunc(ctx, f.wake)
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.n <= j.off && !f.over && ctx.Err() == nil {
		f.cond.Wait()
	}
	switch {
	case f.n > j.off:
		return ctx.Err()
	case ctx.Err() != nil:
		return ctx.Err()
	case f.err != nil:
		return f.err
	}
	return io.EOF
}

func (j *joined) info() source.Info { return j.f.info }

// Close leaves the fill, which goes on without.
func (j *joined) Close() {
	f := j.f
	f.mu.Lock()
	f.readers = slices.DeleteFunc(f.readers, func(o *joined) bool { return o == j })
	f.freeIfUnused()
	f.mu.Unlock()
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

// forget drops f, if it is still what the memo has for its URL.
func (m *memo) forget(f *fill) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fills[f.to.url] == f {
		delete(m.fills, f.to.url)
	}
	f.drop()
}

// put stores p and makes room for it, if need be, by dropping what was not used for longest.
func (m *memo) put(p []byte) (stored, error) {
	for {
		b, err := m.store.put(p)
		if !errors.Is(err, errStoreFull) || !m.evict() {
			return b, err
		}
	}
}

// evict drops the least recently used of the fills that are over and that nobody reads.
func (m *memo) evict() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	var oldest *fill
	for _, f := range m.fills {
		if f.idle() && (oldest == nil || f.used < oldest.used) {
			oldest = f
		}
	}
	if oldest == nil {
		return false
	}
	delete(m.fills, oldest.to.url)
	oldest.drop()
	return true
}

func (f *fill) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over && len(f.readers) == 0
}

// close ends all fills and forgets everything.
func (m *memo) close() error {
	m.mu.Lock()
	m.closed = true
	for _, f := range m.fills {
		f.cancel()
	}
	m.mu.Unlock()
	m.wg.Wait()
	return m.store.close()
}
