//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package fetch

import (
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFlags: no symbolic link is followed, and no FIFO that has taken the file's place blocks.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// CheckWritable is the error of a folder in which nothing can be created, as far as its permissions and its file system tell.
func CheckWritable(dir string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, dir, unix.W_OK|unix.X_OK, unix.AT_EACCESS); errors.Is(err, fs.ErrPermission) || errors.Is(err, unix.EROFS) {
		return failed("create", dir, err)
	}
	return nil
}
