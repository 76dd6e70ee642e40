// Package osfile is what a file system is asked for beyond bytes and names: locks, and names that are durable.
package osfile

import (
	"errors"
	"os"
)

// SyncFolder makes the names in the folder at path durable, where folders can be synced.
func SyncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(SyncNames(f), f.Close())
}
