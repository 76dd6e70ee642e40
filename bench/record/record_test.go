package record

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	for _, p := range []string{path, ""} {
		var b strings.Builder
		w, closing, err := To(p, &b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, "a row\n"); err != nil || b.String() != "a row\n" {
			t.Errorf("%q, %v", b.String(), err)
		}
		if err := closing(); err != nil {
			t.Error(err)
		}
	}
	if text, err := os.ReadFile(path); string(text) != "a row\n" {
		t.Errorf("%q, %v", text, err)
	}
	if _, _, err := To(filepath.Join(path, "none"), io.Discard); err == nil {
		t.Error("a file inside a file")
	}
}
