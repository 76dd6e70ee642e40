package gateway_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
)

// serve puts data under path.
func (s *scene) put(path string, data []byte) { s.Serve(path, farm.Resource{Body: data}) }

// seq is a sequence of files.
func seq(files ...[]byte) []byte {
	var b []byte
	for _, f := range files {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return b
}

// TestRangesOfAnything: whatever is behind a URL, each range of it is that of the whole.
func TestRangesOfAnything(t *testing.T) {
	a, b, c := text("a", 700_000), text("b", 3), text("c", 1_300_000)
	abc := bytes.Join([][]byte{a, b, c}, nil)
	digest := fmt.Sprintf("#sha256=%x", sha256.Sum256(c))
	s := stage(t, nil)
	s.put("/a", a)
	s.put("/b", b)
	s.put("/c", c)
	s.put("/whole", abc)
	s.Serve("/weak", farm.Resource{Body: abc, ETag: `W/"1"`})
	s.Serve("/norange", farm.Resource{Body: abc, NoRange: true})
	s.Serve("/capped", farm.Resource{Body: abc, RangeMax: 100_000})
	s.put("/plain.parts", parts("a", "b", "c"))
	s.put("/promised.parts", parts("a#size=700000", "b", "gone"+digest+"\nc"+digest))
	s.put("/nested.parts", parts("a", "tail.parts"))
	s.put("/tail.parts", parts("b", "(*)\nc"))
	s.Serve("/typed", farm.Resource{Body: parts("a", "b", "c"), MediaType: "text/parts-manifest"})
	s.put("/x-seq", seq(text("one", 10), abc, nil))
	s.put("/seq.parts", parts("head", "whole"))
	s.put("/head", seq(text("one", 10), abc)[:4+10+4])

	paths := []string{s.of("/whole"), s.of("/weak"), s.of("/norange"), s.of("/capped"), s.of("/plain.parts"), s.of("/promised.parts"),
		s.of("/nested.parts"), s.of("/typed"), "/file/2/" + s.URL("/x-seq"), "/file/2/" + s.URL("/seq.parts")}
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, path := range paths {
		t.Run(path[strings.LastIndex(path, "/")+1:], func(t *testing.T) {
			size := len(abc)
			spans := [][2]int{{0, 1}, {size - 1, size}, {699_999, 700_001}, {700_000, 700_003}, {700_002, 700_004}, {0, size}}
			for range 10 {
				off := rnd.IntN(size)
				spans = append(spans, [2]int{off, off + 1 + rnd.IntN(size-off)})
			}
			for _, x := range spans {
				status, got := s.get(t, path, "Range", fmt.Sprintf("bytes=%d-%d", x[0], x[1]-1))
				if status != http.StatusPartialContent || !bytes.Equal(got, abc[x[0]:x[1]]) {
					t.Fatalf("seed %d: bytes %v: status %d, %d bytes", seed, x, status, len(got))
				}
			}
			if status, got := s.get(t, path); status != http.StatusOK || !bytes.Equal(got, abc) {
				t.Errorf("the whole: status %d, %d bytes", status, len(got))
			}
			resp := s.ask(t, http.MethodHead, path)
			if resp.ContentLength != int64(size) || resp.Header.Get("Accept-Ranges") != "bytes" {
				t.Errorf("HEAD tells %d bytes, %q", resp.ContentLength, resp.Header)
			}
		})
	}
}

// TestPlayer: what a media player asks first is two bytes, and it gives up on a server that answers with more.
func TestPlayer(t *testing.T) {
	s := stage(t, nil)
	film := text("film", 2_000_000)
	s.put("/film", film)
	resp := s.ask(t, http.MethodGet, s.of("/film"), "Range", "bytes=0-1")
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusPartialContent || string(got) != string(film[:2]) ||
		resp.Header.Get("Content-Range") != "bytes 0-1/2000000" || resp.ContentLength != 2 {
		t.Errorf("got %d %v, %q, %v", resp.StatusCode, resp.Header, got, err)
	}
}

func TestEmptyAndBeyond(t *testing.T) {
	s := stage(t, nil)
	s.put("/empty", nil)
	s.put("/none.parts", nil)
	s.put("/ten", text("ten", 10))
	tests := []struct {
		path, rng string
		status    int
		size      string // Content-Range
	}{
		{"/empty", "", 200, ""},
		{"/empty", "bytes=0-", 416, "bytes */0"},
		{"/none.parts", "", 200, ""},
		{"/none.parts", "bytes=0-", 416, "bytes */0"},
		{"/ten", "bytes=10-", 416, "bytes */10"},
		{"/ten", "bytes=9-", 206, "bytes 9-9/10"},
		{"/ten", "bytes=-20", 206, "bytes 0-9/10"},
		{"/ten", "bytes=99999999999999999999999-", 416, "bytes */10"},
	}
	for _, tt := range tests {
		resp := s.ask(t, http.MethodGet, s.of(tt.path), "Range", tt.rng)
		if resp.StatusCode != tt.status || resp.Header.Get("Content-Range") != tt.size {
			t.Errorf("%s %q: got %d, %q", tt.path, tt.rng, resp.StatusCode, resp.Header.Get("Content-Range"))
		}
	}
}

// TestStreams: what can only be read in order is a 200 without a length, whatever range is asked for.
func TestStreams(t *testing.T) {
	s := stage(t, nil)
	a := text("a", 100_000)
	s.put("/a", a)
	s.Serve("/unsized", farm.Resource{Body: a, NoLength: true, NoRange: true, NoTotal: true})
	s.put("/unsized.parts", parts("a", "unsized"))
	for range 2 {
		resp := s.ask(t, http.MethodGet, s.of("/unsized.parts"), "Range", "bytes=5-6")
		got, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || resp.ContentLength != -1 || !bytes.Equal(got, append(bytes.Clone(a), a...)) {
			t.Fatalf("got %d, length %d, %d bytes, %v", resp.StatusCode, resp.ContentLength, len(got), err)
		}
	}
	// The end of a file without a length is known once somebody has seen it.
	if status, got := s.get(t, s.of("/unsized")); status != http.StatusOK || !bytes.Equal(got, a) {
		t.Fatalf("got %d, %d bytes", status, len(got))
	}
	if status, got := s.get(t, s.of("/unsized"), "Range", "bytes=5-6"); status != http.StatusPartialContent || string(got) != string(a[5:7]) {
		t.Errorf("got %d, %q", status, got)
	}
	if got := s.Requests("/unsized"); got > 5 {
		t.Errorf("it was asked for %d times", got)
	}
}

// TestEndless: a manifest without an end is handed on as it is read, and let go with its reader.
func TestEndless(t *testing.T) {
	s := stage(t, nil)
	s.put("/a", text("a", 1000))
	s.put("/endless.parts", parts("a", "endless.parts"))
	resp := s.ask(t, http.MethodGet, s.of("/endless.parts"))
	got := make([]byte, 1_000_000)
	if _, err := io.ReadFull(resp.Body, got); err != nil {
		t.Fatal(err)
	}
	if want := bytes.Repeat(text("a", 1000), 1000); !bytes.Equal(got, want) {
		t.Error("other bytes")
	}
	resp.Body.Close()
}

func TestSequence(t *testing.T) {
	s := stage(t, nil)
	files := [][]byte{text("one", 1000), nil, text("three", 300_000)}
	whole := seq(files...)
	s.put("/x-seq", whole)
	s.put("/cut-seq", whole[:len(whole)-1])
	s.Serve("/unsized-seq", farm.Resource{Body: whole, NoLength: true, NoRange: true, NoTotal: true})
	for _, path := range []string{"/x-seq", "/unsized-seq"} {
		for i, want := range files {
			if status, got := s.get(t, fmt.Sprintf("/file/%d/%s", i+1, s.URL(path))); status != http.StatusOK || !bytes.Equal(got, want) {
				t.Errorf("%s, file %d: got %d, %d bytes", path, i+1, status, len(got))
			}
		}
		if status, got := s.get(t, "/file/3/"+s.URL(path), "Range", "bytes=5-9,1000-1009"); status != http.StatusPartialContent ||
			!bytes.Contains(got, files[2][5:10]) || !bytes.Contains(got, files[2][1000:1010]) {
			t.Errorf("%s: two ranges: got %d, %q", path, status, got)
		}
		if status, _ := s.get(t, "/file/4/"+s.URL(path)); status != http.StatusNotFound {
			t.Errorf("%s: file 4: got %d", path, status)
		}
	}
	if status, _ := s.get(t, "/file/3/"+s.URL("/cut-seq")); status != http.StatusBadGateway {
		t.Errorf("a file that is cut: got %d", status)
	}
	if status, got := s.get(t, "/file/1/"+s.URL("/cut-seq")); status != http.StatusOK || !bytes.Equal(got, files[0]) {
		t.Errorf("one before it: got %d, %d bytes", status, len(got))
	}
	if status, got := s.get(t, s.of("/x-seq")); status != http.StatusOK || !bytes.Equal(got, whole) {
		t.Errorf("as it is: got %d, %d bytes", status, len(got))
	}
}

// TestNamed: what the operator has named has mirrors, and needs no URL.
func TestNamed(t *testing.T) {
	var good, bad *farm.Farm
	good, bad = farm.New(), farm.New()
	t.Cleanup(good.Close)
	t.Cleanup(bad.Close)
	film := text("film", 500_000)
	good.Serve("/f", farm.Resource{Body: film})
	s := stage(t, func(g *gateway.Options, _ *fill.Options) {
		g.Serve = map[string][]string{"film": {bad.URL("/none"), good.URL("/f")}}
		g.Policy = &gateway.Policy{Hosts: []string{"nobody.example"}}
	})
	if status, got := s.get(t, "/film"); status != http.StatusOK || !bytes.Equal(got, film) {
		t.Errorf("got %d, %d bytes", status, len(got))
	}
	if status, _ := s.get(t, "/s/"+good.URL("/f")); status != http.StatusForbidden {
		t.Errorf("by its URL: got %d", status)
	}
}

// TestCorruptPart: a part that has not the SHA-256 which its manifest promises is never served as if it were right.
func TestCorruptPart(t *testing.T) {
	s := stage(t, nil)
	small, large := text("small", 1000), text("large", 3_000_000)
	wrong := fmt.Sprintf("#sha256=%x", sha256.Sum256(nil))
	s.put("/small", small)
	s.put("/large", large)
	s.put("/small.parts", parts("large", "small"+wrong))
	s.put("/large.parts", parts("large"+wrong))
	if status, got := s.get(t, s.of("/small.parts"), "Range", "bytes=3000000-3000000"); status != http.StatusBadGateway {
		t.Errorf("a byte of it: got %d, %q", status, got)
	}
	for _, path := range []string{"/small.parts", "/large.parts"} {
		resp := s.ask(t, http.MethodGet, s.of(path))
		if got, err := io.ReadAll(resp.Body); err == nil && resp.StatusCode == http.StatusOK {
			t.Errorf("%s: %d bytes, and a clean end", path, len(got))
		}
	}
}

// TestWhatIsVerified: the table of "What is verified" in docs/spec/gateway.md.
func TestWhatIsVerified(t *testing.T) {
	s := stage(t, nil)
	first, small, large := text("first", 1000), text("small", 1<<20), text("large", 1<<20+1)
	wrong := fmt.Sprintf("#sha256=%x", sha256.Sum256(nil))
	s.put("/first", first)
	s.put("/small", small)
	s.put("/large", large)
	s.put("/small.parts", parts("first", "small"+wrong, "first"))
	s.put("/large.parts", parts("first", "large"+wrong, "first"))
	const at, end = 1000, 1000 + 1<<20
	for _, tt := range []struct {
		path      string
		off, last int
		wrong     bool
	}{
		{"/small.parts", at, at, true},
		{"/small.parts", end - 1, end - 1, true},
		{"/small.parts", 0, at - 1, false},
		{"/large.parts", at, end, true}, // end is its last byte
		{"/large.parts", at - 1, end + 1, true},
		{"/large.parts", 0, end + 1000, true},
		{"/large.parts", at, end - 1, false},
		{"/large.parts", at + 1, end, false},
		{"/large.parts", end, end + 1000, false},
	} {
		all := slices.Concat(first, large, first)
		if tt.path == "/small.parts" {
			all = slices.Concat(first, small, first)
		}
		resp := s.ask(t, http.MethodGet, s.of(tt.path), "Range", fmt.Sprintf("bytes=%d-%d", tt.off, tt.last))
		got, err := io.ReadAll(resp.Body)
		if !tt.wrong && (err != nil || !bytes.Equal(got, all[tt.off:tt.last+1])) {
			t.Errorf("%s %d-%d: what cannot be verified: %d, %d bytes, %v", tt.path, tt.off, tt.last, resp.StatusCode, len(got), err)
		}
		if tt.wrong && resp.StatusCode == http.StatusPartialContent && (err == nil || tt.off+len(got) > end) {
			t.Errorf("%s %d-%d: %d bytes up to the last one of what is wrong, %v", tt.path, tt.off, tt.last, len(got), err)
		}
	}
}

// TestPartThatChanged: what a manifest was laid out as no longer holds. An answer that finds out in the middle is cut, and the
// next one is of what is there now.
func TestPartThatChanged(t *testing.T) {
	s := stage(t, func(g *gateway.Options, f *fill.Options) { g.Fresh, f.Fresh = 1, 1 })
	s.put("/a", text("a", 1000))
	s.put("/b", text("b", 1000))
	s.put("/x.parts", parts("a", "b"))
	want := append(text("a", 1000), text("b", 1000)...)
	if status, got := s.get(t, s.of("/x.parts")); status != http.StatusOK || !bytes.Equal(got, want) {
		t.Fatalf("got %d, %d bytes", status, len(got))
	}
	s.put("/b", text("c", 2000))
	resp := s.ask(t, http.MethodGet, s.of("/x.parts"))
	if got, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("of a part that has another size than before: %d bytes and a clean end", len(got))
	}
	want = append(text("a", 1000), text("c", 2000)...)
	if status, got := s.get(t, s.of("/x.parts")); status != http.StatusOK || !bytes.Equal(got, want) {
		t.Errorf("another part: got %d, %d bytes", status, len(got))
	}
	s.put("/x.parts", parts("b", "a"))
	want = append(text("c", 2000), text("a", 1000)...)
	if status, got := s.get(t, s.of("/x.parts")); status != http.StatusOK || !bytes.Equal(got, want) {
		t.Errorf("another manifest: got %d, %d bytes", status, len(got))
	}
}

