//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package peer

import "os"

// lock does nothing: the system has no locks that would suit.
func lock(*os.File) error { return nil }

// syncFolder does nothing: folders cannot be synced.
func syncFolder(*os.File) error { return nil }
