package fetch

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What cannot be there is refused at the start, and costs nothing.
func TestAllocateTooMuch(t *testing.T) {
	for where, dir := range folders(t) {
		for _, size := range []int64{1 << 60, math.MaxInt64} {
			f, err := os.Create(filepath.Join(dir, "FILE.part"))
			must(t, err)
			_, err = f.WriteString("text")
			must(t, err)
			err = allocate(f, size)
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s, %d bytes: %v", where, size, err)
			}
			wantPathError(t, err)
			info, err := f.Stat()
			must(t, err)
			if info.Size() != 4 {
				t.Errorf("%s: %d bytes long afterwards", where, info.Size())
			}
			must(t, f.Close())
		}
	}
}

// Space is reserved where that writes nothing, and only there: in memory each reserved page would be one of zeros.
func TestReserves(t *testing.T) {
	const size = 1 << 20
	for where, dir := range folders(t) {
		f, err := os.Create(filepath.Join(dir, "FILE.part"))
		must(t, err)
		must(t, allocate(f, size))
		var st syscall.Stat_t
		must(t, syscall.Fstat(int(f.Fd()), &st))
		var on syscall.Statfs_t
		must(t, syscall.Fstatfs(int(f.Fd()), &on))
		if reserved := st.Blocks*512 >= size; reserved != preallocates[uint32(on.Type)] {
			t.Errorf("%s (%#x): %d blocks", where, on.Type, st.Blocks)
		}
		must(t, f.Close())
	}
}

func TestSpaceLeft(t *testing.T) {
	root := os.Geteuid() == 0
	tests := []struct {
		name        string
		fs          syscall.Statfs_t
		user, asAll int64 // bytes; as root
		known       bool
	}{
		{"plain", syscall.Statfs_t{Blocks: 100, Bfree: 20, Bavail: 10, Bsize: 4096, Frsize: 4096}, 40960, 81920, true},
		{"full", syscall.Statfs_t{Blocks: 100, Bsize: 4096, Frsize: 4096}, 0, 0, true},
		{"fragments smaller than blocks", syscall.Statfs_t{Blocks: 100, Bfree: 20, Bavail: 10, Bsize: 65536, Frsize: 512}, 5120, 10240, true},
		{"no fragments", syscall.Statfs_t{Blocks: 100, Bfree: 20, Bavail: 10, Bsize: 512}, 5120, 10240, true},
		{"without a size", syscall.Statfs_t{Bsize: 4096, Frsize: 4096}, 0, 0, false},
		{"more than can be", syscall.Statfs_t{Blocks: 1 << 63, Bfree: 1 << 63, Bavail: 1 << 63, Bsize: 4096}, 0, 0, false},
	}
	for _, tt := range tests {
		want := tt.user
		if root {
			want = tt.asAll
		}
		if got, known := spaceLeft(&tt.fs); got != want || known != tt.known {
			t.Errorf("%s: %d, %v, want %d", tt.name, got, known, want)
		}
	}
}
