package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
)

// A mute gives so many bytes at once over its first answer, and nothing over any later one, be it asked for the last bytes.
type mute struct {
	io.Reader
	ctx context.Context
}

func (m *mute) Read(p []byte) (int, error) {
	if n, err := m.Reader.Read(p); err != io.EOF {
		return n, err
	}
	<-m.ctx.Done()
	return 0, context.Cause(m.ctx)
}

func (m *mute) Close() error { return nil }

func muteAfter(data []byte, gives int64) source.Func {
	var left atomic.Int64
	left.Store(gives)
	return func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		res, err := inMemory(data)(ctx, url, rng)
		if err == nil {
			res.Body = &mute{bytes.NewReader(data[rng.Off : rng.Off+left.Swap(0)]), ctx}
		}
		return res, err
	}
}

// A halting gives the first half of what is read of it at once, and the rest a second later.
type halting struct {
	io.ReadCloser
	left int64
	over bool
}

func (h *halting) Read(p []byte) (int, error) {
	if h.left <= 0 && !h.over {
		time.Sleep(time.Second)
		h.over = true
	}
	if !h.over {
		p = p[:min(int64(len(p)), h.left)]
	}
	n, err := h.ReadCloser.Read(p)
	h.left -= int64(n)
	return n, err
}

func halfway(data []byte) source.Func {
	return func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		res, err := inMemory(data)(ctx, url, rng)
		if err == nil {
			res.Body = &halting{ReadCloser: res.Body, left: (res.Len + 1) / 2}
		}
		return res, err
	}
}

// Where the first of two falls silent the other has its work after one silence, and what the last bytes of the first are waited for.
func TestTakeover(t *testing.T) {
	for _, gives := range []int64{1, 10_000, 400_000} {
		for _, n := range []int{0, 1, 4} {
			for _, retryMax := range []time.Duration{0, 4 * time.Second} {
				t.Run(fmt.Sprintf("%d bytes, %d connections, %v", gives, n, retryMax), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						data := whole[:2_500_000]
						src := source.Mux{"mute": muteAfter(data, gives), "mem": halfway(data)}
						begin := time.Now()
						o, err := OpenObject(t.Context(), src, []Mirror{{URL: "mute:x"}, {URL: "mem:x"}},
							&ObjectOptions{Hashes: sha256Only, Connections: n, RetryMax: retryMax})
						must(t, err)
						defer o.Close()
						path := filepath.Join(t.TempDir(), "x")
						file, err := Create(path, nil)
						must(t, err)
						_, err = o.To(file)
						must(t, err)
						if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
							t.Errorf("%d bytes; %v", len(got), err)
						}
						if took := time.Since(begin); took > 3*time.Second+lastPatience+6*time.Second {
							t.Errorf("it took %v", took)
						}
					})
				})
			}
		}
	}
}
