package fetch

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"spate/internal/leak"
)

// finished is a file that has text and is finished.
func finished(t *testing.T, text string, opts *Options) (*File, string) {
	t.Helper()
	f, path := begin(t, opts)
	write(t, f, text)
	must(t, f.Finish())
	return f, path
}

func TestFinish(t *testing.T) {
	tests := []struct {
		name string
		end  func(*File) error
		want []string
	}{
		{"Commit", (*File).Commit, []string{"FILE"}},
		{"Keep", (*File).Keep, []string{"FILE.part"}},
		{"Discard", (*File).Discard, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, path := finished(t, "text", &Options{SHA256: true})
			must(t, f.Finish()) // does nothing
			wantNames(t, path, "FILE.part")
			wantContent(t, path+Ext, "text")
			must(t, test.end(f))
			wantNames(t, path, test.want...)
			for _, name := range test.want {
				wantContent(t, filepath.Join(filepath.Dir(path), name), "text")
			}
			_, err := f.Write(nil)
			for _, err := range []error{err, f.Finish(), f.Commit(), f.Rewind(0)} {
				if !errors.Is(err, fs.ErrClosed) {
					t.Errorf("after the end: %v, want one that is fs.ErrClosed", err)
				}
			}
			must(t, errors.Join(f.Keep(), f.Discard()))
			wantNames(t, path, test.want...)
			if want := sha256.Sum256([]byte("text")); !bytes.Equal(f.SHA256(), want[:]) {
				t.Errorf("SHA256 = %x", f.SHA256())
			}
		})
	}
}

// Many files can be finished: none of them holds a descriptor.
func TestFinishedFilesAreClosed(t *testing.T) {
	before := leak.Descriptors()
	dir := t.TempDir()
	for i := range 50 {
		f := mustCreate(t, filepath.Join(dir, string(rune('A'+i))), nil)
		write(t, f, "text")
		must(t, f.Finish())
		defer f.Discard()
	}
	if now := leak.Descriptors(); now > before {
		t.Errorf("%d files open, %d before", now, before)
	}
}

func TestFinishedFileIsNotWritten(t *testing.T) {
	f, path := finished(t, "text", nil)
	_, errWrite := f.Write([]byte("more"))
	_, errRead := f.ReadAt(make([]byte, 1), 0)
	for _, err := range []error{errWrite, errRead} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("error %v, want one that is fs.ErrClosed", err)
		}
		wantPathError(t, err)
	}
	must(t, f.Commit())
	wantContent(t, path, "text")
}

func TestRewindOfAFinishedFile(t *testing.T) {
	for off, want := range map[int64]string{0: "XYZ", 2: "abXYZ", 6: "abcdefXYZ"} {
		f, path := finished(t, "abcdef", &Options{SHA256: true})
		for _, bad := range []int64{-1, 7} {
			if err := f.Rewind(bad); !errors.Is(err, errRewind) {
				t.Errorf("to %d: %v", bad, err)
			}
		}
		must(t, f.Rewind(off))
		head := make([]byte, off)
		if n, err := f.ReadAt(head, 0); n != int(off) || string(head) != "abcdef"[:off] {
			t.Errorf("ReadAt: %d, %v", n, err)
		}
		write(t, f, "XYZ")
		must(t, f.Finish())
		must(t, f.Commit())
		wantContent(t, path, want)
		if sum := sha256.Sum256([]byte(want)); !bytes.Equal(f.SHA256(), sum[:]) {
			t.Errorf("to %d: SHA256 = %x", off, f.SHA256())
		}
	}
}

// A finished file has no lock. What has taken its place is neither published, nor written, nor removed.
func TestFinishedFileReplacedByOthers(t *testing.T) {
	ends := map[string]func(*File) error{
		"Commit":  (*File).Commit,
		"Rewind":  func(f *File) error { return f.Rewind(1) },
		"Discard": (*File).Discard,
	}
	others := map[string]struct {
		replace func(t *testing.T, part string)
		there   string
	}{
		"nothing":      {func(*testing.T, string) {}, ""},
		"the same":     {func(t *testing.T, part string) { put(t, part, "mine") }, "mine"}, // the inode is used again
		"another size": {func(t *testing.T, part string) { put(t, part, "theirs") }, "theirs"},
		"a link": {func(t *testing.T, part string) {
			put(t, part+"2", "theirs")
			must(t, os.Symlink(part+"2", part))
		}, "theirs"},
	}
	for name, end := range ends {
		for what, other := range others {
			t.Run(name+", "+what, func(t *testing.T) {
				f, path := finished(t, "mine", nil)
				later(t, f)
				must(t, os.Remove(path+Ext))
				other.replace(t, path+Ext)
				err := end(f)
				if name == "Discard" {
					must(t, err)
				} else if !errors.Is(err, errReplaced) {
					t.Errorf("%v, want %v", err, errReplaced)
				} else {
					wantPathError(t, err)
				}
				if other.there != "" {
					wantContent(t, path+Ext, other.there)
				}
				if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("there is a file: %v", err)
				}
			})
		}
	}
}

// later makes what is written from now on later than f, however coarse the clock of the file system is.
func later(t *testing.T, f *File) {
	t.Helper()
	past := f.finished.ModTime().Add(-1e9)
	must(t, os.Chtimes(f.path+Ext, past, past))
	info, err := os.Lstat(f.path + Ext)
	must(t, err)
	f.finished = info
}

// A file that was written to behind our back is no longer what was finished.
func TestFinishedFileChangedByOthers(t *testing.T) {
	f, path := finished(t, "mine", nil)
	later(t, f)
	put(t, path+Ext, "that")
	if err := f.Commit(); !errors.Is(err, errReplaced) {
		t.Errorf("Commit: %v, want %v", err, errReplaced)
	}
	wantNames(t, path, "FILE.part")
}

// Whoever has lost the file is told, whether it is being written or finished.
func TestReplaced(t *testing.T) {
	for _, isFinished := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "x")
		f, err := Create(path, nil)
		must(t, err)
		defer f.Keep()
		if isFinished {
			must(t, f.Finish())
		}
		if f.Replaced() {
			t.Errorf("finished %v: it is there", isFinished)
		}
		if isFinished {
			must(t, f.Finish())
		}
		must(t, os.Remove(path+Ext))
		if !f.Replaced() {
			t.Errorf("finished %v: it is gone", isFinished)
		}
	}
}
