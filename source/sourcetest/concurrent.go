package sourcetest

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"spate/source"
)

// testConcurrent: many bodies are open at once, and do not mix.
func testConcurrent(t *testing.T, h Harness) {
	const n, size = 16, 100_000
	var urls [4]string
	for i := range urls {
		urls[i] = h.Put(t, fmt.Sprintf("%s-%d", name(t), i), Content(size, uint32(100+i)))
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			which := i % len(urls)
			rng := source.Range{Off: int64(i) * 1000, Len: int64(size - 2000*i)}
			if err := readAndCheck(t.Context(), h.Source, urls[which], rng, Content(size, uint32(100+which))); err != nil {
				t.Errorf("%d, %+v: %v", i, rng, err)
			}
		})
	}
	wg.Wait()
}

// testLeaks: however a body is left, nothing of it stays.
func testLeaks(t *testing.T, h Harness) {
	content := Content(1<<20, 11)
	url := h.Put(t, name(t), content)
	if err := readAndCheck(t.Context(), h.Source, url, source.From(0), content); err != nil {
		t.Fatal(err)
	}
	h.Settle()
	before, files := goleak.IgnoreCurrent(), descriptors()
	for _, read := range []int64{0, 1, 1 << 19, 1<<20 - 1, 1 << 20} {
		if err := leave(t.Context(), h.Source, url, read); err != nil {
			t.Errorf("after %d bytes: %v", read, err)
		}
	}
	if h.Missing != nil {
		_, err := h.Source.Open(t.Context(), h.Missing(t), source.From(0))
		sourceError(t, err)
	}
	var left error
	for range 5 { // what was cancelled may take a moment to become idle
		h.Settle()
		if left = goleak.Find(before); left == nil {
			break
		}
	}
	if left != nil {
		t.Error(left)
	}
	if now := descriptors(); now > files {
		t.Errorf("%d open files, there were %d", now, files)
	}
}

// leave reads n bytes of url twice, and leaves first by Close, then by cancelling before Close.
func leave(ctx context.Context, src source.Source, url string, n int64) error {
	for _, early := range []bool{false, true} {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		res, err := src.Open(ctx, url, source.From(0))
		if err != nil {
			return err
		}
		_, err = io.CopyN(io.Discard, res.Body, n)
		if early {
			cancel()
		}
		if cerr := res.Body.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// descriptors counts the open files of the process, 0 where the system does not tell.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
