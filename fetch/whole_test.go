package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch/journal"
	"spate/internal/farm"
	"spate/source"
)

// leaveWhole leaves all of data as url's, but for the final name.
func leaveWhole(t *testing.T, path string, data []byte, url string) {
	t.Helper()
	must(t, os.WriteFile(path+Ext, data, 0o666))
	j, err := journal.Create(path+journal.Ext, &journal.State{
		Header: journal.Header{Origins: []journal.Origin{{URL: url, Validator: `"1"`}}, Size: int64(len(data))},
	})
	must(t, err)
	for off := 0; off < len(data); off += journal.DefaultPieceSize {
		x := block{off: int64(off), b: data[off:min(len(data), off+journal.DefaultPieceSize)]}
		must(t, j.Add(x.where(), journal.Checksum(x.b)))
	}
	must(t, j.Close())
}

// TestWholeOfAnother: that nothing is missing of what was begun does not make it what a URL has that is not known.
func TestWholeOfAnother(t *testing.T) {
	for name, data := range map[string][]byte{"large": content(3<<20 + 1), "small": content(10)} {
		for _, c := range []struct {
			name string
			now  farm.Resource
			want error
		}{
			{"same", farm.Resource{Body: data}, nil},
			{"same, no ranges", farm.Resource{Body: data, NoRange: true}, nil},
			{"other bytes", farm.Resource{Body: flippedAll(data)}, source.ErrChanged},
			{"another size", farm.Resource{Body: data[1:]}, source.ErrChanged},
			{"not there", farm.Resource{Status: 404}, os.ErrNotExist},
		} {
			t.Run(name+", "+c.name, func(t *testing.T) {
				f := farm.New()
				defer f.Close()
				f.Serve("/y", c.now)
				path := filepath.Join(t.TempDir(), "x")
				leaveWhole(t, path, data, f.URL("/x"))
				done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: sha256Only}, f.URL("/y"))
				if !errors.Is(err, c.want) {
					t.Fatalf("%+v, %v; want %v", done, err, c.want)
				}
				if err == nil {
					wantWhole(t, path, data, done)
				} else {
					wantLeft(t, path, data, int64(len(data)))
				}
			})
		}
	}
}
