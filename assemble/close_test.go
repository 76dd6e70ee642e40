package assemble_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"spate/assemble"
	"spate/internal/farm"
	"spate/internal/model"
	"spate/source"
	"spate/source/limit"
)

// wantNoGoroutines fails the test if a goroutine of a stream is left. One that has just ended may still be seen for a
// moment.
func wantNoGoroutines(t *testing.T) {
	t.Helper()
	buf := make([]byte, 1<<20)
	var left string
	for range 1000 {
		left = ""
		for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
			if strings.Contains(g, "spate/assemble.") {
				left = g
			}
		}
		if left == "" {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("a goroutine is left:\n%s", left)
}

// counted is src with a count of the requests that are not over.
type counted struct {
	memory // of which only the count is used
	src    source.Source
}

func (c *counted) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	c.count(url)
	res, err := c.src.Open(ctx, url, rng)
	if err != nil {
		c.leave("")
		return nil, err
	}
	res.Body = &countedBody{res.Body, c}
	return res, nil
}

type countedBody struct {
	io.ReadCloser
	c *counted
}

func (b *countedBody) Close() error {
	if b.c != nil {
		b.c.leave("")
	}
	b.c = nil
	return b.ReadCloser.Close()
}

// orchard serves a stream with a bit of everything: parts that break, mirrors, marked ones, a manifest in the middle,
// one that is unwound from, and an origin that hangs in the end.
func orchard(t *testing.T) (f *farm.Farm, size int64) {
	f = grow(t)
	data := text("data", 300_000)
	f.Serve("/cut", farm.Resource{Body: data, BreakAt: 100_000})
	f.Serve("/fromzero", farm.Resource{Body: data, NoRange: true, NoLength: true})
	f.Serve("/slow", farm.Resource{Body: data, Rate: 10 << 20})
	serve(f, "/data", data)
	f.Serve("/hangs", farm.Resource{HangHeader: true})
	f.Serve("/stalls", farm.Resource{Body: data, StallAt: 150_000})
	serve(f, "/inner.parts", lines("slow", "--", "(*)", "data", "--", "gone"))
	serve(f, "/m.parts", lines("cut", "fromzero", "--", "(*)", "cut", "data", "--", "inner.parts", "twice", "--",
		"(*)", "data", "--", "slow", "--", "(*)", "stalls", "--", "hangs"))
	serve(f, "/twice", append(data, data...))
	return f, 6*300_000 + 150_000
}

// TestCloseAnywhere: after any number of bytes, Close ends all that belongs to the stream before it returns.
func TestCloseAnywhere(t *testing.T) {
	rnd, seed := random(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	f, size := orchard(t)
	client := web(t, nil)
	points := []int64{0, 1, 99_999, 100_000, 100_001, 300_000, size - 150_000, size - 1, size}
	for range 15 {
		points = append(points, rnd.Int64N(size))
	}
	for i, n := range points {
		e := &ending{t: t, src: &counted{src: client}, url: f.URL("/m.parts"), cancels: i%2 == 0}
		e.opts = &assemble.Options{Ahead: []int{1, 4, 16}[i%3], Budget: budgetOf(200_000), CacheMemory: 100_000,
			Hosts: &limit.Hosts{PerHost: 1 + i%4}}
		within(t, fmt.Sprintf("seed %d: reading %d bytes and closing", seed, n), func() { e.after(n) })
		e.src.wantNothingOpen(t)
		wantNoGoroutines(t)
		wantNoFiles(t, dir)
		if t.Failed() {
			t.Fatalf("seed %d, after %d bytes, %+v", seed, n, e.opts)
		}
	}
	if err := f.Wait(patient(t), farm.Ended, "/", f.Requests("/")); err != nil {
		t.Error(err)
	}
}

// ending is a stream that is ended at will.
type ending struct {
	t       *testing.T
	src     *counted
	url     string
	opts    *assemble.Options
	cancels bool // its context, before it is closed
}

// after reads n bytes and closes.
func (e *ending) after(n int64) {
	ctx, cancel := context.WithCancel(e.t.Context())
	defer cancel()
	r, err := assemble.Open(ctx, e.src, e.url, e.opts)
	if err != nil {
		e.t.Error(err)
		return
	}
	if got, err := io.CopyN(io.Discard, r, n); err != nil {
		e.t.Errorf("read %d of %d bytes, %v", got, n, err)
	}
	if e.cancels {
		cancel()
	}
	for range 2 {
		if err := r.Close(); err != nil {
			e.t.Error(err)
		}
	}
	if _, err := r.Read(make([]byte, 1)); err == nil || err == io.EOF {
		e.t.Errorf("a read after Close: %v", err)
	}
}

// patient is a context for what should happen soon.
func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func wantNoFiles(t *testing.T, dir string) {
	t.Helper()
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("files are left: %v, %v", names, err)
	}
	if fds := openFiles(t, dir); len(fds) > 0 {
		t.Errorf("files are still open: %q", fds)
	}
}

