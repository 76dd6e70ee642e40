package actionlog_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/internal/leak"
	"spate/swarm/actionlog"
)

// writerEnv makes the test program one of the writers of TestManyProcesses: NAME of the log.
const writerEnv = "SPATE_ACTIONLOG_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		if err := write(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	leak.Main(m)
}

const (
	writers, batches, batch = 4, 50, 20
)

// write appends batches from several goroutines of one process.
func write(path string) error {
	l, err := actionlog.Open(path)
	if err != nil {
		return err
	}
	defer l.Close()
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range batches {
				errs[w] = errors.Join(errs[w], l.Append(lines(fmt.Sprintf("%d-%d", os.Getpid(), w), i)...))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func lines(who string, i int) (list []string) {
	for j := range batch {
		list = append(list, fmt.Sprintf("%s,%d,%s", who, i*batch+j, strings.Repeat("x", j*50)))
	}
	return list
}

// Lines of many processes, with many goroutines each, are whole; those of one batch are together, those of one writer in
// order.
func TestManyProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), actionlog.Name)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), writerEnv+"="+path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	next := map[string]int{}
	for ; len(all) >= batch; all = all[batch:] {
		who, _, _ := strings.Cut(all[0], ",")
		if diff := cmp.Diff(lines(who, next[who]), all[:batch]); diff != "" {
			t.Fatal(diff)
		}
		next[who]++
	}
	for who, n := range next {
		if n != batches {
			t.Errorf("%s: %d batches", who, n)
		}
	}
	if len(next) != writers*writers || len(all) != 0 {
		t.Errorf("%d writers, and %q", len(next), all)
	}
}

// What was there stays.
func TestAppends(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for i := range 2 {
		l, err := actionlog.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(l.Append("a"+strconv.Itoa(i), "b"), l.Append(), l.Append("c"), l.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); string(got) != "a0\nb\nc\na1\nb\nc\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNone(t *testing.T) {
	var l *actionlog.Log
	if err := errors.Join(l.Append("a"), l.Close()); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	if _, err := actionlog.Open(filepath.Join(t.TempDir(), "none", "log")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	l, err := actionlog.Open(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := l.Append("a"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
