package spate

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"spate/event"
	"spate/format/metalink"
	"spate/internal/farm"
)

// What was begun by a description that the origin links to, or is itself, goes on by it.
func TestGetResumesWhatIsDescribed(t *testing.T) {
	data := noise(6 << 20)
	for _, test := range []struct {
		name  string
		serve func(f *farm.Farm, doc []byte) farm.Resource
	}{
		{"linked", func(f *farm.Farm, doc []byte) farm.Resource {
			f.Serve("/about", farm.Resource{Body: doc, MediaType: metalink.MediaType})
			link := fmt.Sprintf("<%s>; rel=describedby; type=%q", f.URL("/about"), metalink.MediaType)
			return farm.Resource{Body: data, Header: http.Header{"Link": {link}}}
		}},
		{"called so", func(_ *farm.Farm, doc []byte) farm.Resource {
			return farm.Resource{Body: doc, MediaType: metalink.MediaType}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			origin := newFarm(t)
			doc := described(t, "x", data, 1<<20, origin.URL("/mirror"))
			named := test.serve(origin, doc)
			origin.Serve("/x", named)
			stuck := farm.Resource{Body: data, StallAt: 4 << 20}
			origin.Serve("/mirror", stuck)
			path := filepath.Join(t.TempDir(), "x")
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if named.Header != nil { // it is a mirror itself
				begun := named
				begun.StallAt = stuck.StallAt
				origin.Serve("/x", begun)
			}
			enough := func(e event.Event) {
				if e.Type == event.Progress && e.Bytes > 2<<20 {
					cancel()
				}
			}
			res, err := newClient(t).Get(ctx, origin.URL("/x"), path, &GetOptions{Events: enough})
			if err == nil || res.Part == "" {
				t.Fatalf("%+v, %v", res, err)
			}
			origin.Serve("/x", named)
			origin.Serve("/mirror", farm.Resource{Body: data})
			res, err = newClient(t).Get(t.Context(), origin.URL("/x"), path, nil)
			if err != nil || res.Resumed == 0 {
				t.Fatalf("%+v, %v", res, err)
			}
			if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
}
