package demo

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image/png"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"spate/internal/leak"

	"spate/format/manifest"
)

func TestMain(m *testing.M) { leak.Main(m) }

func open(t *testing.T, addrs ...string) *Site {
	t.Helper()
	s, err := Start(addrs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// find is the exhibit of that name.
func find(t *testing.T, s *Site, name string) Exhibit {
	t.Helper()
	for _, e := range s.Exhibits {
		if e.Name == name {
			return e
		}
	}
	t.Fatal("no exhibit", name)
	return Exhibit{}
}

// witness is what an exhibit gives to somebody who has never heard of the engine.
func witness(t *testing.T, e Exhibit) []byte {
	t.Helper()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	o := &oracle{client: &http.Client{Transport: tr}, limit: int(e.Bytes)}
	if !e.Endless {
		o.limit++
	}
	err := o.assemble(e.URL, manifest.Alternative{Size: -1})
	if err != nil && !(e.Endless && errors.Is(err, errEnough)) {
		t.Fatal(err)
	}
	if e.Endless {
		return o.got[:e.Bytes]
	}
	return o.got
}

func TestExhibitsAreWhatTheyPromise(t *testing.T) {
	s := open(t)
	if toured, all := len(s.toured()), len(s.Exhibits); toured != 15 || all != 20 {
		t.Error(toured, "exhibits of the tour, of", all)
	}
	for _, e := range s.toured() {
		if e.Name == "text" {
			continue // see TestTextIsWhatItPromises
		}
		t.Run(e.Name, func(t *testing.T) {
			got := witness(t, e)
			if int64(len(got)) != e.Bytes || sha256.Sum256(got) != e.SHA256 {
				t.Errorf("%d bytes, want %d, or a wrong digest", len(got), e.Bytes)
			}
		})
	}
}

func TestTextIsWhatItPromises(t *testing.T) {
	s := open(t)
	e := find(t, s, "text")
	whole := []byte(taleText())
	if int64(len(whole)) != e.Bytes || sha256.Sum256(whole) != e.SHA256 {
		t.Error("other text")
	}
	// The part that only ever comes in pieces needs resuming: a client without it fails.
	o := &oracle{client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, limit: len(whole) + 1}
	if err := o.assemble(e.URL, manifest.Alternative{Size: -1}); err == nil || !bytes.HasPrefix(whole, o.got) {
		t.Error(err)
	}
}

func TestTextIsReachableInPieces(t *testing.T) {
	s := open(t)
	f := s.origins[4]
	var got []byte
	for f.Requests("/tale/4") < 3 {
		req, _ := http.NewRequest(http.MethodGet, f.URL("/tale/4"), nil)
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", len(got)))
		resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		resp.Body.Close()
		got = append(got, b.Bytes()...)
	}
	if want := cut([]byte(taleText()), 6)[4]; !bytes.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestPicturesAreComplete(t *testing.T) {
	picture, frames, err := draw()
	if err != nil || len(frames) < 20 {
		t.Fatal(len(frames), "frames:", err)
	}
	seen := map[string]bool{}
	for _, b := range append(frames, picture) {
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		seen[string(b)] = true
		if size := img.Bounds().Size(); size.X < frameW || size.Y < frameH {
			t.Error(size)
		}
	}
	if len(seen) != len(frames)+1 {
		t.Error("some pictures are the same")
	}
}

func TestAnimationIsRound(t *testing.T) {
	if !slices.Equal(plasma(8, 8, 0).Pix, plasma(8, 8, 1).Pix) {
		t.Error("there is a seam")
	}
}

func TestCountManifestIsTheSameFromAnywhere(t *testing.T) {
	whole := make([]byte, 500)
	countManifest(0, whole)
	if !strings.HasPrefix(string(whole), "count/000000000000\n--\ncount/000000000001\n--\n") {
		t.Errorf("%q", whole[:60])
	}
	for off := range len(whole) {
		got := make([]byte, len(whole)-off)
		if n := countManifest(int64(off), got); n != len(got) || !bytes.Equal(got, whole[off:]) {
			t.Fatalf("from %d: %q", off, got)
		}
	}
}

func TestCountHasNoOtherParts(t *testing.T) {
	s := open(t)
	tr := &http.Transport{DisableKeepAlives: true}
	for _, path := range []string{"/count/-1", "/count/x", "/count/"} {
		req, _ := http.NewRequest(http.MethodGet, s.origins[0].URL(path), nil)
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotFound {
			t.Error(path, resp.Status)
		}
	}
}

func TestAllStartsAtTheFirstOrigin(t *testing.T) {
	s := open(t)
	for _, e := range s.Exhibits {
		u, err := url.Parse(e.URL)
		if err != nil || u.Host != s.origins[0].Addr() || u.Path != e.Path {
			t.Error(e.Name, e.URL, e.Path, err)
		}
	}
}

func TestStartOnAddresses(t *testing.T) {
	first := open(t)
	taken := first.origins[0].Addr()
	if s, err := Start(taken); err == nil {
		s.Close()
		t.Error("two on one port")
	}
	if s, err := Start("127.0.0.1:0", taken); err == nil {
		s.Close()
		t.Error("two on one port")
	}
	if s, err := Start(make([]string, Origins+1)...); err == nil {
		s.Close()
		t.Error("too many addresses")
	}
	first.Close()
	if again := open(t, taken); again.origins[0].Addr() != taken {
		t.Error("elsewhere")
	}
}
