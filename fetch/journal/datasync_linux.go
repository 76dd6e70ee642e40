package journal

import (
	"os"
	"syscall"
)

// dataSync makes the bytes of f durable, and of what the system knows about f what it takes to read them again.
func dataSync(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var cause error
	err = conn.Control(func(fd uintptr) {
		for cause = syscall.EINTR; cause == syscall.EINTR; {
			cause = syscall.Fdatasync(int(fd))
		}
	})
	if err != nil {
		return err
	}
	if cause != nil {
		return failed("fdatasync", f.Name(), cause)
	}
	return nil
}
