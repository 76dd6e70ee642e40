package fetch

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// preallocates are the file systems, by the magic number of statfs(2), on which fallocate reserves space and writes
// nothing. Elsewhere it may write zeros, which costs as much as the download (on tmpfs: more), and ftruncate has to do.
var preallocates = map[uint32]bool{
	0xef53:     true, // ext4; also ext2 and ext3, which refuse it
	0x58465342: true, // XFS
	0x9123683e: true, // Btrfs
}

// allocate makes f at least size bytes long, and makes sure as far as one can that there is space for them: none is
// syscall.ENOSPC, and f is as it was. What f holds stays. Nothing is promised where several write to the same disk.
func allocate(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	err = control(f, func(fd int) error {
		magic, err := checkSpace(fd, size)
		if err == nil && preallocates[magic] {
			err = preallocate(fd, size)
		}
		return err
	})
	if err == nil && info.Size() < size {
		err = f.Truncate(size)
	}
	if err != nil && info.Size() < size {
		f.Truncate(info.Size()) // gives back what fallocate got before the space was gone
	}
	return err
}

// control calls do with the descriptor of f until it is not interrupted.
func control(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var cause error
	err = conn.Control(func(fd uintptr) {
		for cause = syscall.EINTR; cause == syscall.EINTR; {
			cause = do(int(fd))
		}
	})
	if err == nil && cause != nil {
		err = failed("allocate", f.Name(), cause)
	}
	return err
}

// preallocate is nil, too, where the file system has no such thing.
func preallocate(fd int, size int64) error {
	if size <= 0 {
		return nil
	}
	err := syscall.Fallocate(fd, 0, 0, size)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// checkSpace is ENOSPC if the file system has too little left for the file to become size bytes long. It returns its
// magic number.
func checkSpace(fd int, size int64) (magic uint32, err error) {
	var on syscall.Statfs_t
	var st syscall.Stat_t
	if err := syscall.Fstatfs(fd, &on); err != nil {
		return 0, err
	}
	if err := syscall.Fstat(fd, &st); err != nil {
		return 0, err
	}
	if left, known := spaceLeft(&on); known && size-512*st.Blocks > left {
		return 0, syscall.ENOSPC
	}
	return uint32(on.Type), nil
}

// allocated is how many bytes a file takes on its disk.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return 512 * st.Blocks
	}
	return 0
}

// fits is ENOSPC for path if size bytes are too many for the file system of dir.
func fits(dir *os.File, path string, size int64) error {
	var st syscall.Statfs_t
	if err := control(dir, func(fd int) error { return syscall.Fstatfs(fd, &st) }); err != nil {
		return err
	}
	if left, known := spaceLeft(&st); known && size > left {
		return failed("create", path, syscall.ENOSPC)
	}
	return nil
}

// spaceLeft is how many bytes can be written; not known where a file system tells no size: tmpfs without a limit, some
// of the network and of FUSE.
func spaceLeft(fs *syscall.Statfs_t) (bytes int64, known bool) {
	if fs.Blocks == 0 {
		return 0, false
	}
	blocks, size := fs.Bavail, int64(fs.Frsize)
	if os.Geteuid() == 0 {
		blocks = fs.Bfree // with what is reserved for root
	}
	if size == 0 {
		size = int64(fs.Bsize)
	}
	if size <= 0 || blocks > uint64(1<<62/size) {
		return 0, false
	}
	return int64(blocks) * size, true
}
