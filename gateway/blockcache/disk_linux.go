package blockcache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// punch gives the room of n bytes at off back, and reads as zeros there from now on.
func punch(f *os.File, off, n int64) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var cause error
	err = conn.Control(func(fd uintptr) {
		for cause = unix.EINTR; cause == unix.EINTR; {
			cause = unix.Fallocate(int(fd), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
		}
	})
	return errors.Join(err, cause)
}

// canPunch tries it.
func canPunch(dir string) bool {
	path := filepath.Join(dir, "probe")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return false
	}
	_, err = f.Write(make([]byte, 3*maxPage))
	if err == nil {
		err = punch(f, maxPage, maxPage)
	}
	return errors.Join(err, f.Close(), os.Remove(path)) == nil
}

// allocated is how many bytes a file takes on disk.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return 512 * st.Blocks
	}
	return 0
}

// pageSize is what the file system gives and takes back at least.
func pageSize(dir string) int64 {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return minPage
	}
	return min(max(minPage, st.Frsize), maxPage)
}

// freeSpace is how many bytes can be written to the file system of dir.
func freeSpace(dir string) (int64, bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil || st.Blocks == 0 || st.Frsize <= 0 || st.Bavail > uint64(1<<62/st.Frsize) {
		return 0, false
	}
	return int64(st.Bavail) * st.Frsize, true
}
