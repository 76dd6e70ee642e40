package fetch

import (
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames a file, and never replaces one: that is [fs.ErrExist]. Any other error may be that the file system
// cannot.
func renameNew(from, to string) error {
	for {
		err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
		if err != unix.EINTR {
			return os.NewSyscallError("renameat2", err)
		}
	}
}
