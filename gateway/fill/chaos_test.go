package fill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
)

// chaos is a Source of mirrors, m0, m1 and so on, each with faults of its own.
type chaos struct {
	size    int64
	mirrors []faults
	least   int64 // of a short answer

	mu     sync.Mutex
	rnd    *rand.Rand
	opened int
}

// faults are what a mirror does, and of how many requests.
type faults struct {
	tag      string
	versions []uint64 // one for each machine behind its name
	refuses  float64  // fails before it answers
	busy     float64  // 503, with Retry-After
	breaks   float64
	silent   float64
	short    float64 // answers less than was asked for
	shifted  float64 // answers another range
	slow     float64 // to answer
	noRanges bool
	noSize   bool
	noTotal  bool // tells the size only without a range
}

// mostRequests are more than any world needs: most need a hundred.
const mostRequests = 20_000

// is reports whether it happens this time. s.mu is held.
func (s *chaos) is(p float64) bool { return s.rnd.Float64() < p }

func (s *chaos) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	n, err := strconv.Atoi(url[len("x://m"):][:1])
	if err != nil {
		return nil, err
	}
	f := s.mirrors[n]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened++; s.opened > mostRequests {
		return nil, &source.Error{Op: "open", Kind: source.KindStatus, Status: 404, Err: errors.New("too many requests")}
	}
	if err := s.refuse(ctx, f); err != nil {
		return nil, err
	}
	res := s.answer(url, f, rng)
	res.Body = s.body(ctx, f, res)
	return res, nil
}

