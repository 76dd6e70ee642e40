package fetch

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"

	"spate/internal/farm"
	"spate/source/httpsource"
)

// content is n bytes, each of which tells where it is.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16) ^ byte(i>>8)*31 ^ byte(i)*17
	}
	return b
}

func TestObject(t *testing.T) {
	for _, c := range []struct {
		name string
		res  farm.Resource
		size int
		opts ObjectOptions
	}{
		{"empty", farm.Resource{}, 0, ObjectOptions{}},
		{"one byte", farm.Resource{}, 1, ObjectOptions{}},
		{"small", farm.Resource{}, 100_000, ObjectOptions{}},
		{"large", farm.Resource{}, 20 << 20, ObjectOptions{}},
		{"four connections", farm.Resource{}, 20<<20 + 1, ObjectOptions{Connections: 4}},
		{"slow, so that it ramps", farm.Resource{Rate: 20 << 20}, 20 << 20, ObjectOptions{}},
		{"no ranges", farm.Resource{NoRange: true}, 3 << 20, ObjectOptions{Connections: 4}},
		{"no length", farm.Resource{NoLength: true, NoRange: true}, 3 << 20, ObjectOptions{Connections: 4}},
		{"breaks", farm.Resource{BreakAfter: 3 << 20}, 20 << 20, ObjectOptions{Connections: 4}},
		{"capped", farm.Resource{RangeMax: 5 << 20}, 20 << 20, ObjectOptions{Connections: 2}},
	} {
		for _, sum := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				f := farm.New()
				defer f.Close()
				data := content(c.size)
				c.res.Body = data
				f.Serve("/x", c.res)
				src := httpsource.New(nil)
				defer src.CloseIdleConnections()
				o, err := OpenObject(t.Context(), src, f.URL("/x"))
				if err != nil {
					t.Fatal(err)
				}
				defer o.Close()
				path := filepath.Join(t.TempDir(), "x")
				opts := c.opts
				opts.SHA256 = sum
				done, err := o.To(t.Context(), path, &opts)
				if err != nil {
					t.Fatal(err)
				}
				got, err := os.ReadFile(path)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("%d bytes, want %d; %v", len(got), len(data), err)
				}
				if want := sha256.Sum256(data); sum && !bytes.Equal(done.SHA256, want[:]) {
					t.Errorf("digest %x, want %x", done.SHA256, want)
				}
				if done.Size != int64(len(data)) {
					t.Errorf("size %d, want %d", done.Size, len(data))
				}
				t.Logf("%+v; %d requests", done, f.Requests("/x"))
			})
		}
	}
}
