//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package tracker

// raise finds no limit of open files.
func raise(n uint64) (uint64, error) { return n, nil }
