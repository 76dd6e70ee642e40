package fill

import (
	"context"
	"fmt"
	"io"
	"math"
	"testing"

	"spate/gateway/blockcache"
	"spate/source"
)

// zeros is a Source of a file of no content, which costs nothing.
type zeros struct{ size int64 }

func (z zeros) Open(_ context.Context, url string, rng source.Range) (*source.Resource, error) {
	end := z.size
	if rng.Len >= 0 && rng.Len < math.MaxInt64-rng.Off {
		end = min(end, rng.Off+rng.Len)
	}
	return &source.Resource{Info: source.Info{URL: url, Size: z.size, Validator: `"1"`, Seekable: true}, Off: rng.Off, Len: end - rng.Off,
		Body: io.NopCloser(&io.LimitedReader{R: nothing{}, N: end - rng.Off})}, nil
}

type nothing struct{}

func (nothing) Read(p []byte) (int, error) { return len(p), nil }

type onDisk struct{ c *blockcache.Cache }

func (d onDisk) Object(id ID) (Blocks, error) { return d.c.Object(blockcache.ID(id)) }

// BenchmarkCold reads files from their origin, once each.
func BenchmarkCold(b *testing.B) {
	const size = 32 << 20
	for name, isCached := range map[string]bool{"memory": false, "disk": true} {
		b.Run(name, func(b *testing.B) {
			opts := &Options{Source: zeros{size}, Memory: 8 << 20}
			if isCached {
				c, err := blockcache.Open(&blockcache.Options{Dir: b.TempDir(), Max: 64 << 20})
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				opts.Cache = onDisk{c}
			}
			p := New(opts)
			defer p.Close()
			buf := make([]byte, 128<<10)
			b.SetBytes(size)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f, err := p.Open(b.Context(), What{Mirrors: []string{fmt.Sprint("x://host/", i)}})
				if err != nil {
					b.Fatal(err)
				}
				r, err := f.Open(b.Context(), 0, -1)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); n != size || err != nil {
					b.Fatal(n, err)
				}
				r.Close()
				f.Close()
			}
		})
	}
}
