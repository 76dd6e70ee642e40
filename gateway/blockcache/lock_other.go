//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package blockcache

import (
	"errors"
	"os"
)

// tryLock cannot: the system has no locks that would suit.
func tryLock(*os.File) error { return errors.ErrUnsupported }
