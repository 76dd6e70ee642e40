//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package tracker

import (
	"strings"
	"syscall"
	"testing"
)

// Where the system does not allow as many open files, the tracker says so, and keeps to what it has.
func TestDescriptors(t *testing.T) {
	var notice string
	s := newServer(&Options{Connections: 1 << 40, Notice: func(s string) { notice = s }})
	s.allow()
	var lim syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim))
	if s.opts.Connections != int(lim.Cur)-otherFiles || !strings.Contains(notice, "open files are allowed") {
		t.Errorf("%d connections, %d descriptors, %q", s.opts.Connections, lim.Cur, notice)
	}
	s, notice = newServer(&Options{Connections: 10, Notice: func(s string) { notice = s }}), ""
	s.allow()
	if notice != "" || s.opts.Connections != 10 {
		t.Errorf("%d connections, %q", s.opts.Connections, notice)
	}
}
