//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package blockcache

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the lock of f, which ends when f is closed, or its process dies. The error is ErrInUse if another holds it,
// and errors.ErrUnsupported if the file system has no locks.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == syscall.EINTR:
		case err == syscall.EWOULDBLOCK:
			return ErrInUse
		case err == syscall.ENOLCK:
			return errors.ErrUnsupported
		default:
			return err
		}
	}
}
