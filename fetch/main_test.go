package fetch

import (
	"fmt"
	"io"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childEnv names the file that a child process of the tests is to write.
const childEnv = "SPATE_TEST_WRITE"

// What a child writes: so many times this.
const (
	childPiece  = "0123456789abcdef"
	childPieces = 8
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		os.Exit(child(path))
	}
	before := openFiles()
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if after := openFiles(); code == 0 && after > before {
			fmt.Fprintf(os.Stderr, "%d files open, %d when the tests began\n", after, before)
			code = 1
		}
		os.Exit(code)
	}))
}

// openFiles counts the descriptors of this process, where the system tells.
func openFiles() int {
	if r, w, err := os.Pipe(); err == nil { // the poller's own ones are opened by now
		r.Close()
		w.Close()
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(names)
}

// child writes a file and tells of each step before it takes it. With stdin it waits after the first piece until that
// ends.
func child(path string) int {
	fmt.Println("create")
	f, err := Create(path, nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for range childPieces {
		fmt.Println("write")
		if _, err := io.WriteString(f, childPiece); err != nil {
			fmt.Println(err)
			return 1
		}
		io.Copy(io.Discard, os.Stdin)
	}
	fmt.Println("commit")
	if err := f.Commit(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("done")
	return 0
}
