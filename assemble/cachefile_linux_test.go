package assemble_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spate/assemble"
)

// TestCacheFile: what does not fit into memory goes to a file without a name, where it cannot be read, and which is
// gone with the stream.
func TestCacheFile(t *testing.T) {
	dir, data := t.TempDir(), text("secret", 1<<20)
	t.Setenv("TMPDIR", dir)
	m := library(map[string]*thing{memA: {data: data}, plan: {data: lines("(*)", memA, "--", "(*)", memA)}})
	r := open(t, m, plan, &assemble.Options{CacheMemory: 200_000})
	r.want(data)
	wantSealed(t, dir, data)
	r.want(data)
	r.wantEnd()
	m.wantAsked(t, map[string]int{memA: 1})
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if fds := openFiles(t, dir); len(fds) > 0 {
		t.Errorf("still open: %q", fds)
	}
}

// wantSealed finds one file below dir, without a name, that holds much of data, but none of it to be read.
func wantSealed(t *testing.T, dir string, data []byte) {
	t.Helper()
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("files with names: %v, %v", names, err)
	}
	fds := openFiles(t, dir)
	if len(fds) != 1 {
		t.Fatalf("open files %q, want one", fds)
	}
	file, err := os.Open(fds[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	kept, err := io.ReadAll(file)
	if err != nil || len(kept) < len(data)-300_000 || len(kept) > len(data)*11/10 {
		t.Errorf("%d bytes on disk, %v", len(kept), err)
	}
	for off := 0; off < len(data)-16; off += 4099 {
		if bytes.Contains(kept, data[off:off+16]) {
			t.Fatalf("what is at %d can be read on disk", off)
		}
	}
}

// TestNoCacheFile: what fits into memory goes to no file.
func TestNoCacheFile(t *testing.T) {
	dir, data := t.TempDir(), text("data", 1<<20)
	t.Setenv("TMPDIR", dir)
	m := library(map[string]*thing{memA: {data: data}, plan: {data: lines("(*)", memA, "--", "(*)", memA)}})
	r := open(t, m, plan, nil)
	r.want(slices.Concat(data, data))
	if fds := openFiles(t, dir); len(fds) > 0 {
		t.Errorf("open files %q", fds)
	}
}

// TestNowhereToPutIt: no temporary folder, so no cache on disk; the stream is none the worse.
func TestNowhereToPutIt(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nothing"))
	data := text("data", 1<<20)
	for _, noRange := range []bool{false, true} {
		m := library(map[string]*thing{memA: {data: data, noRange: noRange}, plan: {data: lines("(*)", memA, "--", "(*)", memA)}})
		read(t, m, plan, &assemble.Options{CacheMemory: 200_000}).want(t, slices.Concat(data, data))
	}
}
