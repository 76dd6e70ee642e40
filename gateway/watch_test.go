package gateway_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"spate/event"
	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
)

// watches is what the gateway tells of a path of the origin.
func (s *scene) watches(t *testing.T, path string) (event.Event, bool) {
	t.Helper()
	before := len(s.Log())
	e, ok := s.server.Config.Handler.(*gateway.Gateway).Watch(s.URL(path))
	if after := len(s.Log()); after != before {
		t.Errorf("%s: looking at it has made %d requests", path, after-before)
	}
	if ok && (e.Type != event.Progress || !e.Time.IsZero()) {
		t.Errorf("%s: got %+v", path, e)
	}
	return e, ok
}

// TestWatch: of a file that is read it is told what is there, and what is next.
func TestWatch(t *testing.T) {
	const block = 64 << 10
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.BlockSize = block })
	rest := make(chan struct{})
	film := made(1, 64*block)
	film.StallAt, film.Release = 16*block, rest
	s.Serve("/film", film)
	if e, ok := s.watches(t, "/film"); ok {
		t.Errorf("before anybody has asked: %+v", e)
	}
	resp := s.ask(t, http.MethodGet, s.of("/film"))
	got := make([]byte, 16*block)
	if _, err := io.ReadFull(resp.Body, got); err != nil {
		t.Fatal(err)
	}
	e, ok := s.watches(t, "/film")
	if !ok || e.Size != 64*block || e.Bytes != 16*block || e.Conns < 1 {
		t.Errorf("half way: got %+v", e)
	}
	if there, behind, _ := strings.Cut(e.Map, "."); len(e.Map) != 64 || there != strings.Repeat("#", 16) || strings.Contains(behind, "#") {
		t.Errorf("half way: got %s", e.Map)
	}
	close(rest)
	tail, err := io.ReadAll(resp.Body)
	if err != nil || !bytes.Equal(append(got, tail...), some(film, 0, 64*block)) {
		t.Fatalf("got %d bytes more, %v", len(tail), err)
	}
	if e, ok = s.watches(t, "/film"); !ok || e.Bytes != e.Size || e.Map != strings.Repeat("#", 64) {
		t.Errorf("in the end: got %+v", e)
	}
	if e, ok = s.watches(t, "/film#t=10"); !ok || e.Bytes != 64*block {
		t.Errorf("with a fragment: got %+v", e)
	}
}

// TestWatchManifest: what is there of its parts, however often one is listed, is there of the whole.
func TestWatchManifest(t *testing.T) {
	const block = 16 << 10
	s := stage(t, func(_ *gateway.Options, f *fill.Options) { f.BlockSize = block })
	s.Serve("/a", made(1, 16*block))
	s.Serve("/b", made(2, 16*block))
	s.put("/m.parts", parts("a", "b", "a", s.URL("/none")+"\nb"))
	s.Serve("/typed", farm.Resource{Body: parts("b", "a"), MediaType: "text/parts-manifest"})
	if e, ok := s.watches(t, "/m.parts"); ok {
		t.Errorf("before anybody has asked: %+v", e)
	}
	if status, _ := s.get(t, s.of("/m.parts"), "Range", "bytes=0-9"); status != http.StatusPartialContent {
		t.Fatalf("got %d", status)
	}
	if _, body := s.get(t, s.of("/a")); len(body) != 16*block {
		t.Fatalf("got %d bytes", len(body))
	}
	half := strings.Repeat("#", 16) + strings.Repeat("-", 16)
	e, ok := s.watches(t, "/m.parts")
	if !ok || e.Size != 64*block || e.Bytes != 32*block || e.Map != half+half {
		t.Errorf("got %+v", e)
	}
	if _, body := s.get(t, s.of("/typed")); len(body) != 32*block {
		t.Fatalf("got %d bytes", len(body))
	}
	for path, size := range map[string]int64{"/m.parts": 64 * block, "/typed": 32 * block, "/b": 16 * block} {
		if e, ok := s.watches(t, path); !ok || e.Size != size || path == "/typed" && (e.Bytes != size || strings.Trim(e.Map, "#") != "") {
			t.Errorf("%s: got %+v", path, e)
		}
	}
}

