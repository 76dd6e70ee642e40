package fetch

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// begin creates the file FILE in a folder of the test's own and returns its path too.
func begin(t *testing.T, opts *Options) (*File, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "FILE")
	return mustCreate(t, path, opts), path
}

func mustCreate(t *testing.T, path string, opts *Options) *File {
	t.Helper()
	f, err := Create(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Keep() })
	return f
}

func write(t *testing.T, f *File, text string) {
	t.Helper()
	if n, err := io.WriteString(f, text); err != nil || n != len(text) {
		t.Fatalf("Write = %d, %v", n, err)
	}
}

// put writes a file that is there before.
func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s has %q, want %q", filepath.Base(path), got, want)
	}
}

// wantNames checks what is in the folder of path.
func wantNames(t *testing.T, path string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder has %q, want %q", got, want)
	}
}

func TestFileAppearsOnlyByCommit(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "one ")
	write(t, f, "two")
	wantNames(t, path, "FILE.part")
	if f.Size() != 7 || f.Path() != path {
		t.Errorf("Size, Path = %d, %q", f.Size(), f.Path())
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, path, "FILE")
	wantContent(t, path, "one two")
}

func TestEmptyFile(t *testing.T) {
	f, path := begin(t, &Options{SHA256: true})
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "")
	if want := sha256.Sum256(nil); !bytes.Equal(f.SHA256(), want[:]) {
		t.Errorf("SHA256 = %x", f.SHA256())
	}
}

func TestKeepLeavesThePart(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "half")
	if err := f.Keep(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, path, "FILE.part")
	wantContent(t, path+Ext, "half")
}

func TestDiscardLeavesNothing(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "half")
	if err := f.Discard(); err != nil {
		t.Fatal(err)
	}
	wantNames(t, path)
}

func TestAfterTheEnd(t *testing.T) {
	ends := map[string]func(*File) error{"Commit": (*File).Commit, "Keep": (*File).Keep, "Discard": (*File).Discard}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			f, path := begin(t, nil)
			write(t, f, "text")
			if err := end(f); err != nil {
				t.Fatal(err)
			}
			there, _ := filepath.Glob(path + "*")
			_, errWrite := f.Write([]byte("more"))
			for _, err := range []error{errWrite, f.Rewind(0), f.Commit()} {
				if !errors.Is(err, fs.ErrClosed) {
					t.Errorf("error %v, want one that is fs.ErrClosed", err)
				}
			}
			if err := errors.Join(f.Keep(), f.Discard()); err != nil {
				t.Errorf("Keep and Discard: %v", err)
			}
			if now, _ := filepath.Glob(path + "*"); !slices.Equal(now, there) {
				t.Errorf("files were %q, are %q", there, now)
			}
		})
	}
}

func TestRewind(t *testing.T) {
	tests := []struct {
		name string
		off  int64
		want string
		ok   bool
	}{
		{"to the start", 0, "XYZ", true},
		{"into the middle", 2, "abXYZ", true},
		{"one before the end", 5, "abcdeXYZ", true},
		{"to the end", 6, "abcdefXYZ", true},
		{"beyond the end", 7, "abcdefXYZ", false},
		{"before the start", -1, "abcdefXYZ", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, path := begin(t, &Options{SHA256: true})
			write(t, f, "abcdef")
			if err := f.Rewind(test.off); (err == nil) != test.ok {
				t.Fatalf("Rewind: %v", err)
			}
			write(t, f, "XYZ")
			if f.Size() != int64(len(test.want)) {
				t.Errorf("Size = %d", f.Size())
			}
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
			wantContent(t, path, test.want)
			if want := sha256.Sum256([]byte(test.want)); !bytes.Equal(f.SHA256(), want[:]) {
				t.Errorf("SHA256 = %x, want %x", f.SHA256(), want)
			}
		})
	}
}

