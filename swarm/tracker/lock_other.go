//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package tracker

import "os"

// lock does nothing: the system has no locks that would suit.
func lock(*os.File) error { return nil }

// syncFolder does nothing: the system syncs no folders.
func syncFolder(string) error { return nil }

// raise finds no limit of open files.
func raise(n uint64) (uint64, error) { return n, nil }
