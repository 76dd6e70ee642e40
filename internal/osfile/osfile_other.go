//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package osfile

import "os"

// ReplacesOpen: a file that is open can be neither renamed, nor replaced, nor removed.
const ReplacesOpen = false

// Lock does nothing: the system has no locks that would suit.
func Lock(*os.File, error) error { return nil }

// SyncNames does nothing: folders cannot be synced.
func SyncNames(*os.File) error { return nil }
