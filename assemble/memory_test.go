package assemble_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"spate/assemble"
	"spate/source"
)

// memory is a Source of what find knows, for tests with more requests than sockets can bear, or in a bubble of
// synctest. It counts what it is asked for, and what is still open.
type memory struct {
	find func(url string) *thing // nil: a 404

	mu    sync.Mutex
	asked map[string]int
	log   []string       // URLs in the order in which they were asked for, the first 10,000
	open  int            // calls of Open and bodies that were not closed
	now   map[string]int // bodies that are open, by URL
	sent  int64          // bytes
}

// A thing is what is at a URL.
type thing struct {
	data    []byte
	gen     func(off int64, p []byte) // makes the content, where set
	size    int64                     // of what gen makes; 0: endless
	noRange bool
	noSize  bool
	tag     string // "": one that stays the same
	noTag   bool
	gone    bool          // the answer is a 404
	cutAt   int64         // the body is cut there, where > 0
	cuts    int           // so often; 0: always
	holdAt  int64         // a read from there on waits until hold is closed
	hold    chan struct{} // nil: no read waits
	answer  chan struct{} // the answer waits until this is closed; nil: it does not
	onClose func()        // of a body
}

// library is a memory of things that are known beforehand.
func library(things map[string]*thing) *memory {
	return &memory{find: func(url string) *thing { return things[url] }}
}

func (m *memory) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	m.count(url)
	res, err := m.serve(ctx, url, rng)
	if err != nil {
		m.leave("")
	}
	return res, err
}

func (m *memory) count(url string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.asked == nil {
		m.asked, m.now = make(map[string]int), make(map[string]int)
	}
	m.asked[url]++
	m.open++
	if len(m.log) < 10_000 {
		m.log = append(m.log, url)
	}
}

func (m *memory) leave(url string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
	if url != "" {
		m.now[url]--
	}
}

func (m *memory) serve(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	th := m.find(url)
	if th == nil {
		return nil, notFound(url)
	}
	if th.answer != nil {
		select {
		case <-th.answer:
		case <-ctx.Done():
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, &source.Error{Op: "open", URL: url, Err: err}
	}
	if th.gone {
		return nil, notFound(url)
	}
	res := &source.Resource{Info: source.Info{URL: url, Size: th.length(), Validator: th.validator(), Seekable: !th.noRange}, Len: -1}
	if !th.noRange {
		res.Off = rng.Off
	}
	res.Body = &memoryBody{m: m, ctx: ctx, url: url, th: th, off: res.Off}
	if th.noSize || th.gen != nil && th.size == 0 {
		res.Size = -1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now[url]++
	return res, nil
}

func notFound(url string) error {
	return &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 404, Err: errors.New("404 Not Found")}
}

func (th *thing) validator() string {
	if th.noTag {
		return ""
	}
	return cmp.Or(th.tag, "same")
}

func (th *thing) length() int64 {
	if th.gen == nil {
		return int64(len(th.data))
	}
	return th.size
}

// requests is how often url was asked for.
func (m *memory) requests(url string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[url]
}

// total is how often anything was asked for.
func (m *memory) total() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, asked := range m.asked {
		n += asked
	}
	return n
}

// opened is how many bodies of url are open.
func (m *memory) opened(url string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now[url]
}

// bytes is how many were sent.
func (m *memory) bytes() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sent
}

// wantNothingOpen fails the test if a request is not over.
func (m *memory) wantNothingOpen(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open != 0 {
		t.Errorf("%d requests are still open", m.open)
	}
}

// wantAsked fails the test if a URL was not asked for exactly so often.
func (m *memory) wantAsked(t *testing.T, want map[string]int) {
	t.Helper()
	for url, n := range want {
		if got := m.requests(url); got != n {
			t.Errorf("%d requests of %s, want %d", got, url, n)
		}
	}
}

type memoryBody struct {
	m   *memory
	ctx context.Context
	url string
	th  *thing
	off int64

	once sync.Once
}

func (b *memoryBody) Read(p []byte) (int, error) {
	th := b.th
	if th.hold != nil && b.off >= th.holdAt {
		select {
		case <-th.hold:
		case <-b.ctx.Done():
		}
	}
	if err := b.ctx.Err(); err != nil {
		return 0, &source.Error{Op: "read", URL: b.url, Err: err}
	}
	n, err := b.next(p)
	b.off += int64(n)
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	b.m.sent += int64(n)
	return n, err
}

func (b *memoryBody) next(p []byte) (int, error) {
	th, cut := b.th, b.cut()
	if cut == b.off {
		if th.cuts > 0 {
			th.cuts--
			th.cutAt = map[bool]int64{true: -1, false: th.cutAt}[th.cuts == 0]
		}
		return 0, &source.Error{Op: "read", URL: b.url, Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
	}
	end := th.length()
	if th.gen != nil && th.size == 0 {
		end = 1 << 62
	}
	if cut > b.off {
		end = min(end, cut)
	}
	if th.hold != nil && th.holdAt > b.off {
		end = min(end, th.holdAt)
	}
	if b.off >= end {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), end-b.off)]
	if th.gen != nil {
		th.gen(b.off, p)
		return len(p), nil
	}
	return copy(p, th.data[b.off:]), nil
}

// cut is where the body is cut, -1 if it is not. An answer that begins behind that is not concerned.
func (b *memoryBody) cut() int64 {
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	if b.th.cutAt <= 0 || b.off > b.th.cutAt {
		return -1
	}
	return b.th.cutAt
}

func (b *memoryBody) Close() error {
	b.once.Do(func() {
		b.m.leave(b.url)
		if b.th.onClose != nil {
			b.th.onClose()
		}
	})
	return nil
}

// TestMemory: what the tests stand on behaves as it says.
func TestMemory(t *testing.T) {
	data := text("data", 1000)
	m := library(map[string]*thing{"mem://h/x": {data: data, cutAt: 500, cuts: 1}, "mem://h/e": {gen: alphabet}})
	read(t, m, "mem://h/x", nil).want(t, data)
	m.wantAsked(t, map[string]int{"mem://h/x": 2})
	out := readSome(t, m, "mem://h/e", 1<<20, &assemble.Options{})
	if out.err != nil || len(out.data) != 1<<20 || out.data[27] != 'b' {
		t.Errorf("%d bytes, %v", len(out.data), out.err)
	}
	m.wantNothingOpen(t)
}

// alphabet makes endless content.
func alphabet(off int64, p []byte) {
	for i := range p {
		p[i] = 'a' + byte((off+int64(i))%26)
	}
}
