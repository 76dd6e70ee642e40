package assemble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
	"spate/source"
	"spate/source/budget"
	"spate/source/httpsource"
)

// patience is how long a test waits for what should happen soon. Only a deadlock takes that long; in a bubble of
// synctest it is over at once.
const patience = 30 * time.Second

// within fails the test, with all goroutines' stacks, if f does not return. f must not call t.Fatal.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
		buf := make([]byte, 1<<20)
		t.Fatalf("%s: still waiting after %v\n%s", what, patience, buf[:runtime.Stack(buf, true)])
	}
}

// grow starts an origin.
func grow(t *testing.T) *farm.Farm {
	t.Helper()
	f := farm.New()
	t.Cleanup(f.Close)
	return f
}

// web is an HTTP client; opts may be nil. Whatever it must not wait for long, it waits for as long as a user would:
// tests about time-outs use byHost.
func web(t *testing.T, opts *httpsource.Options) *httpsource.Source {
	t.Helper()
	s := httpsource.New(opts)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// byHost is a Source that asks one host with the Source hasty, and all others with src.
func byHost(host string, hasty, src source.Source) source.Source {
	return source.Func(func(ctx context.Context, raw string, rng source.Range) (*source.Resource, error) {
		if u, err := url.Parse(raw); err == nil && u.Host == host {
			return hasty.Open(ctx, raw, rng)
		}
		return src.Open(ctx, raw, rng)
	})
}

// text is n bytes that tell where they are, and under which name.
func text(name string, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%s at %d\n", name, b.Len())
	}
	return b.Bytes()[:n]
}

// lines is a manifest.
func lines(l ...string) []byte { return []byte(strings.Join(l, "\n") + "\n") }

// serve puts data, which behaves, under path.
func serve(f *farm.Farm, path string, data []byte) { f.Serve(path, farm.Resource{Body: data}) }

// diary keeps the events of a stream.
type diary struct {
	mu     sync.Mutex
	events []event.Event
}

func (d *diary) add(e event.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
}

// of returns the events of a type.
func (d *diary) of(typ event.Type) []event.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.events), func(e event.Event) bool { return e.Type != typ })
}

// kinds are those of the alternatives that failed.
func (d *diary) kinds() []string {
	var kinds []string
	for _, e := range d.of(event.Failed) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// outcome is what reading a stream to its end, or to limit bytes, came to.
type outcome struct {
	data  []byte
	err   error // nil: the end, or the limit
	stats assemble.Stats
	diary
}

// read reads url to its end. opts may be nil.
func read(t *testing.T, src source.Source, url string, opts *assemble.Options) *outcome {
	t.Helper()
	return readSome(t, src, url, 1<<40, opts)
}

func readSome(t *testing.T, src source.Source, url string, limit int64, opts *assemble.Options) *outcome {
	t.Helper()
	var o assemble.Options
	if opts != nil {
		o = *opts
	}
	out := &outcome{}
	if o.Events == nil {
		o.Events = out.add
	}
	within(t, "reading "+url, func() {
		r, err := assemble.Open(t.Context(), src, url, &o)
		if err != nil {
			out.err = err
			return
		}
		out.data, out.err = io.ReadAll(io.LimitReader(r, limit))
		out.stats = r.Stats()
		out.err = errors.Join(out.err, r.Close())
	})
	return out
}

// want fails the test if the stream is not exactly data.
func (o *outcome) want(t *testing.T, data []byte) {
	t.Helper()
	if o.err != nil {
		t.Errorf("error: %v", whole(o.err))
	}
	if !bytes.Equal(o.data, data) {
		t.Errorf("got %d bytes, want %d; they differ at %d", len(o.data), len(data), differAt(o.data, data))
	}
}

// wantPrefix fails the test if the stream is more than, or other than, the beginning of data.
func (o *outcome) wantPrefix(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(data, o.data) {
		t.Errorf("got %d bytes, which differ at %d", len(o.data), differAt(o.data, data))
	}
}

// differAt is the first offset at which a and b differ.
func differAt(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// whole is an error with all of its causes.
func whole(err error) string {
	text := err.Error()
	if pe, ok := errors.AsType[*assemble.PartError](err); ok {
		for _, cause := range pe.Errs {
			text += "\n\t" + strings.ReplaceAll(whole(cause), "\n", "\n\t")
		}
	}
	return text
}

// wantRequests fails the test if a path was not asked for exactly so often.
func wantRequests(t *testing.T, f *farm.Farm, want map[string]int) {
	t.Helper()
	for path, n := range want {
		if got := f.Requests(path); got != n {
			t.Errorf("%d requests of %s, want %d", got, path, n)
		}
	}
}

// ranges are the Range headers of the requests for path, in order.
func ranges(f *farm.Farm, path string) []string {
	var rs []string
	for _, r := range f.Log() {
		if r.Path == path {
			rs = append(rs, r.Range)
		}
	}
	return rs
}

// wantRanges fails the test if the requests for path had other Range headers.
func wantRanges(t *testing.T, f *farm.Farm, path string, want ...string) {
	t.Helper()
	if got := ranges(f, path); !slices.Equal(got, want) {
		t.Errorf("ranges asked of %s: %q, want %q", path, got, want)
	}
}

// budgetOf is a budget of n bytes.
func budgetOf(n int64) *budget.Budget { return &budget.Budget{Max: n} }

// stepper reads a stream step by step.
type stepper struct {
	*assemble.Reader
	t   *testing.T
	ctx context.CancelFunc
}

// open begins to read url; the stream is closed when the test ends, at the latest.
func open(t *testing.T, src source.Source, url string, opts *assemble.Options) *stepper {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := assemble.Open(ctx, src, url, opts)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		within(t, "closing", func() { r.Close() })
	})
	return &stepper{r, t, cancel}
}

