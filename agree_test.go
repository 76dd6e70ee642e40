package spate

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch"
	"spate/internal/farm"
	"spate/source"
)

// URLs that are named together as mirrors, and are none, are an error, also where the first would do.
func TestGetMirrorsAgree(t *testing.T) {
	origin := newFarm(t)
	small, large := noise(1000), noise(8<<20)
	other := func(b []byte) []byte {
		b = bytes.Clone(b)
		for i := range b {
			b[i] ^= 1
		}
		return b
	}
	for path, body := range map[string][]byte{"/small": small, "/small-too": small, "/other-small": other(small), "/shorter": small[1:],
		"/large": large, "/other-large": other(large), "/empty": nil} {
		origin.Serve(path, farm.Resource{Body: body})
	}
	origin.Serve("/untold", farm.Resource{Body: small, NoRange: true, NoLength: true})
	origin.Serve("/untold-empty", farm.Resource{Body: []byte{}, NoRange: true, NoLength: true})
	for _, test := range []struct {
		a, b    string
		differs bool
	}{
		{"/small", "/small-too", false},
		{"/small", "/other-small", true},
		{"/small", "/shorter", true},
		{"/small", "/gone", false},
		{"/gone", "/small", false},
		{"/large", "/large", false},
		{"/large", "/other-large", true},
		{"/large", "/small", true},
		{"/empty", "/empty", false},
		{"/empty", "/small", true},
		{"/empty", "/untold", true},
		{"/empty", "/untold-empty", false},
	} {
		t.Run(test.a+test.b, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "FILE")
			opts := &GetOptions{Mirrors: []Mirror{{URL: origin.URL(test.b)}}, MirrorsAgree: true}
			_, err := newClient(t).Get(t.Context(), origin.URL(test.a), path, opts)
			_, isDiffer := errors.AsType[*fetch.DifferError](err)
			if isDiffer != test.differs || (err != nil) != test.differs || errors.Is(err, source.ErrCorrupt) != test.differs {
				t.Errorf("error %v", err)
			}
			if _, err := os.Lstat(path); (err == nil) == test.differs {
				t.Errorf("the file: %v", err)
			}
		})
	}
}