// refuse is why f does not answer, if so, once it would. s.mu is held; not meanwhile.
func (s *chaos) refuse(ctx context.Context, f faults) error {
	if s.is(f.slow) {
		d := time.Duration(s.rnd.IntN(int(8 * time.Second)))
		s.mu.Unlock()
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if s.is(f.refuses) {
		return &source.Error{Op: "open", Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
	}
	if s.is(f.busy) {
		wait := time.Duration(s.rnd.IntN(4)) * time.Second
		return &source.Error{Op: "open", Kind: source.KindStatus, Status: 503, RetryAfter: wait, Err: errors.New("busy")}
	}
	return nil
}

// answer is one of f, without a body. s.mu is held.
func (s *chaos) answer(url string, f faults, rng source.Range) *source.Resource {
	off, end := rng.Off, s.size
	if rng.Len >= 0 && rng.Len < math.MaxInt64-rng.Off {
		end = min(end, rng.Off+rng.Len)
	}
	res := &source.Resource{Info: source.Info{URL: url, Size: s.size, Validator: f.tag, Seekable: !f.noRanges}}
	if f.noRanges {
		off, end = 0, s.size
	}
	if f.noSize || f.noTotal && rng != source.From(0) {
		res.Size = -1
	}
	if !f.noRanges && off < end && s.is(f.shifted) {
		off = s.rnd.Int64N(s.size)
		end = max(end, off+1)
	}
	off = min(off, s.size)
	end = max(end, off)
	if !f.noRanges && off < end && s.is(f.short) {
		end = min(end, off+s.least+s.rnd.Int64N(end-off))
	}
	res.Off, res.Len = off, end-off
	if f.noSize {
		res.Len = -1
	}
	return res
}

// body is that of an answer. s.mu is held.
func (s *chaos) body(ctx context.Context, f faults, res *source.Resource) io.ReadCloser {
	off := res.Off
	end := s.size
	if res.Len >= 0 {
		end = off + res.Len
	}
	b := &chaotic{s: s, ctx: ctx, gen: generate(f.versions[s.rnd.IntN(len(f.versions))]), off: off, end: end, breaks: -1, silent: -1}
	if s.is(f.breaks) {
		b.breaks = off + s.rnd.Int64N(1+s.rnd.Int64N(end-off+1))
	}
	if s.is(f.silent) {
		b.silent = off + s.rnd.Int64N(1+s.rnd.Int64N(end-off+1))
	}
	b.gap = time.Duration(s.rnd.IntN(20)) * time.Millisecond
	return b
}

// chaotic is a body that breaks, or falls silent, at an offset; -1: it does not.
type chaotic struct {
	s              *chaos
	ctx            context.Context
	gen            func(int64, []byte) int
	off, end       int64
	breaks, silent int64
	gap            time.Duration
}

func (b *chaotic) Read(p []byte) (int, error) {
	if b.off == b.end {
		return 0, io.EOF
	}
	wait := time.After(b.gap)
	to := b.end
	for _, at := range []int64{b.breaks, b.silent} {
		if at >= b.off {
			to = min(to, at)
		}
	}
	if to == b.off {
		if b.off == b.breaks {
			return 0, &source.Error{Op: "read", Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
		}
		wait = nil
	}
	if err := arrives(b.ctx, wait, p); err != nil {
		return 0, err
	}
	b.s.mu.Lock()
	n := min(int64(len(p)), to-b.off)
	n = 1 + b.s.rnd.Int64N(n)
	b.s.mu.Unlock()
	b.gen(b.off, p[:n])
	b.off += n
	return int(n), nil
}

func (b *chaotic) Close() error { return nil }

func pick[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

// Readers of mirrors with all kinds of faults, with and without room for what they read: each ends, and what it has been given is of one
// version, without a gap, and all of it where there is no error.
func TestFaultsAtRandom(t *testing.T) {
	for range 12 {
		seed := rand.Uint64()
		w := newFaulty(seed)
		synctest.Test(t, w.run)
		if w.src.opened > mostRequests {
			t.Error("too many requests")
		}
		if t.Failed() {
			t.Fatalf("seed %d: %+v of %d bytes: %+v", seed, w.opts, w.src.size, w.src.mirrors)
		}
	}
}

// faulty is a world of such mirrors.
type faulty struct {
	rnd     *rand.Rand
	src     *chaos
	opts    Options
	mirrors []string
}

func newFaulty(seed uint64) *faulty {
	rnd := rand.New(rand.NewPCG(seed, 9))
	block := pick(rnd, int64(4<<10), 4<<10, 32<<10)
	w := &faulty{rnd: rnd, src: &chaos{rnd: rand.New(rand.NewPCG(seed, 10)), size: rnd.Int64N(40 * block), least: pick(rnd, int64(1), 64<<10)}}
	for i := range 1 + rnd.IntN(3) {
		w.src.mirrors = append(w.src.mirrors, newFaults(rnd, i == 0))
		w.mirrors = append(w.mirrors, fmt.Sprintf("x://m%d/f", i))
	}
	w.opts = Options{Source: w.src, BlockSize: block, Memory: pick(rnd, int64(3), 8, 100) * block, PerHost: 1 + rnd.IntN(8),
		PerFile: 1 + rnd.IntN(4), Connections: 1 + rnd.IntN(8), Fill: rnd.IntN(4) == 0}
	if rnd.IntN(3) > 0 {
		cache := newShelf(seed)
		cache.losing, cache.lying, cache.refuses = pick(rnd, 0, .1), pick(rnd, 0, .1), pick(rnd, 0, .2)
		w.opts.Cache = cache
	}
	return w
}

func newFaults(rnd *rand.Rand, isFirst bool) faults {
	rate := func(most float64) float64 { return pick(rnd, 0, 0, rnd.Float64()*most) }
	f := faults{tag: pick(rnd, `"1"`, `W/"1"`, ""), versions: []uint64{1}, refuses: rate(.3), busy: rate(.2), breaks: rate(.5),
		silent: rate(.3), short: rate(.8), slow: rate(.4), noRanges: rnd.IntN(8) == 0, noTotal: rnd.IntN(12) == 0}
	if rnd.IntN(4) == 0 {
		f.shifted = rate(.3)
	}
	f.noSize = f.noRanges && rnd.IntN(2) == 0
	if !isFirst && rnd.IntN(5) == 0 {
		f.versions = []uint64{7}
	} else if f.tag != `"1"` && rnd.IntN(6) == 0 {
		f.versions = []uint64{1, 7}
	}
	return f
}

func (w *faulty) run(t *testing.T) {
	p := New(&w.opts)
	defer p.Close()
	var readers sync.WaitGroup
	for range 12 {
		rnd := rand.New(rand.NewPCG(w.rnd.Uint64(), 3))
		readers.Go(func() {
			for range 5 {
				w.read(t, p, rnd)
				time.Sleep(time.Duration(rnd.IntN(int(3 * time.Second))))
			}
		})
	}
	readers.Wait()
}

// read reads some of the file.
func (w *faulty) read(t *testing.T, p *Pool, rnd *rand.Rand) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()
	f, err := p.Open(ctx, What{Mirrors: w.mirrors, At: rnd.Int64N(w.src.size + 1)})
	if ctx.Err() != nil {
		t.Error("it is opened for ever")
	}
	if err != nil {
		return
	}
	defer f.Close()
	off := rnd.Int64N(w.src.size + 1)
	n := min(rnd.Int64N(6*w.opts.BlockSize), w.src.size-off)
	if rnd.IntN(3) == 0 {
		n = w.src.size - off
	}
	r, err := f.Open(ctx, off, n)
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Close()
	got, err := io.ReadAll(slowly{r, rnd})
	if ctx.Err() != nil {
		t.Errorf("%d bytes from %d are read for ever: %d came", n, off, len(got))
	}
	for _, version := range []uint64{1, 7} {
		want := make([]byte, n)
		generate(version)(off, want)
		if bytes.HasPrefix(want, got) && (err != nil || len(got) == len(want)) {
			return
		}
	}
	t.Errorf("%d bytes from %d: %d of others, %v", n, off, len(got), err)
}

// slowly reads in pieces of any size, and pauses now and then.
type slowly struct {
	r   io.Reader
	rnd *rand.Rand
}

func (s slowly) Read(p []byte) (int, error) {
	if s.rnd.IntN(50) == 0 {
		time.Sleep(time.Duration(s.rnd.IntN(int(4 * time.Second))))
	}
	return s.r.Read(p[:1+s.rnd.IntN(len(p))])
}
