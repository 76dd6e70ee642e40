package assemble

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
)

const (
	maxCached  = 1 << 30  // a larger part is streamed and not kept
	fillWindow = 16 << 20 // how far a fill runs before the head
	maxFills   = 4096     // fills kept, however small they are
	maxStray   = 16       // fills that run though nobody reads them
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
	urls    map[uint64]struct{} // hashes: a collision costs time, no more
	before  []*ticket
	settled chan struct{}
	once    sync.Once
}

// window is how far a fill runs before a reader: all of them together no further than the budget before the head, and
// it no further than that again.
func (m *memo) window(head bool) int64 {
	all := m.o.opts.Budget.Limit()
	if head {
		return max(min(all, fillWindow), storeBlock)
	}
	return max(all/int64(max(m.o.opts.Ahead, 1)), storeBlock)
}

// enter is called in stream order. A part that shares a URL with one that came before waits for it to have been
// answered, so that reading ahead fetches what reading in order would.
func (m *memo) enter(urls map[uint64]struct{}) *ticket {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &ticket{m: m, urls: urls, settled: make(chan struct{})}
	for _, o := range m.tickets {
		if o.shares(urls) {
			t.before = append(t.before, o)
		}
	}
	m.tickets = append(m.tickets, t)
	return t
}

func (t *ticket) shares(urls map[uint64]struct{}) bool {
	for u := range urls {
		if _, ok := t.urls[u]; ok {
			return true
		}
	}
	return false
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

// join returns a reader, for l, of what was, or is being, fetched for to, beginning where l is; nil if that is nothing
// that to's promises allow. What was begun for a part that the reader never reached serves only who would fetch it
// now; not a sibling, which would try other alternatives first.
func (m *memo) join(ctx context.Context, to target, l *Leaf, sibling bool) *joined {
	m.mu.Lock()
	f := m.fills[to.url]
	if f == nil || !f.holds(to, l.size, l.t.off) || sibling && f.isStray() {
		m.mu.Unlock()
		return nil
	}
	m.clock++
	j := f.join(to, l, m.clock)
	m.mu.Unlock()
	m.o.opts.Hosts.Promote()
	if to.digest == nil || bytes.Equal(to.digest, f.to.digest) {
		return j
	}
	// Whether it has the promised digest is known once it is whole. Until the part is the head there is time: those
	// that the fill is for come before it.
	select {
	case <-f.done:
	case <-l.spot.isHead:
	case <-ctx.Done():
	}
	if !j.mayBe(to.digest) {
		j.Close()
		return nil
	}
	return j
}

// begin makes p, which stands at offset 0, the fill of its URL and returns its first reader; nil if it is not to be
// kept. ctx is that of p and ends with cancel.
func (m *memo) begin(ctx context.Context, cancel context.CancelFunc, p *pull, first *Leaf) *joined {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed || p.size > maxCached {
		return nil
	}
	f := &fill{m: m, to: p.to, info: p.info(), cancel: cancel, done: make(chan struct{})}
	f.cond = sync.NewCond(&f.mu)
	f.sum = sync.OnceValue(f.digest)
	if p.to.digest != nil {
		f.sha = sha256.New()
	}
	if old := m.fills[p.to.url]; old != nil {
		old.drop()
	}
	m.makeRoom()
	m.fills[p.to.url] = f
	m.clock++
	j := f.join(p.to, first, m.clock)
	p.setPosition(f)
	m.wg.Go(func() { f.run(ctx, p) })
	return j
}

// has reports whether anything is, or was, fetched for url.
func (m *memo) has(url string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fills[url] != nil
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
	idle, _ := m.unread()
	return m.dropOldest(idle)
}

// makeRoom keeps the number of fills within its bounds: one more is about to begin. m.mu is held.
func (m *memo) makeRoom() {
	idle, stray := m.unread()
	if len(stray) > maxStray {
		m.dropOldest(stray)
	}
	if len(m.fills) >= maxFills {
		m.dropOldest(idle)
	}
}

// unread returns the fills that nobody reads: those that are over, and those that run. m.mu is held.
func (m *memo) unread() (idle, stray []*fill) {
	for _, f := range m.fills {
		switch over, read := f.state(); {
		case read:
		case over:
			idle = append(idle, f)
		default:
			stray = append(stray, f)
		}
	}
	return idle, stray
}

func (m *memo) dropOldest(fills []*fill) bool {
	if len(fills) == 0 {
		return false
	}
	oldest := slices.MinFunc(fills, func(a, b *fill) int { return cmp.Compare(a.used, b.used) })
	delete(m.fills, oldest.to.url)
	oldest.drop()
	return true
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
