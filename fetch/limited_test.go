package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
	"spate/source/limit"
)

// A witness counts how often the engine has given up what it was reading.
type witness struct {
	source.Source
	aborts atomic.Int64
}

func (w *witness) Dial(ctx context.Context, url string) (source.Session, error) {
	s, err := source.Dial(ctx, w.Source, url)
	return &witnessed{Session: s, w: w}, err
}

type witnessed struct {
	source.Session
	w    *witness
	open atomic.Int64
}

func (s *witnessed) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := s.Session.Open(ctx, url, rng)
	if err != nil {
		return nil, err
	}
	s.open.Add(1)
	res.Body = &witnessedBody{res.Body, sync.OnceFunc(func() {
		s.open.Add(-1)
		if errors.Is(context.Cause(ctx), errAborted) {
			s.w.aborts.Add(1)
		}
	})}
	return res, nil
}

func (s *witnessed) Close() error {
	if s.open.Load() > 0 {
		s.w.aborts.Add(1)
	}
	return s.Session.Close()
}

type witnessedBody struct {
	io.ReadCloser
	note func()
}

func (b *witnessedBody) Close() error {
	b.note()
	return b.ReadCloser.Close()
}

// inMemory is a Source of data that answers after a millisecond.
func inMemory(data []byte) source.Func {
	return func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		time.Sleep(time.Millisecond)
		size := int64(len(data))
		n := min(rng.Len, size-rng.Off)
		return &source.Resource{Info: source.Info{URL: url, Size: size, Validator: "1", Seekable: true}, Off: rng.Off, Len: n,
			Body: &memoryBody{bytes.NewReader(data[rng.Off : rng.Off+n]), url, ctx.Err}}, nil
	}
}

type memoryBody struct {
	io.Reader
	url  string
	over func() error
}

func (b *memoryBody) Read(p []byte) (int, error) {
	if err := b.over(); err != nil {
		return 0, &source.Error{Op: "read", URL: b.url, Err: err}
	}
	return b.Reader.Read(p)
}

func (b *memoryBody) Close() error { return nil }

// limited downloads url with opts, and checks that it is data and that no connection was given up on the way.
func limited(t *testing.T, src source.Source, rate *limit.Rate, url string, opts ObjectOptions, data []byte) {
	t.Helper()
	w := &witness{Source: src}
	opts.Hashes, opts.Limited = sha256Only, true
	o, err := OpenObject(t.Context(), rate.Wrap(w), []Mirror{{URL: url}}, &opts)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	path := filepath.Join(t.TempDir(), "x")
	file, err := Create(path, nil)
	must(t, err)
	done, err := o.To(file)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, want %d; %v", len(got), len(data), err)
	}
	if a := w.aborts.Load(); a > 0 || done.Fetched != done.Size {
		t.Errorf("%d connections were given up, %d bytes fetched of %d", a, done.Fetched, done.Size)
	}
}

// However low a limit is, and however many share it, no connection is taken for silent: it costs neither bytes nor time.
func TestObjectLimited(t *testing.T) {
	for _, connections := range []int{0, 1, 2, 8, 32} {
		for _, rate := range []int64{1 << 10, 64 << 10, 1 << 20} {
			t.Run(fmt.Sprintf("%d connections, %d bytes a second", connections, rate), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					data := content(500_000) // at the lowest rate eight minutes
					begin := time.Now()
					limited(t, inMemory(data), limit.NewRate(limit.Always(rate)), "mem:x", ObjectOptions{Connections: connections, MinRange: 16 << 10}, data)
					took, ideal := time.Since(begin), time.Duration(len(data))*time.Second/time.Duration(rate)
					if took < ideal-time.Second/4 || took > ideal+time.Second/4 {
						t.Errorf("it took %v, want about %v", took, ideal)
					}
				})
			})
		}
	}
}

// A limit that changes while it is used costs no connection either.
func TestObjectLimitChanges(t *testing.T) {
	for _, connections := range []int{0, 1, 2, 8} {
		t.Run(fmt.Sprint(connections), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rate := limit.NewRate(limit.Always(1 << 20))
				go func() {
					time.Sleep(2 * time.Second)
					rate.Set(limit.Always(2 << 10))
					time.Sleep(5 * time.Minute)
					rate.Set(limit.Always(4 << 20))
				}()
				data := content(8 << 20)
				begin := time.Now()
				limited(t, inMemory(data), rate, "mem:x", ObjectOptions{Connections: connections, MinRange: 64 << 10}, data)
				if took := time.Since(begin); took < 5*time.Minute || took > 5*time.Minute+5*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

// The same over sockets, for longer than a connection may be silent.
func TestObjectLimitedOverSockets(t *testing.T) {
	t.Parallel()
	f := farm.New()
	defer f.Close()
	data := content(512 << 10)
	f.Serve("/x", farm.Resource{Body: data})
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	limited(t, src, limit.NewRate(limit.Always(64<<10)), f.URL("/x"), ObjectOptions{Connections: 8, MinRange: 64 << 10}, data)
	if n := f.Requests("/x"); n > 8 {
		t.Errorf("%d requests, each is for 64 KiB at least", n)
	}
}
