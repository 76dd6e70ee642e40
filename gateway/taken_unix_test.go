//go:build unix

package gateway_test

import (
	"io/fs"
	"syscall"
	"testing"
)

// taken is how many bytes the files below dir take on disk.
func taken(t *testing.T, dir string) (n int64) {
	onDisk(t, dir, func(_ string, info fs.FileInfo) { n += info.Sys().(*syscall.Stat_t).Blocks * 512 })
	return n
}
