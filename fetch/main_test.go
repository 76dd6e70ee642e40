package fetch

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"

	"spate/internal/leak"
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
	if spec := os.Getenv(toxicEnv); spec != "" {
		os.Exit(toxicProxy(spec))
	}
	// What runs in parallel waits, for rates and time-outs, more than it computes.
	if err := flag.Set("test.parallel", strconv.Itoa(max(6, runtime.GOMAXPROCS(0)))); err != nil {
		panic(err)
	}
	leak.Main(m)
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
