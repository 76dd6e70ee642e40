package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch/journal"
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
	for _, name := range journal.Names("x" + journal.Ext) {
		path := filepath.Join(t.TempDir(), "x")
		foreign := filepath.Join(filepath.Dir(path), name)
		must(t, os.WriteFile(foreign, []byte("my notes\n"), 0o666))
		if _, err := Create(path, nil); !errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		wantNames(t, path, name)
	}
}
