package fetch

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// folders are one on the disk, and one in memory where there is such.
func folders(t *testing.T) map[string]string {
	t.Helper()
	dirs := map[string]string{"of the tests": t.TempDir()}
	if dir, err := os.MkdirTemp("/dev/shm", "spate"); err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		dirs["in memory"] = dir
	}
	return dirs
}

func TestAllocate(t *testing.T) {
	const text = "0123456789"
	for where, dir := range folders(t) {
		for _, size := range []int64{-1, 0, 1, 9, 10, 11, 1 << 20} {
			f, err := os.Create(filepath.Join(dir, "FILE.part"))
			must(t, err)
			_, err = f.WriteString(text)
			must(t, err)
			must(t, allocate(f, size))
			must(t, allocate(f, size)) // as when it is resumed
			got, err := os.ReadFile(f.Name())
			must(t, err)
			want := append([]byte(text), make([]byte, max(0, size-int64(len(text))))...)
			if !bytes.Equal(got, want) {
				t.Errorf("%s, %d bytes: %d, begins with %q", where, size, len(got), got[:len(text)])
			}
			must(t, f.Close())
			if err := allocate(f, size); err == nil {
				t.Errorf("%s: a closed file", where)
			} else {
				wantPathError(t, err)
			}
		}
	}
}
