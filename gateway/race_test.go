package gateway

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spate/source"
	"spate/source/filesource"
)

// TestLinkThatAppears: somebody who may write below an allowed folder puts links in the place of files and folders while they are opened.
func TestLinkThatAppears(t *testing.T) {
	base := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{base}, names...)...) }
	for path, text := range map[string]string{at("dir", "sub", "f"): "ours", at("secret", "f"): "secret"} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	src := (&Policy{Dirs: []string{at("dir")}}).Wrap(source.Mux{"file": filesource.Source{}})
	stop, done := make(chan struct{}), make(chan error)
	go func() { done <- swap(at("dir", "sub"), at("secret"), stop) }()
	defer func() {
		close(stop)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	read := 0
	for range 3000 {
		res, err := src.Open(t.Context(), filesource.URL(at("dir", "sub", "f")), source.From(0))
		if err != nil {
			continue
		}
		got, err := io.ReadAll(res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			t.Error(err)
		}
		if read++; strings.Contains(string(got), "secret") {
			t.Fatal("what is not below the folder was read")
		}
	}
	if read == 0 {
		t.Error("nothing was ever read")
	}
}

// swap puts a link to elsewhere in the place of the folder dir, and back, until stop is closed.
func swap(dir, elsewhere string, stop <-chan struct{}) error {
	link, aside := dir+"-link", dir+"-aside"
	if err := os.Symlink(elsewhere, link); err != nil {
		return err
	}
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		for _, move := range [][2]string{{dir, aside}, {link, dir}, {dir, link}, {aside, dir}} {
			if err := os.Rename(move[0], move[1]); err != nil {
				return err
			}
		}
	}
}
