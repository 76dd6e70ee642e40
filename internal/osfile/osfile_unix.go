//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package osfile

import (
	"errors"
	"os"
	"syscall"
)

// ReplacesOpen: a file that is open can be renamed, replaced and removed.
const ReplacesOpen = true

// LockSurely takes the lock of a file or folder (flock), which ends when f is closed, or its process dies. Where another has it the
// error is inUse; on a file system without locks, and on a system without those that would suit, errors.ErrUnsupported.
func LockSurely(f *os.File, inUse error) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == syscall.EINTR:
		case err == syscall.EWOULDBLOCK:
			return inUse
		case err == syscall.ENOLCK, err == syscall.EBADF:
			return errors.ErrUnsupported // or without those of what is open for reading only
		default:
			return err
		}
	}
}

// SyncNames makes the names in the folder f durable, where folders can be synced.
func SyncNames(f *os.File) error {
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
