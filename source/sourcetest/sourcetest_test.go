package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"spate/internal/leak"

	"spate/source"
)

func TestMain(m *testing.M) { leak.Main(m) }

// memory is the plainest Source there is.
type memory struct {
	mu      sync.Mutex
	objects map[string]object
}

type object struct {
	content []byte
	at      int  // where it ends
	stalls  bool // rather than breaks
}

func (m *memory) add(name string, o object) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects["mem:"+name] = o
	return "mem:" + name
}

func (m *memory) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	plain, _, _ := strings.Cut(url, "#")
	m.mu.Lock()
	o, ok := m.objects[plain]
	m.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, &source.Error{Op: "open", URL: url, Err: ctx.Err()}
	case strings.Contains(url, " "):
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindMalformed, Err: errors.New("a blank")}
	case !ok:
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 404, Err: fs.ErrNotExist}
	}
	size := int64(len(o.content))
	want := slice(o.content, rng.Off, rng)
	b := &memoryBody{ctx: ctx, url: url, r: bytes.NewReader(want), left: int64(len(want)), object: o}
	if o.at < len(o.content) {
		b.r = bytes.NewReader(o.content[:o.at])
	}
	info := source.Info{URL: plain, Size: size, Validator: "1", Seekable: true}
	return &source.Resource{Info: info, Off: rng.Off, Len: int64(len(want)), Body: b}, nil
}

type memoryBody struct {
	r io.Reader
	object
	ctx    context.Context
	url    string
	left   int64
	closed bool
}

func (b *memoryBody) Read(p []byte) (int, error) {
	if b.closed {
		return 0, fs.ErrClosed
	}
	if b.ctx.Err() != nil {
		return 0, &source.Error{Op: "read", URL: b.url, Err: b.ctx.Err()}
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); err == io.EOF && b.left > 0 {
		err = io.ErrUnexpectedEOF
		if b.stalls {
			<-b.ctx.Done()
			err = b.ctx.Err()
		}
		err = &source.Error{Op: "read", URL: b.url, Kind: source.KindNetwork, Err: err}
	}
	return n, err
}

func (b *memoryBody) Close() error { b.closed = true; return nil }

// through hides nothing but the memory's type, and forwards Dial.
type through struct{ inner source.Source }

func (w through) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	return w.inner.Open(ctx, url, rng)
}

func (w through) Dial(ctx context.Context, url string) (source.Session, error) {
	return source.Dial(ctx, w.inner, url)
}

func harness() (*memory, Harness) {
	m := &memory{objects: map[string]object{}}
	return m, Harness{
		Source: m,
		Put: func(_ *testing.T, name string, content []byte) string {
			return m.add(name, object{content: content, at: len(content)})
		},
		Missing: func(*testing.T) string { return "mem:missing" },
		Cut: func(_ *testing.T, name string, content []byte, at int) string {
			return m.add(name, object{content: content, at: at})
		},
		Stall: func(_ *testing.T, name string, content []byte, at int) string {
			return m.add(name, object{content: content, at: at, stalls: true})
		},
		Malformed: []string{"mem: "},
		Seekable:  true,
		Settle:    func() {},
	}
}

func TestSource(t *testing.T) {
	_, h := harness()
	Run(t, h)
}

func TestFunc(t *testing.T) {
	m, h := harness()
	h.Source = source.Func(m.Open)
	Run(t, h)
}

func TestMux(t *testing.T) {
	m, h := harness()
	h.Source, h.Dialer, h.Malformed = source.Mux{"mem": m}, true, []string{"mem: ", "", "other:a", "::", "mem:\x00"}
	Run(t, h)
}

func TestWrapper(t *testing.T) {
	_, h := harness()
	h.Source, h.Dialer = through{through{h.Source}}, true
	Run(t, h)
}

func TestCheckFinds(t *testing.T) {
	content := Content(100, 1)
	rng := source.Range{Off: 10, Len: 20}
	tests := []struct {
		name           string
		off, len, size int64
		body           []byte
		end            error
		wants          string
	}{
		{name: "right", off: 10, len: 20, size: 100, body: content[10:30]},
		{name: "right from 0", off: 0, len: 30, size: 100, body: content[:30]},
		{name: "right, nothing told", off: 10, len: -1, size: -1, body: content[10:30]},
		{name: "right, announced as short", off: 10, len: 19, size: 100, body: content[10:29]},
		{name: "other offset", off: 9, len: 20, size: 100, body: content[9:29], wants: "Off"},
		{name: "wrong size", off: 10, len: 20, size: 101, body: content[10:30], wants: "Size"},
		{name: "wrong length", off: 10, len: 21, size: 100, body: content[10:30], wants: "Len"},
		{name: "shifted", off: 10, len: 20, size: 100, body: content[11:31], wants: "equal"},
		{name: "padded", off: 10, len: -1, size: 100, body: content[10:31], wants: "equal"},
		{name: "short", off: 10, len: -1, size: 100, body: content[10:29], wants: "equal"},
		{name: "error", off: 10, len: 20, size: 100, body: content[10:30], end: io.ErrUnexpectedEOF, wants: "reading"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r io.Reader = bytes.NewReader(tt.body)
			if tt.end != nil {
				r = io.MultiReader(r, iotest.ErrReader(tt.end))
			}
			res := &source.Resource{Info: source.Info{Size: tt.size}, Off: tt.off, Len: tt.len, Body: io.NopCloser(r)}
			err := check(res, rng, content)
			switch {
			case tt.wants == "" && err != nil:
				t.Errorf("found %v", err)
			case tt.wants != "" && (err == nil || !strings.Contains(err.Error(), tt.wants)):
				t.Errorf("found %v, want something about %s", err, tt.wants)
			}
		})
	}
}
