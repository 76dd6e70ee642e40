package fill

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
)

// patient is how long a pulse waits for a byte, as drivers do.
const patient = 20 * time.Second

// pulse is a Source of one file that brings a piece in each interval. Nothing of it waits for anything but time.
type pulse struct {
	size    int64
	piece   int64
	gap     time.Duration
	tag     string                            // its validator; "": "1" in quotes
	silent  func(request int, off int64) bool // from here on
	mu      sync.Mutex
	opened  int
	ended   []time.Time
	reading atomic.Int32
}

func (s *pulse) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	s.mu.Lock()
	s.opened++
	n := s.opened
	s.mu.Unlock()
	s.reading.Add(1)
	end := s.size
	if rng.Len >= 0 && rng.Len < math.MaxInt64-rng.Off {
		end = min(end, rng.Off+rng.Len)
	}
	return &source.Resource{Info: source.Info{URL: url, Size: s.size, Validator: cmp.Or(s.tag, `"1"`), Seekable: true}, Off: rng.Off, Len: end - rng.Off,
		Body: &pulsing{s: s, ctx: ctx, request: n, off: rng.Off, end: end}}, nil
}

type pulsing struct {
	s        *pulse
	ctx      context.Context
	request  int
	off, end int64
}

// arrives waits for bytes for p; nil is for ever. Where ctx ends before, p is written to all the same, as a Read may do.
func arrives(ctx context.Context, wait <-chan time.Time, p []byte) error {
	select {
	case <-wait:
		return nil
	case <-time.After(patient):
		return &source.Error{Op: "read", Kind: source.KindTimeout, Err: context.DeadlineExceeded}
	case <-ctx.Done():
		for i := range p {
			p[i] = 0xee
		}
		return ctx.Err()
	}
}

func (b *pulsing) Read(p []byte) (int, error) {
	if b.off == b.end {
		return 0, io.EOF
	}
	wait := time.After(b.s.gap)
	if b.s.silent != nil && b.s.silent(b.request, b.off) {
		wait = nil
	}
	if err := arrives(b.ctx, wait, p); err != nil {
		return 0, err
	}
	n := generate(1)(b.off, p[:min(int64(len(p)), b.s.piece, b.end-b.off)])
	b.off += int64(n)
	return n, nil
}

func (b *pulsing) Close() error {
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.ended = append(b.s.ended, time.Now())
	b.s.reading.Add(-1)
	return nil
}

func (s *pulse) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// inBubble runs f with a Pool over src, where time is that of the test.
func inBubble(t *testing.T, src *pulse, opts Options, f func(p *Pool, file *File)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		opts.Source = src
		p := New(&opts)
		defer p.Close()
		file, err := p.Open(t.Context(), What{Mirrors: []string{"x://host/f"}})
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		f(p, file)
	})
}

func from(t *testing.T, f *File, off, n int64) io.ReadCloser {
	t.Helper()
	r, err := f.Open(context.Background(), off, n)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func full(t *testing.T, r io.Reader, off int64, n int) {
	t.Helper()
	got, want := make([]byte, n), make([]byte, n)
	generate(1)(off, want)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes from %d: %v", n, off, err)
	}
}

// Bytes are handed out as they come, not once their block is whole.
func TestBytesComeAsTheyAre(t *testing.T) {
	src := &pulse{size: 1 << 20, piece: 1000, gap: time.Second}
	inBubble(t, src, Options{}, func(_ *Pool, f *File) {
		r := from(t, f, 0, -1)
		defer r.Close()
		begun := time.Now()
		full(t, r, 0, 3000)
		if d := time.Since(begun); d > 3*time.Second {
			t.Errorf("3000 bytes took %v", d)
		}
	})
}

