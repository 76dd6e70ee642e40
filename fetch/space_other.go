//go:build !linux

package fetch

import (
	"io/fs"
	"os"
)

func allocated(fs.FileInfo) int64 { return 0 }

// fits is nil: whether there is space shows when it is written.
func fits(*os.File, string, int64) error { return nil }

// allocate makes f at least size bytes long. What f holds stays. Whether there is space shows when it is written.
func allocate(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil || info.Size() >= size {
		return err
	}
	return f.Truncate(size)
}