// TestWatchName: what has a name is known by the first of its mirrors.
func TestWatchName(t *testing.T) {
	mirror := farm.New()
	t.Cleanup(mirror.Close)
	mirror.Serve("/other", made(1, 1000))
	serve := map[string][]string{}
	s := stage(t, func(g *gateway.Options, _ *fill.Options) { g.Serve = serve })
	s.Serve("/film", made(1, 1000))
	serve["film"] = []string{s.URL("/film"), mirror.URL("/other")}
	if status, body := s.get(t, "/film"); status != http.StatusOK || len(body) != 1000 {
		t.Fatalf("got %d, %d bytes", status, len(body))
	}
	if e, ok := s.watches(t, "/film"); !ok || e.Bytes != 1000 {
		t.Errorf("got %+v", e)
	}
	if e, ok := s.server.Config.Handler.(*gateway.Gateway).Watch(mirror.URL("/other")); ok {
		t.Errorf("by the second mirror: got %+v", e)
	}
}

// TestWatchUnknown: what has no size has no map; what can be read in order alone is not known, nor is what nobody may ask for.
func TestWatchUnknown(t *testing.T) {
	s := stage(t, func(g *gateway.Options, _ *fill.Options) { g.Policy = &gateway.Policy{Hosts: []string{"127.0.0.1"}} })
	body := text("stream", 100_000)
	rest := make(chan struct{})
	s.Serve("/stream", farm.Resource{Body: body, NoLength: true, NoRange: true, StallAt: 50_000, Release: rest})
	s.put("/self.parts", parts("stream", "self.parts"))
	s.put("/empty", nil)
	resp := s.ask(t, http.MethodGet, s.of("/stream"))
	if _, err := io.CopyN(io.Discard, resp.Body, 50_000); err != nil {
		t.Fatal(err)
	}
	if e, ok := s.watches(t, "/stream"); !ok || e.Size != -1 || e.Bytes != 50_000 || e.Conns < 1 || e.Map != "" {
		t.Errorf("without a size: got %+v", e)
	}
	close(rest)
	s.get(t, s.of("/empty"))
	if e, ok := s.watches(t, "/empty"); !ok || e.Size != 0 || e.Map != "" {
		t.Errorf("of nothing: got %+v", e)
	}
	self := s.ask(t, http.MethodGet, s.of("/self.parts"))
	if _, err := io.CopyN(io.Discard, self.Body, 10); err != nil {
		t.Fatal(err)
	}
	if e, ok := s.watches(t, "/self.parts"); ok {
		t.Errorf("of what contains itself: got %+v", e)
	}
	g := s.server.Config.Handler.(*gateway.Gateway)
	for _, url := range []string{"", "nothing", "http://other.example/", "file:///etc/passwd", "\x00"} {
		if e, ok := g.Watch(url); ok {
			t.Errorf("%q: got %+v", url, e)
		}
	}
}

// TestWatchPartThatChanged: what is there of another version is nothing of the layout.
func TestWatchPartThatChanged(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/a", made(1, 1000))
	s.Serve("/b", made(1, 1000))
	s.put("/m.parts", parts("a", "b"))
	if _, body := s.get(t, s.of("/m.parts")); len(body) != 2000 {
		t.Fatalf("got %d bytes", len(body))
	}
	s.Serve("/a", made(2, 3000))
	s.pool.Forget([]string{s.URL("/a")})
	if _, body := s.get(t, s.of("/a")); len(body) != 3000 {
		t.Fatalf("got %d bytes", len(body))
	}
	if e, ok := s.watches(t, "/m.parts"); !ok || e.Bytes != 1000 || e.Map != strings.Repeat("-", 32)+strings.Repeat("#", 32) {
		t.Errorf("got %+v", e)
	}
}
