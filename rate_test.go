package spate

import (
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate/source/limit"
)

// All bytes of a Client count together, and those of other Clients with the same Rate: streams, parts, files, connections.
func TestRateIsOfAll(t *testing.T) {
	const perSecond, size = 10 << 10, 100 << 10
	text := strings.Repeat("0123456789", size/10)
	plan := "x://host/text\n--\nx://host/text\n"
	synctest.Test(t, func(t *testing.T) {
		rate := limit.NewRate(limit.Always(perSecond))
		source := shelf{"x://host/text": text, "x://host/all.parts": plan}
		one := &Client{Source: source, Options: Options{Rate: rate}}
		other := &Client{Source: source, Options: Options{Rate: rate}}
		begin := time.Now()
		var wg sync.WaitGroup
		for url, want := range map[string]string{"x://host/text": text, "x://host/all.parts": text + text} {
			wg.Go(func() {
				s, err := one.Open(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if got, err := io.ReadAll(s); err != nil || string(got) != want {
					t.Errorf("%s: %d bytes, want %d, %v", url, len(got), len(want), err)
				}
			})
		}
		dir := t.TempDir()
		for name, connections := range map[string]int{"one": 0, "two": 2} {
			wg.Go(func() {
				_, err := other.Get(t.Context(), "x://host/text", filepath.Join(dir, name), &GetOptions{Connections: connections})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantFiles(t, dir, map[string]string{"one": text, "two": text})
		all := 5 * size * time.Second / perSecond
		if took := time.Since(begin); took < all-time.Second || took > all+time.Second {
			t.Errorf("it took %v, want %v", took, all)
		}
	})
}

// Without a limit nothing is between a Client and its Source.
func TestNoRate(t *testing.T) {
	c := &Client{Source: shelf{}}
	c.prepare()
	if _, ok := c.src.(shelf); !ok {
		t.Errorf("its source is %T", c.src)
	}
}
