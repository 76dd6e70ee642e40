package fill

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"spate/internal/farm"
	"spate/source/httpsource"
)

// bound is how long a test waits for what has to come.
const bound = 60 * time.Second

// content is n bytes in which every stretch of 8 is its own.
func content(n int) []byte {
	p := make([]byte, n)
	generate(1)(0, p)
	return p
}

// generate makes content of a version, at any offset.
func generate(version uint64) func(off int64, p []byte) int {
	return func(off int64, p []byte) int {
		for i := range p {
			at := uint64(off) + uint64(i)
			x := (at/8 + 1) * 0x9E3779B97F4A7C15 * version
			p[i] = byte(x >> (8 * (at % 8)))
		}
		return len(p)
	}
}

func sized(version uint64, size int64) func(off int64, p []byte) int {
	gen := generate(version)
	return func(off int64, p []byte) int { return gen(off, p[:max(0, min(int64(len(p)), size-off))]) }
}

func origin(t *testing.T) *farm.Farm {
	f := farm.New()
	t.Cleanup(f.Close)
	return f
}

func pool(t *testing.T, opts Options) *Pool {
	t.Helper()
	if opts.Source == nil {
		src := httpsource.New(nil)
		t.Cleanup(src.CloseIdleConnections)
		opts.Source = src
	}
	p := New(&opts)
	t.Cleanup(func() { p.Close() })
	return p
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, p *Pool, at int64, mirrors ...string) *File {
	t.Helper()
	f, err := p.Open(within(t), What{Mirrors: mirrors, At: at})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// get reads a range of f.
func get(ctx context.Context, f *File, off, n int64) ([]byte, error) {
	r, err := f.Open(ctx, off, n)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// wants checks that a range of f is what it has to be.
func wants(t *testing.T, f *File, off, n int64, want []byte) {
	t.Helper()
	got, err := get(within(t), f, off, n)
	if err != nil {
		t.Fatalf("%d bytes from %d: %v", n, off, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes from %d: got %d others than the %d wanted", n, off, len(got), len(want))
	}
}

func sent(f *farm.Farm) (n int64) {
	for _, r := range f.Log() {
		n += r.Bytes
	}
	return n
}