func TestPages(t *testing.T) {
	s := stage(t, nil)
	s.put("/a", text("a", 1000))
	s.get(t, s.of("/a"))
	if status, got := s.get(t, "/healthz"); status != http.StatusOK || string(got) != "ok\n" {
		t.Errorf("healthz: got %d, %q", status, got)
	}
	status, got := s.get(t, "/metrics")
	for _, line := range []string{"spate_gateway_origin_bytes_total 1000", "spate_gateway_client_bytes_total 1003",
		`spate_gateway_answers_total{class="2xx"} 2`, "spate_gateway_first_byte_seconds_count 2"} {
		if status != http.StatusOK || !bytes.Contains(got, []byte("\n"+line+"\n")) {
			t.Errorf("metrics: got %d, without %q:\n%s", status, line, got)
		}
	}
	if resp := s.ask(t, http.MethodPost, s.of("/a")); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d", resp.StatusCode)
	}
}

// TestFailures: what an origin says of a thing is passed on, and is never a range.
func TestFailures(t *testing.T) {
	s := stage(t, nil)
	for status, want := range map[int]int{403: 403, 404: 404, 410: 410, 401: 403, 400: 502} {
		path := fmt.Sprint("/", status)
		s.Serve(path, farm.Resource{Status: status, Body: []byte("page of the origin")})
		if got, body := s.get(t, s.of(path), "Range", "bytes=0-3"); got != want || bytes.Contains(body, []byte("origin")) {
			t.Errorf("%d: got %d, %q", status, got, body)
		}
	}
	s.put("/x.parts", parts("404"))
	if got, _ := s.get(t, s.of("/x.parts")); got != http.StatusNotFound {
		t.Errorf("a part that is not there: got %d", got)
	}
	if got, _ := s.get(t, "/s/http://127.0.0.1:1/x"); got != http.StatusBadGateway {
		t.Errorf("nobody listens: got %d", got)
	}
}

