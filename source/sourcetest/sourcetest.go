// Package sourcetest is the conformance suite of the contract in [source.Source]. Every Source passes it, and so does
// every wrapper around one:
//
//	sourcetest.Run(t, sourcetest.Harness{
//		Source: limit.New(inner, nil),
//		Put:    origin.put,
//		Dialer: true, // inner is one
//	})
package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"spate/source"
)

// A Harness is a Source and the means to make its origin behave in the ways that the suite is about. What is nil or
// zero, except Source and Put, leaves out the cases that need it.
type Harness struct {
	// Source is what is tested.
	Source source.Source

	// Put makes content available until the end of the test, and says where. No two calls of one Run have the same
	// name, and names are harmless as those of files. Content is not changed later; it has 2 MiB at most.
	Put func(t *testing.T, name string, content []byte) string

	// Missing is a URL at which there is nothing: fs.ErrNotExist.
	Missing func(t *testing.T) string

	// Cut is like Put, but what carries the body breaks behind content[:at], in a way that can be noticed.
	Cut func(t *testing.T, name string, content []byte, at int) string

	// Stall is like Put, but the origin is silent behind content[:at], until the client leaves or the test ends. The
	// Source's own patience has to be longer than the test.
	Stall func(t *testing.T, name string, content []byte, at int) string

	// Malformed are URLs that are none for this Source: KindMalformed.
	Malformed []string

	// Seekable says that what is Put can be read from any offset, so that reading it from the start is an error.
	Seekable bool

	// Dialer says that Source has to be a [source.Dialer], as a wrapper around one.
	Dialer bool

	// Settle ends what the Source keeps between calls, such as idle connections; the goroutines of the Source and of
	// its origin have to end then.
	Settle func()
}

// Run runs the suite as subtests of t.
func Run(t *testing.T, h Harness) {
	_, dials := h.Source.(source.Dialer)
	for _, part := range []struct {
		name    string
		applies bool
		run     func(*testing.T, Harness)
	}{
		{"Content", true, testContent},
		{"Ranges", true, testRanges},
		{"Fragment", true, testFragment},
		{"Validator", true, testValidator},
		{"Concurrent", true, testConcurrent},
		{"Close", true, testClose},
		{"Missing", h.Missing != nil, testMissing},
		{"Malformed", len(h.Malformed) > 0, testMalformed},
		{"Cut", h.Cut != nil, testCut},
		{"Cancel", true, testCancel},
		{"CancelWhileReading", h.Stall != nil, testCancelWhileReading},
		{"Dialer", h.Dialer || dials, testDialer},
		{"Leaks", h.Settle != nil, testLeaks},
	} {
		if part.applies {
			t.Run(part.name, func(t *testing.T) { part.run(t, h) })
		}
	}
}

// name is one for what t puts: the name of t, as a file's.
func name(t *testing.T) string {
	return strings.NewReplacer("/", "-", " ", "-", "+", "-").Replace(t.Name())
}

// Content is n bytes without a pattern of its own length, the same for the same n and seed.
func Content(n int, seed uint32) []byte {
	p := make([]byte, n)
	x := seed*2654435761 + 1
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// open opens url and closes its body at the end of the test.
func open(t *testing.T, src source.Source, url string, rng source.Range) *source.Resource {
	t.Helper()
	res, err := src.Open(t.Context(), url, rng)
	if err != nil {
		t.Fatalf("Open(%s, %+v): %v", url, rng, err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// check reads the body of res and compares it with what rng asks for of content.
func check(res *source.Resource, rng source.Range, content []byte) error {
	defer res.Body.Close()
	if res.Off != rng.Off && res.Off != 0 {
		return fmt.Errorf("it has Off %d, want %d or 0", res.Off, rng.Off)
	}
	if res.Size >= 0 && res.Size != int64(len(content)) {
		return fmt.Errorf("it has Size %d, want %d or -1", res.Size, len(content))
	}
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("reading the body: %w", err)
	}
	want := slice(content, res.Off, rng)
	if res.Len >= 0 && res.Len < int64(len(want)) && res.Off == rng.Off {
		want = want[:res.Len] // it may end early if it says so
	}
	if res.Len >= 0 && res.Len != int64(len(got)) {
		return fmt.Errorf("it has Len %d, the body has %d bytes", res.Len, len(got))
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("from offset %d: got %d bytes, want %d; the first %d are equal", res.Off, len(got), len(want), common(got, want))
	}
	return nil
}

// slice is content from off on up to the end of rng.
func slice(content []byte, off int64, rng source.Range) []byte {
	size := int64(len(content))
	end := size
	if rng.Len >= 0 && rng.Len < size-rng.Off {
		end = rng.Off + rng.Len
	}
	return content[min(off, size):max(min(off, size), end)]
}

func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// readAndCheck opens and checks in one go, for goroutines, which must not call Fatal.
func readAndCheck(ctx context.Context, src source.Source, url string, rng source.Range, content []byte) error {
	res, err := src.Open(ctx, url, rng)
	if err != nil {
		return err
	}
	return check(res, rng, content)
}

// sourceError makes sure that err is one of the contract's.
func sourceError(t *testing.T, err error) *source.Error {
	t.Helper()
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case err == nil:
		t.Fatal("no error")
	case !ok:
		t.Fatalf("%v (%T) is no *source.Error", err, err)
	case errors.Is(err, io.EOF):
		t.Errorf("%v looks like io.EOF, the end of a body", err)
	case e.Op == "" || e.Err == nil:
		t.Errorf("%#v lacks Op or Err", e)
	}
	return e
}
