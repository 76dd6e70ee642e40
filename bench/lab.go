package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// options are the command line.
type options struct {
	names, file, dir, spate string
	rounds                  int
	calm                    time.Duration
	quick                   bool
}

// A lab is what all measurements share: the programs, a folder for content, and what was measured so far.
type lab struct {
	options
	origin, curl, wrk string // programs; wrk "" where it is not installed
	record            record
}

// newLab builds the programs and makes the folder. close it in the end.
func newLab(ctx context.Context, o *options) (*lab, error) {
	l := &lab{options: *o}
	var err error
	if l.curl, err = exec.LookPath("curl"); err != nil {
		return nil, err
	}
	l.wrk, _ = exec.LookPath("wrk")
	if l.dir, err = os.MkdirTemp(contentDir(o.dir), "spate-bench-"); err != nil {
		return nil, err
	}
	if err := l.build(ctx); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

// contentDir is where content is kept: in memory if that is possible, so that no disk is measured.
func contentDir(dir string) string {
	const memory = "/dev/shm"
	if info, err := os.Stat(memory); dir == "" && err == nil && info.IsDir() {
		return memory
	}
	return dir
}

func (l *lab) build(ctx context.Context) error {
	l.origin = filepath.Join(l.dir, ".origin")
	if err := build(ctx, l.origin, "spate/bench/origin"); err != nil || l.spate != "" {
		return err
	}
	l.spate = filepath.Join(l.dir, ".spate")
	return build(ctx, l.spate, "spate/cmd/spate")
}

func build(ctx context.Context, out, pkg string) error {
	if msg, err := exec.CommandContext(ctx, "go", "build", "-o", out, pkg).CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", pkg, err, msg)
	}
	return nil
}

func (l *lab) close() error { return os.RemoveAll(l.dir) }

// sized is n, or with -quick a sixteenth of it.
func (l *lab) sized(n int) int {
	if l.quick {
		return max(n/16, 1)
	}
	return n
}

// about is the machine and the programs. What benchstat is to compare results by is left plain; the rest are comments.
func (l *lab) about() string {
	return fmt.Sprintf("goos: %s\ngoarch: %s\ncpu: %s\n# cores %d, kernel %s, load %s\n# %s, curl %s, wrk %s\n",
		runtime.GOOS, runtime.GOARCH, cpuModel(), runtime.NumCPU(), firstLine("/proc/sys/kernel/osrelease"),
		firstLine("/proc/loadavg"), runtime.Version(), version(l.curl, "--version"), version(l.wrk, "-v"))
}

// version is the second word of what a program says of itself.
func version(program, flag string) string {
	if program == "" {
		return "not installed"
	}
	out, _ := exec.Command(program, flag).CombinedOutput() // wrk -v fails
	words := strings.Fields(string(out))
	if len(words) < 2 {
		return "unknown"
	}
	return words[1]
}
