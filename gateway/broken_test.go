package gateway_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
)

// TestOriginDies: what comes before the origin died goes out; then the answer goes on from elsewhere, or it is cut.
func TestOriginDies(t *testing.T) {
	const size, at = 8 << 20, 3<<20 + 7
	film := made(1, size)
	dying, once := film, film
	dying.BreakAt, once.BreakAt, once.BreakTimes = at, at, 1
	other := farm.New()
	t.Cleanup(other.Close)
	other.Serve("/film", film)
	s := stage(t, nil)
	s.Serve("/film", dying)
	s.Serve("/once", once)
	s.Serve("/film.parts", farm.Resource{Body: []byte(s.URL("/film") + "\n" + other.URL("/film") + "\n")})
	for _, path := range []string{"/once", "/film.parts"} {
		if status, got := s.get(t, s.of(path)); status != http.StatusOK || !bytes.Equal(got, some(film, 0, size)) {
			t.Errorf("%s: got %d, %d bytes", path, status, len(got))
		}
	}
	resp := s.ask(t, http.MethodGet, s.of("/film"))
	got, err := io.ReadAll(resp.Body)
	if err == nil || resp.ContentLength != size || !bytes.Equal(got, some(film, 0, int64(len(got)))) || len(got) > at {
		t.Errorf("without a mirror: got %d of %d bytes, %v", len(got), resp.ContentLength, err)
	}
	// What is there goes on being served, and the rest is a failure before a header is sent.
	if status, got := s.get(t, s.of("/film"), "Range", "bytes=0-999999"); status != http.StatusPartialContent || !bytes.Equal(got, some(film, 0, 1e6)) {
		t.Errorf("what is there: got %d, %d bytes", status, len(got))
	}
	dead := film
	dead.BreakAt = farm.AtOnce
	s.Serve("/dead", dead)
	if status, _ := s.get(t, s.of("/dead")); status != http.StatusBadGateway {
		t.Errorf("without a byte: got %d", status)
	}
}

// TestNewVersion: an answer is of one version to its end, or has no clean one; the next is of what is there now.
func TestNewVersion(t *testing.T) {
	const size = 64 << 20
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.Fresh = 1 })
	s.Serve("/film", made(1, size))
	running := s.ask(t, http.MethodGet, s.of("/film"))
	first := make([]byte, 100_000)
	if _, err := io.ReadFull(running.Body, first); err != nil || !bytes.Equal(first, some(made(1, size), 0, 100_000)) {
		t.Fatalf("%v, or other bytes", err)
	}
	s.Serve("/film", made(2, size))
	status, got := s.get(t, s.of("/film"), "Range", "bytes=50000000-50099999")
	if status != http.StatusPartialContent || !bytes.Equal(got, some(made(2, size), 50_000_000, 100_000)) {
		t.Errorf("a new answer: got %d, %d bytes, or of another version", status, len(got))
	}
	rest, err := io.ReadAll(running.Body)
	if !bytes.Equal(rest, some(made(1, size), 100_000, int64(len(rest)))) {
		t.Error("versions are mixed")
	}
	if len(rest) < size-100_000 && (!errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, syscall.ECONNRESET)) {
		t.Errorf("%d bytes, then %v", len(rest), err)
	}
}

// TestNewVersionOfWhatIsCached: a file all of which is in the cache is asked for again, and never served as it was.
func TestNewVersionOfWhatIsCached(t *testing.T) {
	const size = 1_000_000
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.Fresh = 1 })
	tag := made(1, size).ETag
	for version := uint64(1); version <= 3; version++ {
		film := made(version, size)
		s.Serve("/film", film)
		for range 2 {
			resp := s.ask(t, http.MethodGet, s.of("/film"), "Range", "bytes=0-", "If-Range", tag)
			got, err := io.ReadAll(resp.Body)
			want := http.StatusPartialContent
			if tag != film.ETag {
				want = http.StatusOK // what the client has is of another version
			}
			if err != nil || resp.StatusCode != want || !bytes.Equal(got, some(film, 0, size)) || resp.Header.Get("ETag") != film.ETag {
				t.Errorf("version %d: got %d, tag %s, %d bytes, %v", version, resp.StatusCode, resp.Header.Get("ETag"), len(got), err)
			}
			tag = film.ETag
		}
	}
	if n := s.pool.Stats().OriginBytes; n > 3*(size+10) {
		t.Errorf("%d bytes were fetched of three times %d", n, size)
	}
}

// TestNobodyConfirms: what is cached, all of it, is not used once nobody says any more that it still holds; and it is again when somebody
// does, without a byte of it.
func TestNobodyConfirms(t *testing.T) {
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.Fresh = 1 })
	film := text("film", 1_000_000)
	for _, says := range []int{503, 404} {
		s.put("/film", film)
		if status, got := s.get(t, s.of("/film")); status != http.StatusOK || !bytes.Equal(got, film) {
			t.Fatalf("got %d, %d bytes", status, len(got))
		}
		was := s.pool.Stats().OriginBytes
		s.Serve("/film", farm.Resource{Status: says})
		if status, _ := s.get(t, s.of("/film"), "Range", "bytes=10-19"); status != says {
			t.Errorf("nobody confirms it, and it is a %d", status)
		}
		s.put("/film", film)
		status, got := s.get(t, s.of("/film"), "Range", "bytes=10-19")
		if status != http.StatusPartialContent || !bytes.Equal(got, film[10:20]) || s.pool.Stats().OriginBytes-was > 1000 {
			t.Errorf("then: got %d, %q, for %d bytes", status, got, s.pool.Stats().OriginBytes-was)
		}
	}
	s.Farm.Close()
	if status, _ := s.get(t, s.of("/film"), "Range", "bytes=10-19"); status != http.StatusBadGateway {
		t.Errorf("nobody is there to confirm it, and it is a %d", status)
	}
}

// TestNewVersionWithinAnAnswer: an origin that changes between two requests for one answer.
func TestNewVersionWithinAnAnswer(t *testing.T) {
	const size = 8 << 20
	s := stage(t, nil)
	old := made(1, size)
	old.BreakAt = 2 << 20
	s.Serve("/film", farm.Then(old, made(2, size)))
	resp := s.ask(t, http.MethodGet, s.of("/film"))
	got, err := io.ReadAll(resp.Body)
	if err == nil || !bytes.Equal(got, some(old, 0, int64(len(got)))) {
		t.Errorf("%d bytes, %v, or versions are mixed", len(got), err)
	}
	if status, got := s.get(t, s.of("/film")); status != http.StatusOK || !bytes.Equal(got, some(made(2, size), 0, size)) {
		t.Errorf("then: got %d, %d bytes, or not of the new version", status, len(got))
	}
}

// TestCutIsNoEnd, also where the length is not known.
func TestCutIsNoEnd(t *testing.T) {
	s := stage(t, nil)
	s.put("/a", text("a", 200_000))
	broken := farm.Resource{Body: text("b", 200_000), NoLength: true, NoRange: true, NoTotal: true, BreakAt: 100_000}
	s.Serve("/unsized", broken)
	s.put("/x.parts", parts("a", "unsized"))
	for _, path := range []string{"/unsized", "/x.parts"} {
		resp := s.ask(t, http.MethodGet, s.of(path))
		if got, err := io.ReadAll(resp.Body); resp.StatusCode == http.StatusOK && err == nil {
			t.Errorf("%s: %d bytes and a clean end", path, len(got))
		}
	}
}
