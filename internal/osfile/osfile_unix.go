//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package osfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// ReplacesOpen: a file that is open can be renamed, replaced and removed.
const ReplacesOpen = true

// Open is [os.OpenFile] for files and folders alone, which no poller can wait for: os would try that first, with five system calls.
func Open(path string, flag int, perm uint32) (*os.File, error) {
	fd, err := openFD(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

func openFD(path string, flag int, perm uint32) (fd int, err error) {
	for {
		fd, err = syscall.Open(path, flag|syscall.O_CLOEXEC, perm)
		if err == nil {
			return fd, nil
		}
		if err != syscall.EINTR {
			return -1, failed("open", path, err)
		}
	}
}

func failed(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }

// IsNothing reports whether there is surely nothing at path, which it does not follow. To look so costs half of what an error does.
func IsNothing(path string) bool {
	var st syscall.Stat_t
	return syscall.Lstat(path, &st) == syscall.ENOENT
}

// IsAt reports whether f is what is at path, which is not followed.
func IsAt(f *os.File, path string) (bool, error) {
	var mine, there syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &mine); err != nil {
		return false, failed("stat", f.Name(), err)
	}
	err := syscall.Lstat(path, &there)
	if err != nil && err != syscall.ENOENT {
		return false, failed("lstat", path, err)
	}
	return err == nil && mine.Dev == there.Dev && mine.Ino == there.Ino, nil
}

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

// SyncFolder makes the names in the folder at path durable, where folders can be synced.
func SyncFolder(path string) error {
	fd, err := openFD(path, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	for {
		switch err := syscall.Fsync(fd); {
		case err == syscall.EINTR:
		case err == nil || cannotSync(err):
			return nil
		default:
			return failed("sync", path, err)
		}
	}
}

// SyncNames is SyncFolder of one that is open.
func SyncNames(f *os.File) error {
	if err := f.Sync(); err != nil && !cannotSync(err) {
		return err
	}
	return nil
}

func cannotSync(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported)
}
