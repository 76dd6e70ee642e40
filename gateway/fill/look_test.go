package fill

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"spate/format/span"
	"spate/internal/farm"
)

func spans(s *span.Set) []span.Span { return slices.Collect(s.All()) }

// TestLook: of a file that comes in pieces it is seen what is there, what is next, and that nobody wants the rest.
func TestLook(t *testing.T) {
	const block, off = 1000, 1100 * 1000
	src := &pulse{size: off + 10*block + 10, piece: 100, gap: time.Second}
	inBubble(t, src, Options{BlockSize: block}, func(p *Pool, f *File) {
		look := func() *Sight {
			t.Helper()
			s := p.Look(t.Context(), []string{"x://host/f"})
			if s == nil {
				t.Fatal("nothing is seen")
			}
			return s
		}
		time.Sleep(time.Minute) // the request that told what the file is goes
		had := look().There.Bytes()
		r := from(t, f, off, 5*block)
		full(t, r, off, 2*block+300)
		s := look()
		if there := spans(&s.There); there[len(there)-1] != (span.Span{Off: off, End: off + 2*block + 300}) || s.There.Bytes() != had+2*block+300 {
			t.Errorf("there is %v", there)
		}
		if coming := spans(&s.Coming); coming[len(coming)-1] != (span.Span{Off: off, End: off + 5*block}) || s.Coming.Bytes() != had+5*block {
			t.Errorf("coming is %v", coming)
		}
		if s.Size != src.size || s.Conns != 1 {
			t.Errorf("got %+v", s)
		}
		r.Close()
		time.Sleep(time.Minute)
		if s = look(); s.Conns != 0 || s.There.Bytes() != s.Coming.Bytes() || s.There.Bytes() < had+2*block {
			t.Errorf("with nobody there: %+v", s)
		}
		all := from(t, f, 0, -1)
		defer all.Close()
		full(t, all, 0, int(src.size))
		if s = look(); !slices.Equal(spans(&s.There), []span.Span{{Off: 0, End: src.size}}) || int64(s.Blocks) != src.size/block+1 {
			t.Errorf("of all: %v, %d blocks", spans(&s.There), s.Blocks)
		}
	})
}

// TestLookIsNoUse: nobody is asked, and the file is forgotten as if nobody had looked.
func TestLookIsNoUse(t *testing.T) {
	src := &pulse{size: 1000, piece: 1000, gap: time.Millisecond}
	inBubble(t, src, Options{Keep: time.Minute}, func(p *Pool, f *File) {
		mirrors := []string{"x://host/f"}
		if p.Look(t.Context(), []string{"x://host/other"}) != nil || p.Look(t.Context(), nil) != nil {
			t.Error("what nobody has asked for is seen")
		}
		r := from(t, f, 0, -1)
		full(t, r, 0, 1000)
		r.Close()
		f.Close()
		asked := src.requests()
		for range 59 {
			time.Sleep(time.Second)
			if p.Look(t.Context(), mirrors) == nil {
				t.Fatal("it is forgotten too early")
			}
		}
		time.Sleep(2 * time.Second)
		if p.Look(t.Context(), mirrors) != nil || src.requests() != asked {
			t.Errorf("it is remembered, or was asked for: %d requests, then %d", asked, src.requests())
		}
	})
}

// TestLookAtTheCache: what is there on disk alone is there.
func TestLookAtTheCache(t *testing.T) {
	f := origin(t)
	body := content(1 << 20)
	f.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{Cache: newShelf(1), Memory: 1, BlockSize: 16 << 10})
	wants(t, open(t, p, 0, f.URL("/f")), 0, -1, body)
	s := p.Look(t.Context(), []string{f.URL("/f")})
	if s == nil || s.There.Bytes() != 1<<20 || s.Blocks != 64 {
		t.Errorf("got %+v", s)
	}
}

// TestLookAtWhatHasNoEnd: its size is not known, and what has come of it is there.
func TestLookAtWhatHasNoEnd(t *testing.T) {
	f, rest := origin(t), make(chan struct{})
	body := content(100_000)
	f.Serve("/f", farm.Resource{Body: body, ETag: `"1"`, NoLength: true, NoRange: true, StallAt: 50_000, Release: rest})
	p := pool(t, Options{BlockSize: 16 << 10})
	file := open(t, p, 0, f.URL("/f"))
	r := from(t, file, 0, -1)
	defer r.Close()
	full(t, r, 0, 50_000)
	s := p.Look(t.Context(), []string{f.URL("/f")})
	if s == nil || s.Size != -1 || s.Conns < 1 || !slices.Equal(spans(&s.There), []span.Span{{Off: 0, End: 50_000}}) {
		t.Errorf("got %+v", s)
	}
	close(rest)
	full(t, r, 50_000, 50_000)
	wants(t, file, 0, -1, body)
	if s = p.Look(t.Context(), []string{f.URL("/f")}); s == nil || s.Size != 100_000 || s.There.Bytes() != 100_000 {
		t.Errorf("in the end: %+v", s)
	}
}

// TestLookAtWhatIsHuge takes as long as there are blocks.
func TestLookAtWhatIsHuge(t *testing.T) {
	f := origin(t)
	f.Serve("/f", farm.Resource{Gen: sized(1, 1<<60), Size: 1 << 60, ETag: `"1"`})
	p := pool(t, Options{BlockSize: 4 << 10})
	file := open(t, p, 0, f.URL("/f"))
	want := make([]byte, 10)
	generate(1)(1<<59, want)
	wants(t, file, 1<<59, 10, want)
	s := p.Look(t.Context(), []string{f.URL("/f")})
	if s == nil || s.Size != 1<<60 || !s.There.Covers(span.Span{Off: 1 << 59, End: 1<<59 + 10}) || s.Coming.Bytes() > 1<<30 {
		t.Errorf("got %+v", s)
	}
}

// TestLookWhileItComes: with many who read, over a cache that loses blocks, what is seen makes sense.
func TestLookWhileItComes(t *testing.T) {
	const seed, size, block = 7, 2 << 20, 16 << 10
	t.Logf("seed %d", seed)
	f, shelf := origin(t), newShelf(seed)
	shelf.losing, shelf.refuses, shelf.lying = 0.1, 0.1, 0.1
	body := content(size)
	f.Serve("/f", farm.Resource{Body: body, ETag: `"1"`})
	p := pool(t, Options{Cache: shelf, Memory: 4 * block, BlockSize: block})
	file := open(t, p, 0, f.URL("/f"))
	var reading, looking sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		looking.Go(func() {
			for {
				s := p.Look(t.Context(), []string{f.URL("/f")})
				if s == nil || s.There.Bounds().End > size || s.Coming.Bounds().End > size || s.There.Bytes() > s.Coming.Bytes() {
					t.Errorf("got %+v", s)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range uint64(8) {
		reading.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, i))
			for range 20 {
				off := rnd.Int64N(size)
				n := rnd.Int64N(size-off) / 4
				if got, err := get(within(t), file, off, n); err != nil || string(got) != string(body[off:off+n]) {
					t.Errorf("%d bytes from %d: %d bytes, %v", n, off, len(got), err)
				}
			}
		})
	}
	reading.Wait()
	close(done)
	looking.Wait()
	file.Close()
	if err := p.Close(); err != nil || p.Look(t.Context(), []string{f.URL("/f")}) != nil {
		t.Errorf("a closed pool sees something, %v", err)
	}
}
