package gateway_test

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"spate/gateway"
	"spate/gateway/blockcache"
	"spate/gateway/fill"
)

// TestUnusedBlocksGo: what nobody has used for the TTL is not on the disk any more, however long the pool remembers what it was of.
func TestUnusedBlocksGo(t *testing.T) {
	const ttl = time.Hour
	for name, keep := range map[string]time.Duration{"a sixth": 10 * time.Minute, "all of it": ttl} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) { testUnused(t, dir, keep, ttl) })
		})
	}
}

func testUnused(t *testing.T, dir string, keep, ttl time.Duration) {
	cache, err := blockcache.Open(&blockcache.Options{Dir: dir, TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	defer cache.Close()
	src := shelf{"http://o/a": make([]byte, 1e6), "http://o/b": make([]byte, 1e6)}
	pool := fill.New(&fill.Options{Source: src, Cache: gateway.Blocks(cache, keep), Keep: keep})
	defer pool.Close()
	read := func(url string) {
		f, err := pool.Open(t.Context(), fill.What{Mirrors: []string{url}, Fresh: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		body, err := f.Open(t.Context(), 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if n, err := io.Copy(io.Discard, body); n != 1e6 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	after := func(d time.Duration, objects int) {
		t.Helper()
		time.Sleep(d)
		synctest.Wait()
		if s := cache.Stats(); s.Objects != objects {
			t.Errorf("%d objects are kept, want %d", s.Objects, objects)
		}
	}
	read("http://o/a")
	after(ttl/2, 1)
	read("http://o/b")
	pool.Forget([]string{"http://o/b"}) // as where too many are remembered: it was used a moment ago
	after(ttl/2-time.Second, 2)
	after(2*time.Second, 1)
	after(ttl/2-3*time.Second, 1)
	after(3*time.Second, 0)
}