// TestManyParts: who reads on is not held up at each part by the way to its origin.
func TestManyParts(t *testing.T) {
	s := stage(t, nil)
	var whole []byte
	var urls []string
	held := make(chan struct{})
	for i := range 40 {
		part := text(fmt.Sprint("part ", i), 1000)
		whole, urls = append(whole, part...), append(urls, fmt.Sprintf("p%d#size=1000", i))
		s.Serve(fmt.Sprint("/p", i), farm.Resource{Body: part, HangHeader: i >= 3, Release: held})
	}
	s.put("/x.parts", parts(urls...))
	resp := s.ask(t, http.MethodGet, s.of("/x.parts"))
	// Of the parts that do not answer, one is read, and more are asked for.
	for i := 3; i < 6; i++ {
		if err := s.Wait(t.Context(), farm.Arrived, fmt.Sprint("/p", i), 1); err != nil {
			t.Fatal(err)
		}
	}
	close(held)
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, whole) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// TestWhatAManifestIsNot: what an origin tells of the text of a manifest is not told of what that stands for: not its type, nor its
// date, as parts may change when it does not.
func TestWhatAManifestIsNot(t *testing.T) {
	s := stage(t, nil)
	s.put("/a", text("a", 1000))
	text := farm.Resource{MediaType: "text/parts-manifest", ModTime: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Disposition: `inline; filename="film.parts"`}
	laid, endless := text, text
	laid.Body, endless.Body = parts("a", "a"), parts("a", "endless.parts")
	s.Serve("/laid.parts", laid)
	s.Serve("/endless.parts", endless)
	for _, path := range []string{"/laid.parts", "/endless.parts"} {
		resp := s.ask(t, http.MethodHead, s.of(path), "If-Modified-Since", "Wed, 01 Jan 2025 00:00:00 GMT")
		h := resp.Header
		if resp.StatusCode != http.StatusOK || h.Get("Content-Type") != "application/octet-stream" || h.Get("Last-Modified") != "" ||
			strings.Contains(h.Get("Content-Disposition"), ".parts") {
			t.Errorf("%s: got %d, %v", path, resp.StatusCode, h)
		}
	}
}
