package fetch

import (
	"fmt"
	"path/filepath"
	"testing"

	"spate/format/span"
	"spate/internal/farm"
)

// TestBegunIsComparedFirst: where only bytes can tell whether a source has what was begun, they are compared once, before any range is
// asked for: its answer would wait meanwhile, and seem to be slow.
func TestBegunIsComparedFirst(t *testing.T) {
	data := content(16 << 20)
	for name, c := range map[string]struct{ etag, url string }{
		"no validator": {farm.NoETag, "/x"}, "weak": {`W/"1"`, "/x"}, "another URL": {`"1"`, "/y"},
	} {
		t.Run(name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			path := filepath.Join(t.TempDir(), "x")
			cutShort(t, f, path, farm.Resource{Body: data, ETag: c.etag})
			f.Serve(c.url, farm.Resource{Body: data, ETag: c.etag})
			left, err := Resume(t.Context(), path, nil)
			must(t, err)
			there, times := left.left.Covered(), min(len(left.left.Ranges), compared)
			must(t, left.Keep())
			before := len(f.Log())
			done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only, Connections: 4}, f.URL(c.url))
			must(t, err)
			wantWhole(t, path, data, done)
			log := f.Log()[before:]
			for i, r := range log {
				var x struct{ first, last int64 }
				if _, err := fmt.Sscanf(r.Range, "bytes=%d-%d", &x.first, &x.last); err != nil {
					t.Fatal(r.Range, err)
				}
				if isThere := there.Covers(span.Span{Off: x.first, End: x.last + 1}); isThere != (i < times) {
					t.Errorf("request %d is for %s, and that these bytes are there is %v", i, r.Range, isThere)
				}
			}
		})
	}
}