// waiting is something that a stream waits for.
type waiting struct {
	name string
	res  farm.Resource // of /x
	path string        // what is asked for
	want int           // bytes before it waits
}

func waitings() []waiting {
	data := text("data", 1000)
	return []waiting{
		{"the answer to what was asked for", farm.Resource{HangHeader: true}, "/x", 0},
		{"the first byte", farm.Resource{Body: data, StallAt: farm.AtOnce}, "/x", 0},
		{"the rest", farm.Resource{Body: data, StallAt: 500}, "/x", 500},
		{"the answer of a part", farm.Resource{HangHeader: true}, "/m.parts", 0},
		{"the rest of a part", farm.Resource{Body: data, StallAt: 500}, "/m.parts", 500},
		{"the rest of a marked part", farm.Resource{Body: data, StallAt: 500}, "/marked.parts", 500},
		{"the answer of a marked part", farm.Resource{HangHeader: true}, "/marked.parts", 0},
		{"the rest of a manifest", farm.Resource{Body: []byte("y\n--\n"), StallAt: 3, MediaType: "text/parts-manifest"}, "/x", 0},
		{"the answer of a manifest", farm.Resource{HangHeader: true, MediaType: "text/parts-manifest"}, "/m.parts", 0},
	}
}

// TestCloseAndCancelEndWaits: whatever a Read waits for, closing the stream from elsewhere, or cancelling it, ends the
// wait with an error, and nothing is left.
func TestCloseAndCancelEndWaits(t *testing.T) {
	for _, w := range waitings() {
		for _, how := range []string{"close", "cancel", "deadline"} {
			t.Run(w.name+", "+how, func(t *testing.T) { w.check(t, how) })
		}
	}
}

func (w waiting) check(t *testing.T, how string) {
	f := grow(t)
	f.Serve("/x", w.res)
	serve(f, "/m.parts", lines("x", "--", "x"))
	serve(f, "/marked.parts", lines("(*)", "x", "--", "(*)", "x"))
	if w.path == "/x" && w.res.HangHeader && how == "close" {
		how = "cancel" // there is nothing to close yet
	}
	c := &counted{src: web(t, nil)}
	e := &waitEnd{t: t, opened: make(chan *assemble.Reader, 1), reached: make(chan struct{})}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		<-e.reached
		if f.Wait(patient(t), farm.Stuck, "/x", 1) == nil {
			e.end(cancel, how)
		}
	}()
	var err error
	within(t, "reading", func() { err = e.read(ctx, c, f.URL(w.path), w.want) })
	if err == nil || how != "close" && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	c.wantNothingOpen(t)
	wantNoGoroutines(t)
	if err := f.Wait(patient(t), farm.Ended, "/", f.Requests("/")); err != nil {
		t.Error(err)
	}
}

