package gateway_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
)

// TestCrowd: fifty clients ask for the same range of which nothing is there, and the origin sends it once.
func TestCrowd(t *testing.T) {
	s := stage(t, nil)
	film := made(1, 64<<20)
	film.Rate = 8 << 20 // so that most of them come while it is on its way
	s.Serve("/film", film)
	const off, n = 20<<20 + 12345, 1 << 20
	want := some(film, off, n)
	var clients sync.WaitGroup
	for range 50 {
		clients.Go(func() {
			status, got := s.get(t, s.of("/film"), "Range", fmt.Sprintf("bytes=%d-%d", off, off+n-1))
			if status != http.StatusPartialContent || !bytes.Equal(got, want) {
				t.Errorf("got %d, %d bytes", status, len(got))
			}
		})
	}
	clients.Wait()
	// Whole blocks are read, and what the connection buffers is not.
	if st := s.pool.Stats(); st.DuplicateBytes > 0 || st.OriginBytes > n+2*256<<10 {
		t.Errorf("%d bytes were read, of which twice: %d", st.OriginBytes, st.DuplicateBytes)
	}
}

// TestEndOfALargeFile: the last KiB of a GiB, of which nothing is there, costs the origin 2 MiB at most.
func TestEndOfALargeFile(t *testing.T) {
	const size = 1 << 30
	for _, rng := range []string{"bytes=-1024", fmt.Sprintf("bytes=%d-", size-1024), fmt.Sprintf("bytes=%d-%d", size-1024, size-1)} {
		s := stage(t, nil)
		film := made(1, size)
		s.Serve("/film", film)
		status, got := s.get(t, s.of("/film"), "Range", rng)
		if status != http.StatusPartialContent || !bytes.Equal(got, some(film, size-1024, 1024)) {
			t.Errorf("%s: got %d, %d bytes", rng, status, len(got))
		}
		if n := sent(s.Farm); n > 2<<20 {
			t.Errorf("%s: the origin has sent %d bytes", rng, n)
		}
	}
}

// TestRangeOfAFewBytes: the origin is not asked for more than their block, however large the file.
func TestRangeOfAFewBytes(t *testing.T) {
	s := stage(t, nil)
	film := made(1, 1<<30)
	s.Serve("/film", film)
	s.Serve("/film.parts", farm.Resource{Body: parts(s.URL("/film"))})
	for _, path := range []string{"/film", "/film.parts"} {
		for _, off := range []int64{10_000_000, 700_000_000} {
			status, got := s.get(t, s.of(path), "Range", fmt.Sprintf("bytes=%d-%d", off, off+1023))
			if status != http.StatusPartialContent || !bytes.Equal(got, some(film, off, 1024)) {
				t.Errorf("got %d, %d bytes", status, len(got))
			}
		}
	}
	if n := sent(s.Farm); n > 768<<10 {
		t.Errorf("the origin has sent %d bytes: %+v", n, s.Log())
	}
}

// TestPlayingAfterTwoBytes: a player that asks for two bytes first has what follows read ahead as any other, by few requests.
func TestPlayingAfterTwoBytes(t *testing.T) {
	s := stage(t, nil)
	film := made(1, 48<<20)
	s.Serve("/film", film)
	if status, _ := s.get(t, s.of("/film"), "Range", "bytes=0-1"); status != http.StatusPartialContent {
		t.Fatal(status)
	}
	status, got := s.get(t, s.of("/film"), "Range", "bytes=0-")
	if status != http.StatusPartialContent || !bytes.Equal(got, some(film, 0, film.Size)) {
		t.Errorf("got %d, %d bytes", status, len(got))
	}
	if n, twice := s.Requests("/film"), s.pool.Stats().DuplicateBytes; n > 6 || twice > 0 {
		t.Errorf("%d requests, %d bytes twice: %+v", n, twice, s.Log())
	}
}

// TestClientThatLeaves: one that goes in the middle has what is on its way for it ended, unless somebody else waits for it.
func TestClientThatLeaves(t *testing.T) {
	s := stage(t, nil)
	film := made(1, 512<<20)
	s.Serve("/film", film)
	leaving := s.ask(t, http.MethodGet, s.of("/film"))
	if _, err := io.CopyN(io.Discard, leaving.Body, 300_000); err != nil {
		t.Fatal(err)
	}
	staying := s.ask(t, http.MethodGet, s.of("/film"), "Range", "bytes=100000-4099999")
	first := make([]byte, 1000)
	if _, err := io.ReadFull(staying.Body, first); err != nil {
		t.Fatal(err)
	}
	leaving.Body.Close()
	rest, err := io.ReadAll(staying.Body)
	if got := append(first, rest...); err != nil || !bytes.Equal(got, some(film, 100_000, 4_000_000)) {
		t.Errorf("who stays: got %d bytes, %v", len(got), err)
	}
	if err := s.Wait(t.Context(), farm.Ended, "/film", s.Requests("/film")); err != nil {
		t.Fatal(err)
	}
	if n := sent(s.Farm); n > 128<<20 {
		t.Errorf("the origin has sent %d bytes to those who read 4 MB", n)
	}
}

