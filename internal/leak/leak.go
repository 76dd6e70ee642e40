// Package leak fails tests that leave goroutines or file descriptors behind. It is for tests.
package leak

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// Main is the TestMain of a package: it runs the tests, looks for what they left behind, and exits.
func Main(m *testing.M) { os.Exit(Run(m)) }

// Runner is what testing.M is.
type Runner interface{ Run() int }

// Run runs the tests and returns the code to exit with.
func Run(m Runner) int {
	before := Descriptors()
	code := m.Run()
	if code != 0 {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// A connection's descriptor is closed a moment after its goroutine has ended.
	for end := time.Now().Add(2 * time.Second); Descriptors() > before; {
		if time.Now().After(end) {
			fmt.Fprintf(os.Stderr, "leak: %d descriptors are open, %d when the tests began\n", Descriptors(), before)
			return 1
		}
	}
	return 0
}

// Descriptors counts the open ones, where the system tells; 0 elsewhere.
func Descriptors() int {
	// The first use of the network opens descriptors that stay: those of the poller.
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}
