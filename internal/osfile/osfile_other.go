//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package osfile

import (
	"errors"
	"io/fs"
	"os"
)

// ReplacesOpen: a file that is open can be neither renamed, nor replaced, nor removed.
const ReplacesOpen = false

// Open is [os.OpenFile].
func Open(path string, flag int, perm uint32) (*os.File, error) {
	return os.OpenFile(path, flag, os.FileMode(perm))
}

// IsNothing reports whether there is surely nothing at path, which it does not follow.
func IsNothing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// IsAt reports whether f is what is at path, which is not followed.
func IsAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return err == nil && os.SameFile(mine, there), nil
}

// LockSurely cannot: the system has no locks that would suit.
func LockSurely(*os.File, error) error { return errors.ErrUnsupported }

// SyncFolder does nothing but look whether there is a folder: they cannot be synced.
func SyncFolder(path string) error {
	_, err := os.Stat(path)
	return err
}

// SyncNames does nothing: folders cannot be synced.
func SyncNames(*os.File) error { return nil }
