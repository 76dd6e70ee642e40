package gateway

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"spate/assemble"
)

// TestLayoutsAreBounded: in number, and in what they take together. The last one is kept, however large it is.
func TestLayoutsAreBounded(t *testing.T) {
	for name, c := range map[string]struct{ extents, url, want int }{
		"many":       {1, 10, maxLayouts},
		"of parts":   {1000, 10, maxWeight / (1000 * (extentWeight + mirrorWeight + 10))},
		"of text":    {1, 1 << 20, maxWeight / (1 << 20)},
		"very large": {1, maxWeight + 1, 1},
	} {
		var l layouts
		url := strings.Repeat("x", c.url)
		begun := time.Now()
		for i := range 3 * c.want {
			k := &kept{layout: &assemble.Layout{}, at: begun.Add(time.Duration(i))}
			for range c.extents {
				k.layout.Extents = append(k.layout.Extents, assemble.Extent{Mirrors: []assemble.Mirror{{URL: url}}})
			}
			key := fmt.Sprint(i)
			l.keep(key, k)
			if l.get(key) != k {
				t.Fatalf("%s: the last one is not kept", name)
			}
			l.keep(key, k) // as often as it is read again
		}
		if n := len(l.kept); n > c.want || n < c.want/2 || l.get("0") != nil {
			t.Errorf("%s: %d are kept, want about %d", name, n, c.want)
		}
		for url, k := range l.kept {
			l.forget(url, k.layout)
		}
		if l.weight != 0 {
			t.Errorf("%s: none is kept, and they weigh %d", name, l.weight)
		}
	}
}
