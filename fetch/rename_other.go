//go:build !linux

package fetch

import "errors"

// renameNew is for systems that can rename a file such that none is replaced.
func renameNew(_, _ string) error { return errors.ErrUnsupported }
