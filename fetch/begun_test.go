package fetch

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
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
			src := httpsource.New(nil)
			defer src.CloseIdleConnections()
			var mu sync.Mutex
			var asked []source.Range // the origin may still have to hear of what was asked before
			left, err = Resume(t.Context(), path, nil)
			must(t, err)
			done, err := goOn(t, source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
				mu.Lock()
				asked = append(asked, rng)
				mu.Unlock()
				return src.Open(ctx, url, rng)
			}), left, ObjectOptions{Hashes: sha256Only, Connections: 4}, f.URL(c.url))
			must(t, err)
			wantWhole(t, path, data, done)
			for i, rng := range asked {
				if isThere := there.Covers(span.Span{Off: rng.Off, End: rng.Off + rng.Len}); isThere != (i < times) {
					t.Errorf("request %d is for %+v, and that these bytes are there is %v", i, rng, isThere)
				}
			}
		})
	}
}
