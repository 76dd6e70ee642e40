package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"spate"
	"spate/gateway"
	"spate/gateway/blockcache"
	"spate/gateway/fill"
	"spate/internal/farm"
	"spate/source/httpsource"
)

// A scene is a gateway on loopback, and an origin.
type scene struct {
	*farm.Farm
	server *httptest.Server
	cache  *blockcache.Cache
	pool   *fill.Pool
	dir    string // of the cache
	log    *lines
}

// stage starts a gateway; change, where it is not nil, has its options before.
func stage(t *testing.T, change func(g *gateway.Options, f *fill.Options)) *scene {
	t.Helper()
	return stageWith(t, 64<<20, change)
}

// stageWith is stage with a cache that may have so many bytes.
func stageWith(t *testing.T, most int64, change func(g *gateway.Options, f *fill.Options)) *scene {
	t.Helper()
	s := &scene{Farm: farm.New(), dir: t.TempDir(), log: new(lines)}
	t.Cleanup(s.Farm.Close)
	cache, err := blockcache.Open(&blockcache.Options{Dir: s.dir, Max: most})
	if err != nil {
		t.Fatal(err)
	}
	s.cache = cache
	src := httpsource.New(nil)
	t.Cleanup(src.CloseIdleConnections)
	filling := &fill.Options{Source: src, Cache: gateway.Blocks(cache, 10*time.Minute)}
	opts := &gateway.Options{Client: &spate.Client{Source: src}, Source: src, Cache: cache, Log: slog.New(slog.NewTextHandler(s.log, nil))}
	if change != nil {
		change(opts, filling)
	}
	s.pool = fill.New(filling)
	opts.Pool = s.pool
	s.server = httptest.NewServer(gateway.New(opts))
	t.Cleanup(func() {
		s.server.Close()
		if err := s.pool.Close(); err != nil {
			t.Error(err)
		}
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask sends a request to the gateway; header are names and values in turn.
func (s *scene) ask(t *testing.T, method, path string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// get returns the status and the body; header as for ask.
func (s *scene) get(t *testing.T, path string, header ...string) (int, []byte) {
	t.Helper()
	resp := s.ask(t, http.MethodGet, path, header...)
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %d bytes of an answer %d, then %v", path, len(body), resp.StatusCode, err)
	}
	return resp.StatusCode, body
}

// of is the path of what the origin has under path.
func (s *scene) of(path string) string { return "/s/" + s.URL(path) }

// text is n bytes that tell where they are, and under which name.
func text(name string, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "%s at %d\n", name, b.Len())
	}
	return b.Bytes()[:n]
}

// lines is a log.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// made is content of any size: every stretch of 8 bytes tells where it is, and of which version.
func made(version uint64, size int64) farm.Resource {
	gen := func(off int64, p []byte) int {
		p = p[:max(0, min(int64(len(p)), size-off))]
		for i := range p {
			at := uint64(off) + uint64(i)
			p[i] = byte((at/8 + 1) * 0x9E3779B97F4A7C15 * version >> (8 * (at % 8)))
		}
		return len(p)
	}
	return farm.Resource{Gen: gen, Size: size, ETag: fmt.Sprintf(`"v%d"`, version)}
}

// some are n bytes of r from off on.
func some(r farm.Resource, off, n int64) []byte {
	p := make([]byte, n)
	return p[:r.Gen(off, p)]
}

// sent is how many bytes of bodies f has sent.
func sent(f *farm.Farm) (n int64) {
	for _, r := range f.Log() {
		n += r.Bytes
	}
	return n
}

func parts(alternatives ...string) []byte { return []byte(strings.Join(alternatives, "\n--\n") + "\n") }