// want reads as many bytes as data has.
func (s *stepper) want(data []byte) {
	s.t.Helper()
	got := make([]byte, len(data))
	var n int
	var err error
	within(s.t, "reading", func() { n, err = io.ReadFull(s, got) })
	if err != nil || differAt(got, data) < len(data) {
		s.t.Fatalf("read %d of %d bytes, which differ at %d, then %v", n, len(data), differAt(got[:n], data), err)
	}
}

// wantEnd reads on and finds the end.
func (s *stepper) wantEnd() {
	s.t.Helper()
	within(s.t, "reading the end", func() {
		if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			s.t.Errorf("read %d, %v; want the end", n, err)
		}
	})
}

// random is a source of random numbers and its seed, which SPATE_SEED sets.
func random(t *testing.T) (*rand.Rand, uint64) {
	t.Helper()
	_, seed := worlds(t)
	return rand.New(rand.NewPCG(seed, 1)), seed
}

// pausing is src with bodies that pause at an offset until gate is closed; those of manifests do not.
func pausing(src source.Source, at int64, gate <-chan struct{}) source.Source {
	return source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		res, err := src.Open(ctx, url, rng)
		if err == nil && !strings.HasSuffix(url, ".parts") {
			res.Body = &pausingBody{res.Body, res.Off, at, gate, ctx.Done()}
		}
		return res, err
	})
}

type pausingBody struct {
	io.ReadCloser
	off, at int64
	gate    <-chan struct{}
	over    <-chan struct{}
}

func (b *pausingBody) Read(p []byte) (int, error) {
	if b.off >= b.at {
		select {
		case <-b.gate:
		case <-b.over:
		}
	} else {
		p = p[:min(int64(len(p)), b.at-b.off)]
	}
	n, err := b.ReadCloser.Read(p)
	b.off += int64(n)
	return n, err
}

// openFiles are the descriptors of this process that lead below dir, or anywhere if dir is empty. Where there
// is no /proc, there are none.
func openFiles(t *testing.T, dir string) []string {
	t.Helper()
	fds, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(fds, func(fd string) bool {
		target, err := os.Readlink(fd)
		return err != nil || !strings.HasPrefix(target, dir)
	})
}