// waitEnd is a stream that waits, and is ended from elsewhere.
type waitEnd struct {
	t       *testing.T
	opened  chan *assemble.Reader
	reached chan struct{} // closed when all is read that there is before the wait
}

// read reads n bytes, then finds that the stream was ended.
func (e *waitEnd) read(ctx context.Context, src source.Source, url string, n int) error {
	if n == 0 {
		close(e.reached)
	}
	r, err := assemble.Open(ctx, src, url, nil)
	if err != nil {
		return err
	}
	defer r.Close()
	e.opened <- r
	if n > 0 {
		if _, err := io.ReadFull(r, make([]byte, n)); err != nil {
			e.t.Error(err)
		}
		close(e.reached)
	}
	more, err := io.Copy(io.Discard, r)
	if more > 0 {
		e.t.Errorf("%d bytes too many", more)
	}
	return err
}

func (e *waitEnd) end(cancel context.CancelCauseFunc, how string) {
	switch how {
	case "cancel":
		cancel(nil)
	case "deadline":
		cancel(context.DeadlineExceeded)
	case "close":
		(<-e.opened).Close()
	}
}

// TestCloseInAnyWorld: random worlds, closed or cancelled at random.
func TestCloseInAnyWorld(t *testing.T) {
	_, seed := random(t)
	for i := range uint64(1000) {
		rnd := rand.New(rand.NewPCG(seed+i, 2))
		w, root := model.Random(rnd, model.Kind{Star: rnd.IntN(2) == 0, Lying: rnd.IntN(2) == 0})
		c := &counted{src: w}
		opts := &assemble.Options{Ahead: 1 + rnd.IntN(6), MaxDepth: 20, MaxIdleOpens: 1000, CacheMemory: 20,
			Budget: budgetOf(1 + rnd.Int64N(20_000)), Hosts: &limit.Hosts{PerHost: 1 + rnd.IntN(3)}}
		ctx, cancel := context.WithCancel(t.Context())
		within(t, fmt.Sprintf("SPATE_SEED=%d", seed+i), func() {
			r, err := assemble.Open(ctx, c, root, opts)
			if err != nil {
				return
			}
			io.CopyN(io.Discard, r, rnd.Int64N(200))
			if rnd.IntN(2) == 0 {
				cancel()
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		cancel()
		if used := opts.Budget.Used(); used != 0 {
			t.Errorf("%d bytes of the budget are still in use", used)
		}
		if c.wantNothingOpen(t); t.Failed() {
			t.Fatalf("SPATE_SEED=%d", seed+i)
		}
	}
	wantNoGoroutines(t)
}

// TestErrorEndsAll: a stream that has failed, or has ended, needs a Close as well, after which nothing is left.
func TestErrorEndsAll(t *testing.T) {
	f := grow(t)
	stock(f)
	serve(f, "/fails.parts", lines("a", "--", "gone", "--", "b", "--", "c", "--", "(*)", "a"))
	serve(f, "/ends.parts", lines("a", "--", "(*)", "b"))
	for _, path := range []string{"/fails.parts", "/ends.parts", "/gone.parts"} {
		c := &counted{src: web(t, nil)}
		read(t, c, f.URL(path), nil)
		c.wantNothingOpen(t)
		wantNoGoroutines(t)
	}
}

// TestFinalErrors: an error stays; so does the end.
func TestFinalErrors(t *testing.T) {
	f := grow(t)
	stock(f)
	serve(f, "/fails.parts", lines("gone"))
	serve(f, "/ends.parts", lines("a"))
	for _, path := range []string{"/fails.parts", "/ends.parts"} {
		r := open(t, web(t, nil), f.URL(path), nil)
		within(t, "reading", func() {
			_, first := io.Copy(io.Discard, struct{ io.Reader }{r})
			for range 3 {
				n, err := r.Read(make([]byte, 10))
				if n != 0 || err == nil || err != io.EOF && err != first {
					t.Errorf("read %d, %v; the first error was %v", n, err, first)
				}
			}
		})
	}
}
