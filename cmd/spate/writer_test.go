package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// TestCommitFails makes the name of the last file one that cannot be had, at the last moment: what was there before any of
// them is as it was.
func TestCommitFails(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "replaced", "old")
	if err := os.Symlink("replaced", "link"); err != nil {
		t.Skip(err)
	}
	w := &writer{overwrite: true}
	for _, name := range []string{"replaced", "fresh", "link", "last"} {
		if err := w.write(name, func(out io.Writer) error { _, err := io.WriteString(out, "new"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("last", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := w.commit(); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("commit: %v", err)
	}
	if err := w.discard(); err != nil {
		t.Errorf("discard: %v", err)
	}
	if got, err := os.ReadFile("replaced"); string(got) != "old" {
		t.Errorf("what was there is %q now, %v", got, err)
	}
	if to, err := os.Readlink("link"); to != "replaced" {
		t.Errorf("the link leads to %q now, %v", to, err)
	}
	wantNames(t, "last", "link", "replaced")
}

func TestCommit(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "replaced", "old")
	w := &writer{overwrite: true}
	for _, name := range []string{"replaced", "fresh"} {
		if err := w.write(name, func(out io.Writer) error { _, err := io.WriteString(out, "new"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.commit(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("replaced"); string(got) != "new" {
		t.Errorf("%q, %v", got, err)
	}
	wantNames(t, "fresh", "replaced")
}

func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func wantNames(t *testing.T, want ...string) {
	t.Helper()
	got, err := filepath.Glob("*")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q; %v", got, want, err)
	}
}

// A second name that a killed run has left does not take the protection away.
func TestSetAsideBesideALeftover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	for _, name := range []string{path, fmt.Sprintf("%s.before-%d", path, os.Getpid())} {
		if err := os.WriteFile(name, []byte("old"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	was := (&writer{overwrite: true}).setAside(path)
	if err := os.WriteFile(path+".new", []byte("new"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if err := was.restore(); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
		t.Errorf("%q, %v", got, err)
	}
}
