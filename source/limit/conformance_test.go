package limit_test

import (
	"testing"

	"spate/internal/farm"
	"spate/source"
	"spate/source/filesource"
	"spate/source/httpsource"
	"spate/source/limit"
	"spate/source/sourcetest"
)

func TestConformance(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit int64
	}{
		{"no limit", 0},
		{"a high one", 1 << 30},
		{"one that is felt", 32 << 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			src := httpsource.New(nil)
			defer src.CloseIdleConnections()
			serve := func(name string, res farm.Resource) string {
				f.Serve("/"+name, res)
				return f.URL("/" + name)
			}
			at := func(n int) int64 {
				if n == 0 {
					return farm.AtOnce
				}
				return int64(n)
			}
			sourcetest.Run(t, sourcetest.Harness{
				Source:   limit.NewRate(limit.Always(tt.limit)).Wrap(source.Mux{"http": src, "file": filesource.Source{}}),
				Dialer:   true,
				Seekable: true,
				Put: func(_ *testing.T, name string, content []byte) string {
					return serve(name, farm.Resource{Body: content})
				},
				Missing: func(*testing.T) string { return f.URL("/missing") },
				Cut: func(_ *testing.T, name string, content []byte, n int) string {
					return serve(name, farm.Resource{Body: content, BreakAt: at(n)})
				},
				Stall: func(_ *testing.T, name string, content []byte, n int) string {
					return serve(name, farm.Resource{Body: content, StallAt: at(n)})
				},
				Malformed: []string{"http://", "other:x", "::"},
				Settle:    src.CloseIdleConnections,
			})
		})
	}
}

// A Source without sessions of its own has them behind a limit too.
func TestSessionOfWhatHasNone(t *testing.T) {
	wrapped := limit.NewRate(limit.Always(1)).Wrap(filesource.Source{})
	if _, ok := wrapped.(source.Dialer); !ok {
		t.Fatalf("%T has no Dial", wrapped)
	}
	s, err := source.Dial(t.Context(), wrapped, "file:///")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
