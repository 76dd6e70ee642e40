//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package tracker

import "syscall"

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
