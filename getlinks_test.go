package spate

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"spate/format/metalink"
	"spate/internal/farm"
	"spate/source"
)

// A description that never ends, however many bytes of it come now and then, does not hold up what it describes.
func TestDescriptionThatNeverEnds(t *testing.T) {
	src := source.Func(func(ctx context.Context, raw string, rng source.Range) (*source.Resource, error) {
		if raw == "x://host/about" {
			return &source.Resource{Info: source.Info{URL: raw, Size: -1}, Len: -1, Body: newSilentBody(ctx, `<metalink xmlns="urn:ietf:params:xml:ns:metalink">`)}, nil
		}
		res, err := shelf{"x://host/x": "what is described"}.Open(ctx, raw, rng)
		if err == nil {
			res.Links = []source.Link{{Rel: source.RelDescribedBy, URL: "x://host/about", MediaType: metalink.MediaType}}
		}
		return res, err
	})
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c := &Client{Source: src}
		defer c.CloseIdleConnections()
		_, err := c.Get(t.Context(), "x://host/x", "", &GetOptions{Dir: dir})
		must(t, err)
		got, err := os.ReadFile(filepath.Join(dir, "x"))
		must(t, err)
		if string(got) != "what is described" {
			t.Errorf("%q", got)
		}
	})
}

// Of a Metalink file no more is read ahead than is of use.
func TestMetalinkWithoutEnd(t *testing.T) {
	const head, rest = `<metalink xmlns="urn:ietf:params:xml:ns:metalink">`, `<a><b/></a><!-- and so on, without an end -->`
	text := []byte(head + string(bytes.Repeat([]byte(rest), 1<<14)))
	var sent atomic.Int64
	origin := newFarm(t)
	origin.Serve("/x.meta4", farm.Resource{Gen: func(off int64, p []byte) int {
		for i := range p {
			at := off + int64(i)
			if at >= int64(len(text)) {
				at = int64(len(head)) + (at-int64(len(head)))%int64(len(rest))
			}
			p[i] = text[at]
		}
		sent.Add(int64(len(p)))
		return len(p)
	}})
	_, err := newClient(t).Get(t.Context(), origin.URL("/x.meta4"), "", &GetOptions{Dir: t.TempDir()})
	if source.KindOf(err) != source.KindProtocol {
		t.Error(err)
	}
	const inSockets = 16 << 20 // at most
	if n := sent.Load(); n > metalink.MaxBytes+inSockets {
		t.Errorf("%d bytes were sent for %d", n, metalink.MaxBytes)
	}
}
