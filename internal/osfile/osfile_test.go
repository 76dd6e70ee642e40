package osfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var errTaken = errors.New("taken")

func open(t *testing.T, path string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// A lock belongs to what was opened, be it a file or a folder, and ends with it.
func TestLock(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no locks")
	}
	dir := t.TempDir()
	for path, flag := range map[string]int{dir: os.O_RDONLY, filepath.Join(dir, "file"): os.O_RDWR | os.O_CREATE} {
		first, second := open(t, path, flag), open(t, path, flag)
		for range 2 { // it may be taken again
			if err := Lock(first, errTaken); err != nil {
				t.Fatal(err)
			}
		}
		if err := Lock(second, errTaken); err != errTaken {
			t.Errorf("%s: %v", path, err)
		}
		if err := LockSurely(second, errTaken); err != errTaken {
			t.Errorf("%s, surely: %v", path, err)
		}
		first.Close()
		if err := LockSurely(second, errTaken); err != nil {
			t.Errorf("%s, given back, surely: %v", path, err)
		}
		if err := Lock(second, errTaken); err != nil {
			t.Errorf("%s, given back: %v", path, err)
		}
	}
	closed := open(t, filepath.Join(dir, "closed"), os.O_RDWR|os.O_CREATE)
	closed.Close()
	if err := Lock(closed, errTaken); err == errTaken {
		t.Error("what is closed is no one's")
	}
}

func TestSyncFolder(t *testing.T) {
	dir := t.TempDir()
	if err := SyncFolder(dir); err != nil {
		t.Error(err)
	}
	if err := SyncFolder(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestIsNothing(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	open(t, file, os.O_RDWR|os.O_CREATE)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("nothing", link); err != nil && runtime.GOOS != "windows" {
		t.Fatal(err)
	} else if err != nil {
		link = file
	}
	for path, want := range map[string]bool{
		dir: false, file: false, link: false, // what it points to does not matter
		filepath.Join(dir, "none"): true, filepath.Join(dir, "none", "below"): true,
		dir + "\x00": false, // nobody knows
	} {
		if got := IsNothing(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}

// A file that Open has opened is as any other.
func TestOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	f, err := Open(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("text"); err != nil || f.Name() != path {
		t.Errorf("%s: %v", f.Name(), err)
	}
	_, err = Open(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if _, ok := errors.AsType[*fs.PathError](err); !ok || !errors.Is(err, fs.ErrExist) {
		t.Errorf("again: %v", err)
	}
}

func TestIsAt(t *testing.T) {
	dir := t.TempDir()
	path, other, link := filepath.Join(dir, "file"), filepath.Join(dir, "other"), filepath.Join(dir, "link")
	f := open(t, path, os.O_RDWR|os.O_CREATE)
	open(t, other, os.O_RDWR|os.O_CREATE)
	want := map[string]bool{path: true, other: false, filepath.Join(dir, "none"): false}
	if err := os.Symlink(path, link); err == nil {
		want[link] = false // what it points to does not matter
	}
	for path, want := range want {
		if is, err := IsAt(f, path); is != want || err != nil {
			t.Errorf("%s: %v, %v", path, is, err)
		}
	}
	for _, bad := range []string{filepath.Join(path, "below"), path + "\x00"} {
		if runtime.GOOS == "windows" {
			break // nothing is there either
		}
		if _, err := IsAt(f, bad); err == nil {
			t.Errorf("%q: no error", bad)
		} else if _, ok := errors.AsType[*fs.PathError](err); !ok {
			t.Errorf("%q: %v", bad, err)
		}
	}
	f.Close()
	if is, err := IsAt(f, path); is || err == nil {
		t.Errorf("closed: %v, %v", is, err)
	}
}
