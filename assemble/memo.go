package assemble

import (
	"bytes"
	"container/list"
	"context"
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

var errNotKept = errors.New("it is not kept in the cache")

// A memo is the cache of one call for parts marked (*): what was fetched, and what is being fetched, by URL.
//
// Lock order: memo.mu, then fill.mu, then those of order and store. The limiter asks for positions with its own lock
// held (limit.Hosts, then pull.mu, then fill.mu, then order.mu), so none of them is held while it is called; nor over I/O.
type memo struct {
	o     *opener
	store *store
	wg    sync.WaitGroup // of the fills

	mu      sync.Mutex
	fills   map[string]*fill
	byUse   list.List          // the fills, least recently used first
	running map[*fill]struct{} // those of them that are not over
	tickets []*ticket          // unsettled, in stream order
	closed  bool
}

func newMemo(o *opener) *memo {
	return &memo{o: o, fills: make(map[string]*fill), running: make(map[*fill]struct{}),
		store: &store{memLeft: o.opts.CacheMemory, diskLeft: o.opts.CacheDisk}}
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
// now; not a sibling, which would try other alternatives first. An error is that of a request which was made for l
// too: it is under way, and l waits for its answer.
func (m *memo) join(ctx context.Context, to target, l *Leaf, sibling bool) (*joined, error) {
	m.mu.Lock()
	f := m.fills[to.url]
	if f == nil || sibling && f.isOrphan() {
		m.mu.Unlock()
		return nil, nil
	}
	m.byUse.MoveToBack(f.used)
	j := f.join(l)
	m.mu.Unlock()
	m.o.opts.Hosts.Promote()
	if kept, err := j.answered(ctx); !kept || !j.serve(to, l) {
		j.Close()
		return nil, err
	}
	if to.digest == nil || bytes.Equal(to.digest, f.to.digest) {
		return j, nil
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
		return nil, nil
	}
	return j, nil
}

// fetch asks for to on behalf of l, and of whoever joins. What is not to be kept, a manifest or what is too large, is
// l's alone, as it was opened, until ctx ends.
func (m *memo) fetch(ctx context.Context, to target, l *Leaf) (*joined, *pull, error) {
	j := m.begin(context.WithoutCancel(ctx), to, l)
	if j == nil {
		return nil, nil, errClosed
	}
	kept, err := j.answered(ctx)
	if err == nil && kept {
		if err = j.own(to); err == nil {
			return j, nil, nil
		}
		m.forget(j.f)
	}
	defer j.Close()
	if err != nil {
		return nil, nil, err
	}
	p, err := j.f.handOver(ctx, l.spot)
	return nil, p, err
}

// begin begins the fill of to and returns its first reader; nil if the memo is closed.
func (m *memo) begin(ctx context.Context, to target, first *Leaf) *joined {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	f := newFill(m, to, cancel)
	if old := m.fills[to.url]; old != nil {
		m.drop(old)
	}
	m.makeRoom()
	m.fills[to.url], m.running[f], f.used = f, struct{}{}, m.byUse.PushBack(f)
	j := f.join(first)
	m.wg.Go(func() { f.run(ctx) })
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
		m.drop(f)
	}
}

// drop takes f out of use. m.mu is held.
func (m *memo) drop(f *fill) {
	delete(m.fills, f.to.url)
	delete(m.running, f)
	m.byUse.Remove(f.used)
	f.drop()
}

// isOver is told that f runs no more.
func (m *memo) isOver(f *fill) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.running, f)
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
	return m.dropOldest(m.isIdle)
}

// makeRoom keeps the number of fills within its bounds: one more is about to begin. m.mu is held.
func (m *memo) makeRoom() {
	stray := 0
	for f := range m.running {
		if m.isStray(f) {
			stray++
		}
	}
	if stray > maxStray {
		m.dropOldest(m.isStray)
	}
	if len(m.fills) >= maxFills {
		m.dropOldest(m.isIdle)
	}
}

// dropOldest drops the least recently used of the fills that are so. m.mu is held.
func (m *memo) dropOldest(is func(*fill) bool) bool {
	for e := m.byUse.Front(); e != nil; e = e.Next() {
		if f := e.Value.(*fill); is(f) {
			m.drop(f)
			return true
		}
	}
	return false
}

func (m *memo) isIdle(f *fill) bool {
	_, runs := m.running[f]
	return !runs && !f.isRead()
}

func (m *memo) isStray(f *fill) bool {
	_, runs := m.running[f]
	return runs && !f.isRead()
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
