// Package actionlog writes the log that the assignment wants of what its programs say to each other (its section 5):
// one file, which a tracker and many clients append to at once.
package actionlog

import (
	"os"
	"sync/atomic"
)

// Name is what the assignment calls the log, in the current folder.
const Name = "logs.log"

// A Log appends lines to a file that others append to as well. A nil *Log drops them.
type Log struct {
	file   *os.File
	isTorn atomic.Bool // the end of the file may be half a line of ours
}

// Open opens the log at path; it is made if it is not there. What it holds stays.
func Open(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	return &Log{file: f}, nil
}

// Append appends the lines, which have no line ends, in one write: they stand in the file one behind the other, whole,
// with no line of others between, whichever goroutines and processes append to it. (That is so where the system keeps to
// POSIX in O_APPEND, on local file systems, that is; NFS does not.) Behind what could be written in part only, the next
// lines begin anew.
func (l *Log) Append(lines ...string) error {
	if l == nil || len(lines) == 0 {
		return nil
	}
	wasTorn := l.isTorn.Swap(false)
	n, err := l.file.Write(text(lines, wasTorn))
	if err != nil && (n > 0 || wasTorn) {
		l.isTorn.Store(true)
	}
	return err
}

func text(lines []string, isTorn bool) []byte {
	size := 1
	for _, s := range lines {
		size += len(s) + 1
	}
	b := make([]byte, 0, size)
	if isTorn {
		b = append(b, '\n')
	}
	for _, s := range lines {
		b = append(append(b, s...), '\n')
	}
	return b
}

// Close closes the log.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
