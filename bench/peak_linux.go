package main

import (
	"os"
	"syscall"
)

// peak is the most memory that a process had resident. Linux counts what its parent had when it started it as well,
// which is why this program stays small.
func peak(s *os.ProcessState) int64 {
	if usage, ok := s.SysUsage().(*syscall.Rusage); ok {
		return usage.Maxrss << 10
	}
	return 0
}