func TestRewindShortensTheFile(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "abcdef")
	if err := f.Rewind(2); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	wantContent(t, path, "ab")
}

func TestExisting(t *testing.T) {
	tests := []struct {
		name             string
		make             func(t *testing.T, path string)
		plain, overwrite error // nil: it works
	}{
		{"nothing", func(*testing.T, string) {}, nil, nil},
		{"a file", func(t *testing.T, path string) { put(t, path, "old") }, fs.ErrExist, nil},
		{"an empty file", func(t *testing.T, path string) { put(t, path, "") }, fs.ErrExist, nil},
		{"a folder", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o755)) }, syscall.EISDIR, syscall.EISDIR},
		{"a link to a file", func(t *testing.T, path string) {
			put(t, path+"2", "old")
			must(t, os.Symlink(path+"2", path))
		}, fs.ErrExist, nil},
		{"a link to nothing", func(t *testing.T, path string) { must(t, os.Symlink("nothing", path)) }, fs.ErrExist, nil},
		{"a link to a device", func(t *testing.T, path string) { must(t, os.Symlink(os.DevNull, path)) }, fs.ErrExist, errNotRegular},
		{"a link to a folder", func(t *testing.T, path string) { must(t, os.Symlink(".", path)) }, fs.ErrExist, errNotRegular},
	}
	for _, test := range tests {
		for _, overwrite := range []bool{false, true} {
			name, want := test.name, test.plain
			if overwrite {
				name, want = name+", to be overwritten", test.overwrite
			}
			t.Run(name, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "FILE")
				test.make(t, path)
				opts := &Options{Overwrite: overwrite}
				if err := Check(path, opts); !errors.Is(err, want) {
					t.Errorf("Check: %v, want %v", err, want)
				}
				f, err := Create(path, opts)
				if !errors.Is(err, want) {
					t.Fatalf("Create: %v, want %v", err, want)
				}
				if err != nil {
					wantPathError(t, err)
					return
				}
				write(t, f, "new")
				must(t, f.Commit())
				wantContent(t, path, "new")
			})
		}
	}
}

// A symbolic link is replaced, what it points to is left alone.
func TestOverwriteDoesNotFollowLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	put(t, path+"2", "old")
	must(t, os.Symlink("FILE2", path))
	f := mustCreate(t, path, &Options{Overwrite: true})
	write(t, f, "new")
	must(t, f.Commit())
	wantContent(t, path, "new")
	wantContent(t, path+"2", "old")
}

func TestBadPaths(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "plain"), "")
	tests := []struct {
		name, path string
		want       error
	}{
		{"empty", "", fs.ErrInvalid},
		{"ends in a separator", dir + "/FILE/", syscall.EISDIR},
		{"a dot", dir + "/.", syscall.EISDIR},
		{"two dots", dir + "/..", syscall.EISDIR},
		{"the root", "/", syscall.EISDIR},
		{"folder missing", dir + "/missing/FILE", fs.ErrNotExist},
		{"folder is a file", dir + "/plain/FILE", syscall.ENOTDIR},
		{"name too long", dir + "/" + strings.Repeat("n", 256), syscall.ENAMETOOLONG},
		{"name too long with .part", dir + "/" + strings.Repeat("n", 251), syscall.ENAMETOOLONG},
		{"a NUL in it", dir + "/a\x00b", syscall.EINVAL},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := Create(test.path, nil)
			if !errors.Is(err, test.want) {
				t.Fatalf("Create: %v, want %v", err, test.want)
			}
			if f != nil {
				t.Error("there is a File beside the error")
			}
			wantPathError(t, err)
		})
	}
	wantNames(t, filepath.Join(dir, "FILE"), "plain")
}

func TestLongestName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255-len(Ext)))
	f := mustCreate(t, path, nil)
	must(t, f.Commit())
	wantContent(t, path, "")
}

func wantPathError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*fs.PathError](err); !ok {
		t.Errorf("error %v is no *fs.PathError", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
