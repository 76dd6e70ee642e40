package fetch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Fits reports whether there is space for a file of size bytes at path, as far as can be told now; an error that there is
// none is syscall.ENOSPC. A FILE.part that is there counts as space: [Create] drops it, and [Resume] goes on in it. The
// folder of path need not exist. Fits creates nothing.
func Fits(path string, size int64) error {
	dir, err := openNearest(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	part, err := os.Lstat(path + Ext)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		size -= allocated(part)
	}
	return fits(dir, path, size)
}

// openNearest opens the folder at path, or the nearest one above it that exists.
func openNearest(path string) (*os.File, error) {
	for {
		dir, err := os.Open(path)
		if up := filepath.Dir(path); errors.Is(err, fs.ErrNotExist) && up != path {
			path = up
			continue
		}
		return dir, err
	}
}
