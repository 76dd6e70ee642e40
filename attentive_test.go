package spate

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch"
	"spate/format/checksum"
)

// aChecksum is no file's.
var aChecksum = []checksum.Sum{{Algorithm: checksum.SHA256, Value: make([]byte, 32)}}

// A file that is there is read for its digest no longer than the call lasts, however large it is.
func TestGetEndsWhileItHashes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	must(t, os.WriteFile(path, nil, 0o600))
	must(t, os.Truncate(path, 1<<40))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	opts := &GetOptions{Checksums: aChecksum}
	if _, err := newClient(t).Get(ctx, "http://127.0.0.1:1/x", path, opts); !errors.Is(err, why) {
		t.Errorf("error %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 1<<40 {
		t.Errorf("%v, %v: it is not what it was", info, err)
	}
}

func TestChecksumsEndWithTheirContext(t *testing.T) {
	for name, g := range map[string]*getter{
		"of the whole": {opts: GetOptions{Checksums: aChecksum}},
		"of pieces":    {pieces: &fetch.Pieces{Length: 1 << 40, Algorithm: checksum.SHA256, Sums: [][]byte{make([]byte, 32)}}},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		file := readsAt(func(p []byte) (int, error) {
			reads++
			cancel()
			return len(p), nil
		})
		if err := g.hasChecksums(ctx, file, 1<<40); !errors.Is(err, context.Canceled) || reads != 1 {
			t.Errorf("%s: %v after %d reads", name, err, reads)
		}
	}
}

type readsAt func(p []byte) (int, error)

func (f readsAt) ReadAt(p []byte, _ int64) (int, error) { return f(p) }
