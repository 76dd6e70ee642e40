//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package peer

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock of a folder, which ends when f is closed, or its process dies. ErrInUse if another holds it.
func lock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return nil
		case err == syscall.EINTR:
		case err == syscall.EWOULDBLOCK:
			return ErrInUse
		case errors.Is(err, errors.ErrUnsupported), err == syscall.ENOLCK, err == syscall.EBADF:
			return nil // a file system without locks, or without those of what is open for reading only
		default:
			return err
		}
	}
}

// syncFolder makes the names in a folder durable, where folders can be synced.
func syncFolder(f *os.File) error {
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
