package assemble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"spate/assemble"
	"spate/internal/farm"
	"spate/source"
)

const (
	self  = "mem://m/self.parts"
	verse = "mem://h/verse"
)

// selfReferences are manifests that end in themselves.
func selfReferences() map[string][]byte {
	return map[string][]byte{
		"plain":                     lines(verse, "--", self),
		"with mirrors":              lines(verse, "--", self, "mem://n/self.parts", "mem://o/self.parts"),
		"with a trailing separator": lines(verse, "--", self, "--"),
	}
}

// TestSelfReference: a manifest that ends in itself costs nothing but time, of which the race detector takes six times
// as much.
func TestSelfReference(t *testing.T) {
	parts := 200_000
	if underRace() {
		parts /= 10
	}
	for name, text := range selfReferences() {
		t.Run(name, func(t *testing.T) { singForever(t, text, parts) })
	}
}

// underRace reports whether the test was built with the race detector.
func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// TestSelfReferenceForLong is ten times as long, where SPATE_SOAK is set.
func TestSelfReferenceForLong(t *testing.T) {
	if os.Getenv("SPATE_SOAK") == "" {
		t.Skip("make soak runs it: SPATE_SOAK is not set")
	}
	for name, text := range selfReferences() {
		t.Run(name, func(t *testing.T) { singForever(t, text, 2_000_000) })
	}
}

