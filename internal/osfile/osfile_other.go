//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package osfile

import (
	"errors"
	"os"
)

// ReplacesOpen: a file that is open can be neither renamed, nor replaced, nor removed.
const ReplacesOpen = false

// LockSurely cannot: the system has no locks that would suit.
func LockSurely(*os.File, error) error { return errors.ErrUnsupported }

// SyncNames does nothing: folders cannot be synced.
func SyncNames(*os.File) error { return nil }
