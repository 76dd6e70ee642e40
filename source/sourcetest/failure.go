package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"spate/source"
)

func testMissing(t *testing.T, h Harness) {
	for _, rng := range []source.Range{source.From(0), {Off: 5, Len: 5}} {
		_, err := h.Source.Open(t.Context(), h.Missing(t), rng)
		e := sourceError(t, err)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%+v: %v (%v) is not fs.ErrNotExist", rng, err, e.Kind)
		}
		if strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q is more than one line", err)
		}
	}
}

func testMalformed(t *testing.T, h Harness) {
	for _, url := range h.Malformed {
		_, err := h.Source.Open(t.Context(), url, source.From(0))
		if e := sourceError(t, err); e.Kind != source.KindMalformed {
			t.Errorf("%q: %v is of kind %v", url, err, e.Kind)
		}
	}
}

// testCut: what is cut short says so, and what came before is right.
func testCut(t *testing.T, h Harness) {
	const n = 200_000
	content := Content(n, 8)
	for _, at := range []int{0, 1, n / 2, n - 1} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			res, err := h.Source.Open(t.Context(), h.Cut(t, name(t), content, at), source.From(0))
			if err != nil && at == 0 {
				sourceError(t, err)
				return // nothing came at all
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			got, err := io.ReadAll(res.Body)
			sourceError(t, err)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v is not io.ErrUnexpectedEOF", err)
			}
			if len(got) > at || !bytes.HasPrefix(content, got) {
				t.Errorf("got %d bytes of %d, the first %d are right", len(got), at, common(got, content))
			}
			if n, again := res.Body.Read(make([]byte, 1)); n > 0 || again == nil || again == io.EOF {
				t.Errorf("the next Read = %d, %v", n, again)
			}
		})
	}
}

func testCancel(t *testing.T, h Harness) {
	content := Content(2<<20, 9)
	url := h.Put(t, name(t), content)
	t.Run("before Open", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := h.Source.Open(ctx, url, source.From(0))
		isCanceled(t, err)
	})
	t.Run("before Read", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res, err := h.Source.Open(ctx, url, source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		cancel()
		_, err = io.Copy(io.Discard, res.Body)
		isCanceled(t, err)
	})
	t.Run("after Close", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := readAndCheck(ctx, h.Source, url, source.From(0), content)
		cancel()
		if err != nil {
			t.Error(err)
		}
	})
}

func testCancelWhileReading(t *testing.T, h Harness) {
	const at = 1000
	content := Content(2*at, 10)
	t.Run("cancel", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		res := stalled(ctx, t, h, content, at)
		failed := make(chan error)
		go func() {
			_, err := res.Body.Read(make([]byte, 1))
			failed <- err
		}()
		cancel()
		isCanceled(t, <-failed)
	})
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/10)
		defer cancel()
		res, err := h.Source.Open(ctx, h.Stall(t, name(t), content, at), source.From(0))
		if err == nil { // or else the time was up before
			defer res.Body.Close()
			_, err = io.Copy(io.Discard, res.Body)
		}
		sourceError(t, err)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is not context.DeadlineExceeded", err)
		}
	})
	t.Run("close", func(t *testing.T) {
		if err := stalled(t.Context(), t, h, content, at).Body.Close(); err != nil {
			t.Error(err)
		}
	})
}

// stalled has read all that comes of a resource.
func stalled(ctx context.Context, t *testing.T, h Harness, content []byte, at int) *source.Resource {
	t.Helper()
	res, err := h.Source.Open(ctx, h.Stall(t, name(t), content, at), source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	got := make([]byte, at)
	if _, err := io.ReadFull(res.Body, got); err != nil || !bytes.Equal(got, content[:at]) {
		t.Fatalf("the first %d bytes: %v", at, err)
	}
	return res
}

func isCanceled(t *testing.T, err error) {
	t.Helper()
	sourceError(t, err)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is not context.Canceled", err)
	}
}
