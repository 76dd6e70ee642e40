package fetch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// A file that has appeared since Create is somebody else's.
func TestCommitNeverReplaces(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "mine")
	put(t, path, "theirs")
	if err := f.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("Commit: %v, want one that is fs.ErrExist", err)
	}
	wantContent(t, path, "theirs")
	wantContent(t, path+Ext, "mine")
	must(t, f.Discard())
	wantNames(t, path, "FILE")
}

// Nothing has ended: once the other file is gone, the same File can have the name.
func TestCommitAgain(t *testing.T) {
	f, path := begin(t, nil)
	write(t, f, "mine")
	put(t, path, "theirs")
	if err := f.Commit(); err == nil {
		t.Fatal("Commit: no error")
	}
	must(t, os.Remove(path))
	must(t, f.Commit())
	wantContent(t, path, "mine")
}

func TestOverwriteReplacesWhatAppears(t *testing.T) {
	f, path := begin(t, &Options{Overwrite: true})
	write(t, f, "mine")
	put(t, path, "theirs")
	must(t, f.Commit())
	wantContent(t, path, "mine")
	wantNames(t, path, "FILE")
}

func TestOverwriteSparesAFolderThatAppears(t *testing.T) {
	f, path := begin(t, &Options{Overwrite: true})
	must(t, os.Mkdir(path, 0o755))
	if err := f.Commit(); err == nil {
		t.Fatal("Commit replaced a folder")
	}
	wantNames(t, path, "FILE", "FILE.part")
}

// Where a file cannot be renamed such that none is replaced, it is linked.
func TestLinkNew(t *testing.T) {
	dir := t.TempDir()
	part, path := filepath.Join(dir, "FILE.part"), filepath.Join(dir, "FILE")
	put(t, part, "mine")
	put(t, path, "theirs")
	for _, move := range []func(from, to string) error{linkNew, renameNew} {
		if err := move(part, path); !errors.Is(err, fs.ErrExist) && !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v, want one that is fs.ErrExist", err)
		}
		wantContent(t, path, "theirs")
	}
	must(t, os.Remove(path))
	must(t, linkNew(part, path))
	wantContent(t, path, "mine")
	wantNames(t, path, "FILE")
}

func TestReserve(t *testing.T) {
	dir := t.TempDir()
	part, path := filepath.Join(dir, "FILE.part"), filepath.Join(dir, "FILE")
	put(t, part, "mine")
	put(t, path, "theirs")
	if err := reserve(part, path); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("reserve: %v, want one that is fs.ErrExist", err)
	}
	wantContent(t, path, "theirs")
	must(t, os.Remove(path))
	must(t, reserve(part, path))
	wantContent(t, path, "mine")
	wantNames(t, path, "FILE")
}

func TestReserveGivesTheNameBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	if err := reserve(path+Ext, path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("reserve without a part: %v", err)
	}
	wantNames(t, path)
}

// What somebody else has put in the place of FILE.part is neither published nor removed.
func TestPartReplacedByOthers(t *testing.T) {
	for name, end := range map[string]func(*File) error{"Commit": (*File).Commit, "Discard": (*File).Discard} {
		t.Run(name, func(t *testing.T) {
			f, path := begin(t, nil)
			write(t, f, "mine")
			must(t, os.Remove(path+Ext))
			put(t, path+Ext, "theirs")
			if err := end(f); (err == nil) != (name == "Discard") {
				t.Errorf("%s: %v", name, err)
			}
			wantContent(t, path+Ext, "theirs")
			wantNames(t, path, "FILE.part")
		})
	}
}

func TestPartRemovedByOthers(t *testing.T) {
	f, path := begin(t, nil)
	must(t, os.Remove(path+Ext))
	if err := f.Commit(); err == nil {
		t.Error("Commit of a file that is gone: no error")
	}
	wantNames(t, path)
}

// A crash in the middle of Commit leaves FILE.part as another name of the whole file.
func TestStalePartThatIsTheFinalFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	put(t, path, "whole")
	must(t, os.Link(path, path+Ext))
	f := mustCreate(t, path, &Options{Overwrite: true})
	write(t, f, "half")
	must(t, f.Keep())
	wantContent(t, path, "whole")
	wantContent(t, path+Ext, "half")
}

// Of many that want the same file one gets it; none is disturbed by another.
func TestOneWriterWins(t *testing.T) {
	const writers = 8
	for range 20 {
		path := filepath.Join(t.TempDir(), "FILE")
		put(t, path+Ext, "stale, and longer than what is written anew")
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for i := range errs {
			wg.Go(func() { errs[i] = writeWhole(path) })
		}
		wg.Wait()
		whole := 0
		for _, err := range errs {
			switch {
			case err == nil:
				whole++
			case !errors.Is(err, ErrInUse) && !errors.Is(err, fs.ErrExist):
				t.Errorf("unexpected: %v", err)
			}
		}
		if whole != 1 {
			t.Errorf("%d writers have finished, want 1", whole)
		}
		wantContent(t, path, "whole")
		os.Remove(path + Ext) // of a writer that came to its end second
	}
}

func writeWhole(path string) error {
	f, err := Create(path, nil)
	if err != nil {
		return err
	}
	defer f.Keep()
	for _, text := range []string{"wh", "ole"} {
		if _, err := f.Write([]byte(text)); err != nil {
			return err
		}
	}
	return f.Commit()
}

// Who creates at once what was looked for does not look again; that nothing is replaced does not depend on it.
func TestAtOnceReplacesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	opts := &Options{AtOnce: true}
	if left, err := Resume(t.Context(), path, opts); left != nil || err != nil {
		t.Fatalf("%v, %v", left, err)
	}
	put(t, path, "of somebody else")
	f := mustCreate(t, path, opts)
	write(t, f, "text")
	if err := f.Commit(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Commit: %v", err)
	}
	must(t, f.Discard())
	wantContent(t, path, "of somebody else")
	wantNames(t, path, "FILE")
	if _, err := Resume(t.Context(), path, opts); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Resume: %v", err)
	}
	missing := filepath.Join(path+"-missing", "FILE")
	if left, err := Resume(t.Context(), missing, opts); left != nil || err != nil {
		t.Errorf("no folder: %v, %v", left, err)
	}
	if _, err := Create(missing, opts); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: Create: %v", err)
	}
}
