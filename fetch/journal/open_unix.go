//go:build unix

package journal

import "syscall"

// openFlags: no symbolic link is followed, and no FIFO that has taken the file's place blocks.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
