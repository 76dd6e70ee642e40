package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const text = "0123456789"

// newSite serves one file, /a, with ten bytes.
func newSite(t *testing.T) *site {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return &site{dir: dir}
}

func ask(s *site, path, rng string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	if rng != "" {
		req.Header.Set("Range", rng)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, req)
	return w
}

func TestSite(t *testing.T) {
	s := newSite(t)
	for _, c := range []struct {
		name, path, rng string
		status          int
		body, content   string
	}{
		{"whole", "/a", "", 200, text, ""},
		{"query", "/a?1", "", 200, text, ""},
		{"from 0", "/a", "bytes=0-", 206, text, "bytes 0-9/10"},
		{"from 9", "/a", "bytes=9-", 206, "9", "bytes 9-9/10"},
		{"from the end", "/a", "bytes=10-", 200, text, ""},
		{"other form", "/a", "bytes=1-2", 200, text, ""},
		{"other unit", "/a", "lines=1-", 200, text, ""},
		{"nonsense", "/a", "bytes=x-", 200, text, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(s, c.path, c.rng)
			if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Content-Range") != c.content {
				t.Errorf("got %d %q %q", w.Code, w.Body, w.Header().Get("Content-Range"))
			}
		})
	}
}

func TestSiteServesItsFolderOnly(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/b", "/../a/b", "/%2e%2e/%2e%2e/etc/passwd"} {
		if w := ask(s, path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d", path, w.Code)
		}
	}
}

func TestMark(t *testing.T) {
	s := newSite(t)
	mark := func() int64 {
		n, err := strconv.ParseInt(strings.TrimSpace(ask(s, "/.mark", "").Body.String()), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ask(s, "/a", "")
	if got := mark(); got != 0 {
		t.Errorf("marked at %d without being asked to", got)
	}
	before := time.Now().UnixNano()
	ask(s, "/a?mark", "")
	if got := mark(); got < before || got > time.Now().UnixNano() {
		t.Errorf("marked at %d, begun at %d", got, before)
	}
	if got := mark(); got != 0 {
		t.Errorf("marked at %d again", got)
	}
}

func TestPacerSharesItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pacer{rate: 1_000_000}
		begin := time.Now()
		done := make(chan int64, 4)
		for range 4 {
			go func() {
				sum := int64(0)
				for sum < 500_000 {
					sum += p.wait(500_000 - sum)
				}
				done <- sum
			}()
		}
		for range 4 {
			<-done
		}
		if took := time.Since(begin); took < 2*time.Second-2*slack || took > 2*time.Second {
			t.Errorf("2 MB at 1 MB/s took %v", took)
		}
	})
}

func TestPacerWithoutRate(t *testing.T) {
	var p pacer
	if n := p.wait(1 << 40); n != 1<<40 {
		t.Errorf("got %d", n)
	}
}