// A stream goes on for 2 s after its last reader has left, then it is closed.
func TestFetchEndsAfterItsReaders(t *testing.T) {
	src := &pulse{size: 1 << 30, piece: chunk, gap: time.Millisecond}
	inBubble(t, src, Options{}, func(_ *Pool, f *File) {
		r := from(t, f, 0, -1)
		full(t, r, 0, blk)
		r.Close()
		left := time.Now()
		time.Sleep(linger - 100*time.Millisecond)
		if src.reading.Load() != 1 {
			t.Error("it was closed at once")
		}
		time.Sleep(time.Minute)
		if src.reading.Load() != 0 {
			t.Fatal("it goes on")
		}
		if d := src.ended[0].Sub(left); d < linger || d > linger+time.Second {
			t.Errorf("it was closed after %v", d)
		}
	})
}

// A client that stops reading costs no connection, and may go on when it likes.
func TestPausedReader(t *testing.T) {
	src := &pulse{size: 1 << 30, piece: chunk, gap: time.Millisecond}
	inBubble(t, src, Options{}, func(p *Pool, f *File) {
		r := from(t, f, 0, -1)
		defer r.Close()
		full(t, r, 0, 4*blk)
		time.Sleep(time.Minute)
		if src.reading.Load() != 0 || p.Stats().Connections != 0 {
			t.Error("it has a connection")
		}
		if n := p.Stats().OriginBytes; n > 9*blk {
			t.Errorf("%d bytes were read ahead", n-4*blk)
		}
		full(t, r, 4*blk, 40*blk)
		if s := p.Stats(); s.DuplicateBytes != 0 || s.Failures != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A stream that is silent is overtaken after 2 s, and its silence costs no more than that.
func TestSilenceCostsTwoSeconds(t *testing.T) {
	src := &pulse{size: 4 * blk, piece: chunk, gap: time.Millisecond}
	src.silent = func(request int, off int64) bool { return request == 1 && off >= 100_000 }
	inBubble(t, src, Options{}, func(p *Pool, f *File) {
		r := from(t, f, 0, -1)
		defer r.Close()
		begun := time.Now()
		full(t, r, 0, 4*blk)
		if d := time.Since(begun); d < minPatience || d > minPatience+time.Second {
			t.Errorf("it took %v", d)
		}
		time.Sleep(linger + time.Second)
		if s := p.Stats(); s.Stalls != 1 || s.Hedges != 1 || s.Connections != 0 {
			t.Errorf("%+v", s)
		}
		again := from(t, f, 0, -1)
		defer again.Close()
		full(t, again, 0, 4*blk) // what was overtaken has written to nothing of it
	})
}

// What never comes from one connection after the other comes in the end, and no more than PerFile are waited for at a time.
func TestSilentAgainAndAgain(t *testing.T) {
	src := &pulse{size: 2 * blk, piece: chunk, gap: time.Millisecond}
	src.silent = func(request int, off int64) bool { return request <= 3 && off >= 100_000 }
	inBubble(t, src, Options{}, func(p *Pool, f *File) {
		r := from(t, f, 0, -1)
		defer r.Close()
		full(t, r, 0, 2*blk)
		if n := src.requests(); n < 4 || n > 6 {
			t.Errorf("%d requests", n)
		}
		time.Sleep(linger + time.Second)
		again := from(t, f, 0, -1)
		defer again.Close()
		full(t, again, 0, 2*blk)
	})
}

// A request that compares what is on either side of a seam, and falls silent, is overtaken as any other, and those that were
// overtaken end with the one that brought it.
func TestSilentSeam(t *testing.T) {
	for silent := 1; silent < 4; silent++ {
		src := &pulse{size: 16 * blk, piece: chunk, gap: time.Millisecond, tag: `W/"1"`}
		inBubble(t, src, Options{}, func(p *Pool, f *File) {
			last := from(t, f, 9*blk, blk)
			full(t, last, 9*blk, blk)
			last.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			r, err := f.Open(ctx, 8*blk, 2*blk)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			full(t, r, 8*blk, blk)
			time.Sleep(linger + time.Second) // nothing else is asked for any more
			was := src.requests()
			src.silent = func(request int, _ int64) bool { return request <= was+silent }
			full(t, r, 9*blk, blk)
			synctest.Wait()
			if s := p.Stats(); src.requests() != was+silent+1 || s.Stalls != int64(silent) || s.Hedges != int64(silent) || s.Connections != 0 {
				t.Errorf("%d silent: %d requests, %+v", silent, src.requests()-was, s)
			}
		})
	}
}

// Readers that pause where memory has no room for a block of each cost their origin nothing: what is fetched ahead of one would have
// another's go, and so on for as long as they pause.
func TestPausedReadersWithoutRoom(t *testing.T) {
	src := &pulse{size: 100 * blk, piece: chunk, gap: time.Millisecond}
	inBubble(t, src, Options{Memory: 3 * blk}, func(p *Pool, f *File) {
		var readers []io.ReadCloser
		for i := range int64(8) {
			r := from(t, f, 10*i*blk, 2*blk)
			defer r.Close()
			full(t, r, 10*i*blk, 1000)
			readers = append(readers, r)
		}
		time.Sleep(linger + time.Second)
		was := src.requests()
		time.Sleep(time.Minute)
		if n := src.requests() - was; n > 0 {
			t.Errorf("%d requests", n)
		}
		for i, r := range readers {
			full(t, r, 10*int64(i)*blk+1000, 2*blk-1000)
		}
	})
}

// A slow stream is not a silent one.
func TestSlowIsNotSilent(t *testing.T) {
	src := &pulse{size: 20_000, piece: 1000, gap: 1400 * time.Millisecond}
	inBubble(t, src, Options{}, func(p *Pool, f *File) {
		r := from(t, f, 0, -1)
		defer r.Close()
		full(t, r, 0, 20_000)
		if s := p.Stats(); s.Stalls != 0 || src.requests() != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// Who waits takes the connection of a stream that only reads ahead, at once.
func TestWaitingTakesTheConnection(t *testing.T) {
	src := &pulse{size: 1 << 30, piece: chunk, gap: 50 * time.Millisecond}
	inBubble(t, src, Options{Connections: 1}, func(p *Pool, f *File) {
		a := from(t, f, 0, -1)
		defer a.Close()
		full(t, a, 0, 8*blk) // its stream goes on ahead of it
		g, err := p.Open(context.Background(), What{Mirrors: []string{"x://other/g"}})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		b := from(t, g, 0, 1000)
		defer b.Close()
		begun := time.Now()
		full(t, b, 0, 1000)
		if d := time.Since(begun); d > time.Second {
			t.Errorf("it waited for %v", d)
		}
		full(t, a, 8*blk, 8*blk)
	})
}

// A file that nobody has open is remembered for a while, and what was remembered is let go.
func TestForgotten(t *testing.T) {
	src := &pulse{size: blk, piece: chunk, gap: time.Millisecond}
	cache := newShelf(1)
	inBubble(t, src, Options{Keep: time.Minute, Fresh: -1, Cache: cache}, func(p *Pool, f *File) {
		r := from(t, f, 0, -1)
		full(t, r, 0, blk)
		r.Close()
		f.Close()
		time.Sleep(time.Minute - time.Second)
		again, err := p.Open(context.Background(), What{Mirrors: []string{"x://host/f"}})
		if err != nil || src.requests() != 1 {
			t.Fatalf("%d requests, %v", src.requests(), err)
		}
		again.Close()
		time.Sleep(time.Minute + time.Second)
		if p.Stats().Files != 0 || cache.inUse() != 0 {
			t.Errorf("%+v, %d open", p.Stats(), cache.inUse())
		}
		third, err := p.Open(context.Background(), What{Mirrors: []string{"x://host/f"}})
		if err != nil {
			t.Fatal(err)
		}
		defer third.Close()
		r = from(t, third, 1000, 100)
		defer r.Close()
		full(t, r, 1000, 100)
		if n := p.Stats().OriginBytes; n > blk+2*chunk {
			t.Errorf("%d bytes: what the cache had was not used", n)
		}
	})
}
