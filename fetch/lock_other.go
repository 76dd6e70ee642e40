//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package fetch

import "os"

// openFlags: nothing is known here that would keep from following a symbolic link; checkPart has looked.
const openFlags = 0

// removesOpen: an open file can be neither renamed nor removed.
const removesOpen = false

// openFile is [os.OpenFile].
func openFile(path string, flag int, perm uint32) (*os.File, error) {
	return os.OpenFile(path, flag, os.FileMode(perm))
}

// CheckWritable cannot tell.
func CheckWritable(string) error { return nil }

// openFolder opens a folder to have it synced.
func openFolder(path string) (*os.File, error) { return os.Open(path) }

// lock does nothing: the system has no locks that would suit.
func lock(*os.File) error { return nil }
