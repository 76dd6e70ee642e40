package fetch

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

func TestFits(t *testing.T) {
	for where, dir := range folders(t) {
		for _, path := range []string{"FILE", "new/FILE", "new/folder/FILE"} {
			path = filepath.Join(dir, path)
			for _, size := range []int64{-1, 0, 1} {
				if err := Fits(path, size); err != nil {
					t.Errorf("%s, %d bytes: %v", where, size, err)
				}
			}
			err := Fits(path, math.MaxInt64)
			if told := runtime.GOOS == "linux"; errors.Is(err, syscall.ENOSPC) != told {
				t.Errorf("%s, more than there can be: %v", where, err)
			} else if told {
				wantPathError(t, err)
			}
		}
		if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
			t.Errorf("%s: %v is there, %v", where, names, err)
		}
	}
}

// What was left behind makes room.
func TestFitsInPlaceOfAPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "FILE")
	put(t, path+Ext, "half of it")
	must(t, Fits(path, 1))
	wantContent(t, path+Ext, "half of it")
}
