//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package tracker

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock of f, which ends when f is closed, or its process dies.
func lock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == syscall.EINTR:
		case err == syscall.EWOULDBLOCK:
			return ErrStateInUse
		case err == nil, errors.Is(err, errors.ErrUnsupported), err == syscall.ENOLCK: // a file system without locks
			return nil
		default:
			return err
		}
	}
}

// syncFolder makes the names in a folder durable, where folders can be synced.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

// raise sees to it that n files can be open at once. It returns how many can, and why that is fewer.
func raise(n uint64) (uint64, error) {
	var has syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &has); err != nil || uint64(has.Cur) >= n {
		return n, nil // or there is no such limit
	}
	want := has
	setLimits(n, &want.Cur, &want.Max)
	err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &want)
	if err == nil {
		return n, nil
	}
	soft := has.Cur
	has.Cur = has.Max
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &has) != nil {
		has.Cur = soft
	}
	return uint64(has.Cur), err
}

// setLimits sets cur to n, and most to no less. Their type differs between systems.
func setLimits[T int64 | uint64](n uint64, cur, most *T) { *cur, *most = T(n), max(T(n), *most) }
