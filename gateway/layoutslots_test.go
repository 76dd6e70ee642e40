package gateway

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate"
	"spate/gateway/fill"
	"spate/source"
)

// A tarpit answers manifests of parts that nobody ever answers, on hosts that are called slow not even those. It counts who waits.
type tarpit struct {
	mu    sync.Mutex
	open  map[string]int // now, by host; "" is all
	peak  map[string]int
	asked int
}

func (s *tarpit) count(host string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range []string{"", host} {
		s.open[of] += n
		s.peak[of] = max(s.peak[of], s.open[of])
	}
	s.asked += max(n, 0)
}

func (s *tarpit) Open(ctx context.Context, rawURL string, _ source.Range) (*source.Resource, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	s.count(u.Host, 1)
	if strings.HasSuffix(u.Path, ".parts") && !strings.HasPrefix(u.Host, "slow") {
		var text strings.Builder
		for i := range 50 {
			fmt.Fprintf(&text, "/part/%d%s/data\n--\n", i, u.Path)
		}
		body := &counted{Reader: strings.NewReader(text.String()), close: func() { s.count(u.Host, -1) }}
		return &source.Resource{Info: source.Info{URL: rawURL, Size: int64(text.Len())}, Len: int64(text.Len()), Body: body}, nil
	}
	<-ctx.Done()
	s.count(u.Host, -1)
	return nil, ctx.Err()
}

type counted struct {
	io.Reader
	close func()
	once  sync.Once
}

func (c *counted) Close() error { c.once.Do(c.close); return nil }

// TestLayoutsKeepToTheConnections: what it takes to lay manifests out is within the bounds of the pool, and ends soon after the last
// one who wanted it has left.
func TestLayoutsKeepToTheConnections(t *testing.T) {
	for _, host := range []string{"fast", "slow"} {
		synctest.Test(t, func(t *testing.T) {
			src := &tarpit{open: map[string]int{}, peak: map[string]int{}}
			pool := fill.New(&fill.Options{Source: src})
			defer pool.Close()
			g := New(&Options{Source: src, Client: &spate.Client{Source: src}, Pool: pool})
			ctx, leave := context.WithCancel(t.Context())
			var clients sync.WaitGroup
			for i := range 200 {
				clients.Go(func() {
					if _, err := g.open(ctx, wanted{urls: []string{fmt.Sprintf("http://%s%d/%d.parts", host, i%6, i/2)}}); err == nil {
						t.Error("it is open")
					}
				})
			}
			synctest.Wait()
			for of, n := range src.peak {
				if most := map[bool]int{true: 32, false: 8}[of == ""]; n > most {
					t.Errorf("%d connections to %q at a time, want at most %d", n, of, most)
				}
			}
			if n := pool.Stats().Connections; n == 0 || n != src.open[""] {
				t.Errorf("%d connections are told, there are %d", n, src.open[""])
			}
			leave()
			clients.Wait()
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if n := src.open[""]; n > 0 {
				t.Errorf("%d connections are open that nobody wants", n)
			}
		})
	}
}

// TestLayoutIsShared: two who want the same manifest have it laid out once, and the one who stays is not disturbed by the one who leaves.
func TestLayoutIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &tarpit{open: map[string]int{}, peak: map[string]int{}}
		l := layouts{src: src, fresh: time.Hour}
		ctx, leave := context.WithCancel(t.Context())
		staying, end := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for _, ctx := range []context.Context{ctx, staying} {
			clients.Go(func() {
				if _, err := l.of(ctx, "http://slow/a.parts"); err == nil {
					t.Error("it is laid out")
				}
			})
		}
		synctest.Wait()
		leave()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if src.asked != 1 || src.open[""] != 1 {
			t.Errorf("asked %d times, %d are open", src.asked, src.open[""])
		}
		end()
		clients.Wait()
		again, end := context.WithCancel(t.Context())
		clients.Go(func() { _, _ = l.of(again, "http://slow/a.parts") }) // who comes back in time finds it going on
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if src.asked != 1 || src.open[""] != 1 {
			t.Errorf("asked %d times, %d are open", src.asked, src.open[""])
		}
		end()
		clients.Wait()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if src.open[""] != 0 || len(l.laid) != 0 {
			t.Errorf("%d are open, %d are being laid out", src.open[""], len(l.laid))
		}
	})
}
