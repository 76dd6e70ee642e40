//go:build unix

package filesource

import (
	"io/fs"
	"syscall"
)

// inode is the number of the file behind info.
func inode(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino)
	}
	return 0
}
