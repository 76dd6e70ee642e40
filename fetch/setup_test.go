package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"spate/sched"
	"spate/source"
)

// TestComparedOnce: connections of one source that are answered at the same time have what was begun compared by one of them.
func TestComparedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		now  []byte
		want error
		asks int
	}{"same": {content(10), nil, 1 + 3}, "changed": {flippedAll(content(10)), source.ErrChanged, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "x")
				leaveWhole(t, path, content(10), "http://a.example/y")
				file, err := Resume(t.Context(), path, nil)
				must(t, err)
				defer file.Keep()
				var asks atomic.Int32
				src := source.Func(func(ctx context.Context, url string, r source.Range) (*source.Resource, error) {
					asks.Add(1)
					return tardy(c.now).Open(ctx, url, r)
				})
				d := newDriver(t.Context(), src, []Mirror{{URL: "http://a.example/x"}}, &ObjectOptions{Left: file})
				var wg sync.WaitGroup
				for i := range 3 {
					wg.Go(func() {
						r := &reading{c: &conn{d: d, id: 2 + i}, a: sched.Action{Off: 0, End: 10}}
						if err := r.ask(t.Context()); !errors.Is(err, c.want) {
							t.Errorf("%v, want %v", err, c.want)
						}
					})
				}
				wg.Wait()
				if n := int(asks.Load()); n != c.asks {
					t.Errorf("%d requests, want %d", n, c.asks)
				}
			})
		})
	}
}

// A tardy source answers at once, and each read of its bytes takes a second.
type tardy []byte

func (s tardy) Open(_ context.Context, _ string, r source.Range) (*source.Resource, error) {
	body := bytes.NewReader(s[r.Off : r.Off+r.Len])
	return &source.Resource{Info: source.Info{URL: "http://a.example/x", Size: int64(len(s)), Seekable: true}, Off: r.Off, Len: r.Len,
		Body: io.NopCloser(iotest.OneByteReader(late{body}))}, nil
}

type late struct{ io.Reader }

func (l late) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return l.Reader.Read(p)
}

// TestSetupIsThatOfTheRequest: the scheduler takes the set-up for what each further connection will cost. How long the bytes of
// an earlier download are compared is none of it.
func TestSetupIsThatOfTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := content(10)
		path := filepath.Join(t.TempDir(), "x")
		leaveWhole(t, path, data, "http://a.example/y")
		file, err := Resume(t.Context(), path, nil)
		must(t, err)
		defer file.Keep()
		d := newDriver(t.Context(), tardy(data), []Mirror{{URL: "http://a.example/x"}}, &ObjectOptions{Left: file})
		r := &reading{c: &conn{d: d, id: 2}, a: sched.Action{Off: 5, End: 10}}
		begin := time.Now()
		must(t, r.ask(t.Context()))
		if took := time.Since(begin); took == 0 || r.setup != 0 {
			t.Errorf("set-up of %v in %v", r.setup, took)
		}
	})
}
