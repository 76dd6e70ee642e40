package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"spate/fetch/journal"
)

// TestForeignJournal: what has the journal's name and is none stays; what is left of one does not.
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
