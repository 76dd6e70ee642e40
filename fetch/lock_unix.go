//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package fetch

import (
	"errors"
	"os"
	"syscall"
)

// openFlags: no symbolic link is followed, and no FIFO that has taken the file's place blocks.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// removesOpen: an open file can be renamed and removed, so the lock is held until that is done.
const removesOpen = true

// lock takes the lock of f, which ends when f is closed, or its process dies. ErrInUse if another holds it.
func lock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return nil
		case err == syscall.EINTR:
		case err == syscall.EWOULDBLOCK:
			return ErrInUse
		case errors.Is(err, errors.ErrUnsupported), err == syscall.ENOLCK:
			return nil // a file system without locks
		default:
			return err
		}
	}
}
