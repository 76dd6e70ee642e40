package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch/journal"
	"spate/internal/farm"
	"spate/source/httpsource"
)

// What has the name under which a journal is written anew, and is none, stays.
func TestForeignSuccessor(t *testing.T) {
	for text, want := range map[string]error{"": nil, "spate-journal 1 damaged": nil, "my notes\n": journal.ErrCorrupt} {
		path := filepath.Join(t.TempDir(), "x")
		leaveWhole(t, path, content(10), "http://a.example/x")
		temp := journal.Names(path + journal.Ext)[1]
		must(t, os.WriteFile(temp, []byte(text), 0o666))
		file, err := Resume(t.Context(), path, nil)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if err == nil {
			must(t, file.Keep())
			continue
		}
		if _, err := Create(path, nil); !errors.Is(err, want) {
			t.Errorf("%q: Create: %v, want %v", text, err, want)
		}
		wantNames(t, path, "x"+Ext, "x"+journal.Ext, filepath.Base(temp))
		if got, err := os.ReadFile(temp); string(got) != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// What has the journal's name and is none stays; what is left of one does not.
func TestForeignJournal(t *testing.T) {
	for text, want := range map[string]error{"": nil, "spate-jour": nil, "spate-journal 1 damaged": nil, "my notes\n": journal.ErrCorrupt} {
		path := filepath.Join(t.TempDir(), "x")
		must(t, os.WriteFile(path+journal.Ext, []byte(text), 0o666))
		must(t, os.WriteFile(path+Ext, nil, 0o666))
		file, err := Create(path, nil)
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if err == nil {
			must(t, file.Discard())
			wantNames(t, path)
			continue
		}
		wantNames(t, path, "x"+Ext, "x"+journal.Ext)
		if got, err := os.ReadFile(path + journal.Ext); string(got) != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// The same where there is no FILE.part yet: none is left.
func TestForeignJournalAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	put(t, path+journal.Ext, "my notes\n")
	if _, err := Create(path, nil); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("got %v", err)
	}
	wantNames(t, path, "x"+journal.Ext)
}

// What has the name under which a journal is written first is in the way of those that need one: at once where that is known, else when
// it is begun. It always stays.
func TestForeignSuccessorAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	temp := journal.Names(path + journal.Ext)[1]
	put(t, temp, "my notes\n")
	if _, err := Create(path, &Options{Journal: &journal.Header{}}); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("in order: %v", err)
	}
	wantNames(t, path, filepath.Base(temp))

	file := mustCreate(t, path, nil)
	r := newRecorder(file)
	r.header = func() journal.Header { return journal.Header{Size: 10} }
	if err := r.begin(); !errors.Is(err, journal.ErrCorrupt) {
		t.Errorf("begun: %v", err)
	}
	must(t, file.Discard())
	wantNames(t, path, filepath.Base(temp))

	f := farm.New()
	defer f.Close()
	src := httpsource.New(nil)
	defer src.CloseIdleConnections()
	for size, want := range map[int]error{maxBlock: nil, maxBlock + 1: journal.ErrCorrupt} {
		f.Serve("/x", farm.Resource{Body: content(size)})
		o, err := OpenObject(t.Context(), src, []Mirror{{URL: f.URL("/x")}}, nil)
		must(t, err)
		if _, err := o.To(mustCreate(t, path, nil)); !errors.Is(err, want) {
			t.Errorf("%d bytes: %v, want %v", size, err, want)
		}
		must(t, os.RemoveAll(path))
		wantNames(t, path, filepath.Base(temp))
	}
	wantContent(t, temp, "my notes\n")
}