// TestFillSeenByTwo: bytes of a block go out as they come, to whoever reads it, before the block is whole.
func TestFillSeenByTwo(t *testing.T) {
	s := stage(t, nil)
	film := made(1, 10<<20)
	film.StallAt, film.Release = 300_000, make(chan struct{})
	s.Serve("/film", film)
	want := some(film, 0, 10<<20)
	var bodies [2]io.Reader
	for i := range bodies {
		bodies[i] = s.ask(t, http.MethodGet, s.of("/film")).Body
		got := make([]byte, 300_000)
		if _, err := io.ReadFull(bodies[i], got); err != nil || !bytes.Equal(got, want[:300_000]) {
			t.Fatalf("reader %d: %v, or other bytes", i, err)
		}
	}
	close(film.Release)
	for i, body := range bodies {
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, want[300_000:]) {
			t.Errorf("reader %d: then %d bytes, %v", i, len(got), err)
		}
	}
}

// TestClientThatIsSlow holds nobody up.
func TestClientThatIsSlow(t *testing.T) {
	s := stage(t, nil)
	film := made(1, 24<<20)
	s.Serve("/film", film)
	slow := s.ask(t, http.MethodGet, s.of("/film"))
	var clients sync.WaitGroup
	for i := range int64(4) {
		clients.Go(func() {
			if status, got := s.get(t, s.of("/film"), "Range", fmt.Sprintf("bytes=%d-", i<<20)); status != http.StatusPartialContent ||
				!bytes.Equal(got, some(film, i<<20, 24<<20)) {
				t.Errorf("got %d, %d bytes", status, len(got))
			}
		})
	}
	clients.Wait()
	if got, err := io.ReadAll(slow.Body); err != nil || !bytes.Equal(got, some(film, 0, 24<<20)) {
		t.Errorf("who is slow: %d bytes, %v", len(got), err)
	}
}

// TestSeams: 32 readers at each offset where something begins or ends, of lengths that do.
func TestSeams(t *testing.T) {
	const block, size = 4 << 10, 10*4<<10 + 1
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.BlockSize = block })
	film := made(1, size)
	s.Serve("/film", film)
	s.put("/a", some(film, 0, block))
	s.put("/b", some(film, block, 1))
	s.put("/c", some(film, block+1, size-block-1))
	s.put("/film.parts", parts("a", "b", "c"))
	whole := some(film, 0, size)
	var ranges [][2]int // from, to; a range of no bytes cannot be asked for
	for k := 0; k*block <= size; k++ {
		for _, off := range []int{k*block - 1, k * block, k*block + 1} {
			if off < 0 || off >= size {
				continue
			}
			for _, n := range []int{1, block, size} {
				ranges = append(ranges, [2]int{off, min(off+n, size)})
			}
		}
	}
	seed := rand.Uint64()
	for _, path := range []string{s.of("/film"), s.of("/film.parts")} {
		var readers sync.WaitGroup
		for i := range uint64(32) {
			readers.Go(func() {
				for _, k := range rand.New(rand.NewPCG(seed, i)).Perm(len(ranges))[:len(ranges)/3] {
					from, to := ranges[k][0], ranges[k][1]
					status, got := s.get(t, path, "Range", fmt.Sprintf("bytes=%d-%d", from, to-1))
					if status != http.StatusPartialContent || !bytes.Equal(got, whole[from:to]) {
						t.Errorf("seed %d: %s, %d to %d: got %d, %d bytes", seed, path, from, to, status, len(got))
					}
				}
			})
		}
		readers.Wait()
	}
	if d := s.pool.Stats().DuplicateBytes; d > 0 {
		t.Errorf("%d bytes were fetched twice", d)
	}
}

// TestLeavingIsNoFailure: players leave whenever they seek, and what is logged as a warning is what went wrong here.
func TestLeavingIsNoFailure(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/film", made(1, 512<<20))
	s.Serve("/silent", farm.Resource{HangHeader: true})
	resp := s.ask(t, http.MethodGet, s.of("/film"))
	if _, err := io.CopyN(io.Discard, resp.Body, 300_000); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.server.URL+s.of("/silent"), nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error)
	go func() {
		_, err := s.server.Client().Do(req)
		gone <- err
	}()
	if err := s.Wait(t.Context(), farm.Stuck, "/silent", 1); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := <-gone; err == nil {
		t.Error("there is an answer")
	}
	s.server.Close() // returns once both are over
	if log := s.log.String(); strings.Contains(log, "WARN") || strings.Count(log, "msg=request") != 2 {
		t.Errorf("logged is\n%s", log)
	}
}