// singForever reads that many parts and compares the heap of the 1,000th with that of the last.
func singForever(t *testing.T, text []byte, parts int) {
	const line = "verse\n"
	m := library(map[string]*thing{self: {data: text}, verse: {data: []byte(line)}})
	r, err := assemble.Open(t.Context(), m, self, &assemble.Options{Ahead: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	buf := make([]byte, len(line))
	var before uint64
	for i := range parts {
		if i == 1000 {
			before = heap()
		}
		if _, err := io.ReadFull(r, buf); err != nil || string(buf) != line {
			t.Fatalf("part %d: %q, %v", i, buf, err)
		}
	}
	after := heap()
	if grown := int64(after) - int64(before); grown >= 1<<20 {
		t.Errorf("the heap has grown by %d bytes, from %d", grown, before)
	}
	if n := m.requests("mem://n/self.parts"); n > 0 {
		t.Errorf("%d requests of a mirror that nobody needs", n)
	}
}

// heap is what is in use after a garbage collection.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // what sync.Pool holds goes in two steps
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestNoProgress: opens without a byte between them end, also where they never fail.
func TestNoProgress(t *testing.T) {
	cases := []struct {
		name   string
		things map[string]*thing
	}{
		{"itself alone", map[string]*thing{self: {data: lines(self)}}},
		{"itself, between separators", map[string]*thing{self: {data: lines("--", "--", self, "--")}}},
		{"itself, with mirrors", map[string]*thing{self: {data: lines(self, self)}}},
		{"itself, after an empty part", map[string]*thing{self: {data: lines("mem://h/empty", "--", self)}, "mem://h/empty": {}}},
		{"itself, after an empty manifest", map[string]*thing{self: {data: lines("mem://m/b.parts", "--", self)}, "mem://m/b.parts": {}}},
		{"one another", map[string]*thing{self: {data: lines("mem://m/b.parts")}, "mem://m/b.parts": {data: lines(self)}}},
		{"itself, after what fails", map[string]*thing{self: {data: lines("mem://h/gone", self)}}},
		{"itself, marked", map[string]*thing{self: {data: lines("(*)", self)}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := library(c.things)
			out := read(t, m, self, nil)
			if !errors.Is(out.err, io.ErrNoProgress) || len(out.data) > 0 {
				t.Errorf("%d bytes, then %v", len(out.data), out.err)
			}
			if n := max(m.requests(self), m.requests("mem://m/b.parts")); n < 500 || n > 1050 {
				t.Errorf("%d requests of one manifest, want about 1,000, or half of that where there are two", n)
			}
			m.wantNothingOpen(t)
		})
	}
}

// TestNoProgressOverSockets: the same with an origin that counts.
func TestNoProgressOverSockets(t *testing.T) {
	f := grow(t)
	serve(f, "/self.parts", lines("self.parts"))
	out := read(t, web(t, nil), f.URL("/self.parts"), &assemble.Options{MaxIdleOpens: 100})
	if !errors.Is(out.err, io.ErrNoProgress) {
		t.Errorf("error %v", out.err)
	}
	if n := f.Requests("/self.parts"); n < 100 || n > 110 {
		t.Errorf("%d requests, want about 100", n)
	}
}

// chain is a Source of manifests without end, each of which names the next; tail is the text of the n-th.
func chain(tail func(n int) []byte) *memory {
	return &memory{find: func(url string) *thing {
		switch name, found := strings.CutPrefix(url, "mem://m/"); {
		case found:
			n, err := strconv.Atoi(strings.TrimSuffix(name, ".parts"))
			if err != nil {
				return nil
			}
			return &thing{data: tail(n)}
		case url == verse:
			return &thing{data: []byte("v")}
		case url == "mem://h/empty":
			return &thing{}
		}
		return nil
	}}
}

func link(n int) string { return fmt.Sprintf("mem://m/%d.parts", n) }

// TestIdleOpens: manifests that are all different end as well, at the limit for opens of any kind.
func TestIdleOpens(t *testing.T) {
	cases := []struct {
		name string
		tail func(n int) []byte
	}{
		{"one in the other", func(n int) []byte { return lines(link(n + 1)) }},
		{"and empty parts", func(n int) []byte { return lines("mem://h/empty", "--", link(n+1)) }},
		{"and alternatives that fail", func(n int) []byte { return lines("mem://h/gone", link(n+1)) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := chain(c.tail)
			out := read(t, m, link(0), &assemble.Options{MaxIdleOpens: 3000})
			if !errors.Is(out.err, io.ErrNoProgress) {
				t.Errorf("error %v", out.err)
			}
			if n := m.total(); n < 2900 || n > 3100 {
				t.Errorf("%d requests, want about 3,000", n)
			}
		})
	}
}

// TestProgress: a byte now and then is enough, however many opens there are in all.
func TestProgress(t *testing.T) {
	m := chain(func(n int) []byte {
		if n%90 == 0 {
			return lines(verse, "--", link(n+1))
		}
		return lines(link(n + 1))
	})
	out := readSome(t, m, link(0), 30, &assemble.Options{MaxIdleOpens: 100, Ahead: 1})
	out.want(t, bytes.Repeat([]byte("v"), 30))
}

// TestDepth: manifests in the middle of manifests, up to the limit and beyond.
func TestDepth(t *testing.T) {
	nested := func(depth int) *memory {
		return chain(func(n int) []byte {
			if n == depth {
				return lines(verse)
			}
			return lines("", "# beside it", link(n+1), "--", verse)
		})
	}
	for _, limit := range []int{1, 2, 10, 0} {
		n := limit
		if limit == 0 {
			n = 1000
		}
		opts := &assemble.Options{MaxDepth: limit, Ahead: 2}
		for _, depth := range []int{n - 1, n} {
			read(t, nested(depth), link(0), opts).want(t, bytes.Repeat([]byte("v"), depth+1))
		}
		out := read(t, nested(n+1), link(0), opts)
		if !errors.Is(out.err, assemble.ErrDepth) || len(out.data) > 0 {
			t.Errorf("limit %d: %d bytes, then %v", n, len(out.data), out.err)
			continue
		}
		if text := out.err.Error(); !strings.Contains(text, "line 2") || !strings.Contains(text, link(n)) {
			t.Errorf("limit %d: the error does not tell where: %v", n, out.err)
		}
	}
}

// TestDepthOfOneself: a manifest that begins with itself.
func TestDepthOfOneself(t *testing.T) {
	m := library(map[string]*thing{self: {data: lines(self, "--", verse)}, verse: {data: []byte("v")}})
	out := read(t, m, self, &assemble.Options{MaxDepth: 50})
	if !errors.Is(out.err, assemble.ErrDepth) || len(out.data) > 0 {
		t.Errorf("%d bytes, then %v", len(out.data), out.err)
	}
	if n := m.requests(self); n > 100 {
		t.Errorf("%d requests for a depth of 50", n)
	}
}

// TestTailCallsHaveNoDepth: nor do those with mirrors.
func TestTailCallsHaveNoDepth(t *testing.T) {
	for name, text := range selfReferences() {
		t.Run(name, func(t *testing.T) {
			m := library(map[string]*thing{self: {data: text}, verse: {data: []byte("v")}})
			out := readSome(t, m, self, 500, &assemble.Options{MaxDepth: 1})
			out.want(t, bytes.Repeat([]byte("v"), 500))
		})
	}
}

// TestMirrorsOfLaps: the newest of the alternatives that laps leave behind are still there, the oldest are not.
func TestMirrorsOfLaps(t *testing.T) {
	for _, laps := range []int{3, 20, 200} {
		f := grow(t)
		serve(f, "/v", []byte("v"))
		serve(f, "/other", []byte("vw"))
		f.Serve("/self.parts", farm.Resource{Changes: func(n int) farm.Resource {
			if n > laps {
				return farm.Resource{Body: lines("v", "--", "gone")}
			}
			return farm.Resource{Body: lines("v", "--", "self.parts", "other")}
		}})
		out := read(t, web(t, nil), f.URL("/self.parts"), nil)
		// In lap laps+1 the part behind the v is gone; instead of that lap, /other.
		out.want(t, append(bytes.Repeat([]byte("v"), laps+1), 'w'))
	}
}

// lateEnd is a body whose end comes only after a while.
type lateEnd struct {
	io.ReadCloser
	over <-chan struct{}
}

func (b *lateEnd) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		select {
		case <-time.After(time.Second):
		case <-b.over:
		}
	}
	return n, err
}

// TestSelfReferenceThatEndsLate: whether anything follows the manifest's last part is known only a second later, which
// is too late for the walk to wait. It is no nesting all the same.
func TestSelfReferenceThatEndsLate(t *testing.T) {
	for _, th := range []thing{{}, {noRange: true}, {noTag: true}} {
		for _, ahead := range []int{1, 16} {
			for name, text := range selfReferences() {
				t.Run(fmt.Sprintf("%s, no ranges %v, no validator %v, ahead %d", name, th.noRange, th.noTag, ahead), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						th.data = text
						m := library(map[string]*thing{self: &th, verse: {data: []byte("v")}})
						late := source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
							res, err := m.Open(ctx, url, rng)
							if err == nil && url == self {
								res.Body = &lateEnd{res.Body, ctx.Done()}
							}
							return res, err
						})
						out := readSome(t, late, self, 12, &assemble.Options{Ahead: ahead, MaxDepth: 3})
						out.want(t, bytes.Repeat([]byte("v"), 12))
						m.wantNothingOpen(t)
					})
				})
			}
		}
	}
}
