package spate

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"spate/internal/farm"
)

// TestGetRemoteTime: a file is as old as its origin says; what tells no time, and a manifest, is as old as it is.
func TestGetRemoteTime(t *testing.T) {
	origin := newFarm(t)
	begun := time.Now().Add(-time.Hour) // clocks of file systems are coarse
	then := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	origin.Serve("/old", farm.Resource{Body: []byte("text"), ModTime: then})
	origin.Serve("/far", farm.Resource{Body: []byte("text"), ModTime: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)})
	origin.Serve("/new", farm.Resource{Body: []byte("text")})
	origin.Serve("/old.parts", farm.Resource{Body: []byte("old\n"), ModTime: then})
	origin.Serve("/old-seq", farm.Resource{Body: []byte(packed("text", "more")), ModTime: then})
	for _, test := range []struct {
		url, file   string
		connections int
		remote, old bool
	}{
		{"/old", "FILE", 0, true, true},
		{"/old", "FILE", 2, true, true},
		{"/old", "FILE", 0, false, false},
		{"/old", "FILE", 2, false, false},
		{"/new", "FILE", 0, true, false},
		{"/far", "FILE", 0, true, false},
		{"/old.parts", "FILE", 0, true, false},
		{"/old-seq", "FILE-file1", 0, true, true},
		{"/old-seq", "FILE-file2", 0, true, true},
	} {
		dir := t.TempDir()
		opts := &GetOptions{RemoteTime: test.remote, Connections: test.connections}
		_, err := newClient(t).Get(t.Context(), origin.URL(test.url), filepath.Join(dir, "FILE"), opts)
		must(t, err)
		info, err := os.Stat(filepath.Join(dir, test.file))
		must(t, err)
		if info.ModTime().Equal(then) != test.old {
			t.Errorf("%+v: of %v", test, info.ModTime())
		}
		if !test.old && info.ModTime().Before(begun) {
			t.Errorf("%+v: of %v", test, info.ModTime())
		}
	}
}
