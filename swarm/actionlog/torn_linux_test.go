package actionlog_test

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"spate/swarm/actionlog"
)

// A line that could be written in part only does not run into the next one.
func TestTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := actionlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	limitFileSize(t, 10, func() {
		if err := l.Append("123456", "7890"); !errors.Is(err, syscall.EFBIG) {
			t.Errorf("beyond the limit: %v", err)
		}
		if err := l.Append("a"); !errors.Is(err, syscall.EFBIG) {
			t.Errorf("again: %v", err)
		}
	})
	if err := errors.Join(l.Append("b"), l.Append("c")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); string(got) != "123456\n789\nb\nc\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// limitFileSize runs f with files that have n bytes at most.
func limitFileSize(t *testing.T, n uint64, f func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old)
	f()
}
