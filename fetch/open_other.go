//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package fetch

import "os"

// openFlags: nothing is known here that would keep from following a symbolic link; checkPart has looked.
const openFlags = 0

// openFile is [os.OpenFile].
func openFile(path string, flag int, perm uint32) (*os.File, error) {
	return os.OpenFile(path, flag, os.FileMode(perm))
}

// CheckWritable cannot tell.
func CheckWritable(string) error { return nil }
