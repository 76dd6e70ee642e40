//go:build !linux

package blockcache

import (
	"errors"
	"io/fs"
	"os"
)

func punch(*os.File, int64, int64) error { return errors.ErrUnsupported }

// canPunch: no way is known here.
func canPunch(string) bool { return false }

// allocated is not known: nothing needs it but sparse files.
func allocated(fs.FileInfo) int64 { return 0 }

func pageSize(string) int64 { return minPage }

func freeSpace(string) (int64, bool) { return 0, false }
