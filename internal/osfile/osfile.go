// Package osfile is what a file system is asked for beyond bytes and names: locks, and names that are durable.
package osfile

import (
	"errors"
	"os"
)

// Lock is [LockSurely], but does nothing where there are no locks. Whoever takes it for a sign of death that nobody has a lock, needs the
// other.
func Lock(f *os.File, inUse error) error {
	if err := LockSurely(f, inUse); !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
