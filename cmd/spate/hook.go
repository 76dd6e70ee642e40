package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A hook is a program that runs when a file is whole. The zero hook is none.
type hook struct {
	program string // as it was given
	out     io.Writer
}

// hookPatience is how long a program may take to end once it is told to, or keep its output open once it has ended.
const hookPatience = 5 * time.Second

// check finds out whether there is such a program.
func (h *hook) check() error {
	if h.program == "" {
		return nil
	}
	_, err := exec.LookPath(h.program)
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[*exec.Error](err); ok {
		err = bad.Err
	}
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return &hintedError{&fs.PathError{Op: "run", Path: h.program, Err: err}, hookHint}
}

const hookHint = "--on-complete is the name of a program, or its path: ./NAME in the current folder; arguments can be in a script"

// run runs the program for o, without arguments and without a shell. It is told to end when ctx does.
func (h *hook) run(ctx context.Context, o *outcome) error {
	if h.program == "" {
		return nil
	}
	path, err := filepath.Abs(o.path)
	if err != nil {
		return err
	}
	out := &wholeLines{w: h.out}
	defer out.flush()
	cmd := exec.CommandContext(ctx, h.program)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), "SPATE_FILE="+path, "SPATE_URL="+o.url, "SPATE_SIZE="+strconv.FormatInt(o.size, 10),
		"SPATE_SHA256="+o.sha256, "SPATE_EXIT="+strconv.Itoa(o.exit))
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = hookPatience
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return &hookError{h.program, o.path, err}
	}
	return nil
}

// A hookError says that the program has failed. It does not unwrap: what the cause is called, a file that is not there
// for example, is the program's matter.
type hookError struct {
	program, path string
	err           error
}

func (e *hookError) Error() string {
	return fmt.Sprintf("on-complete %s for %s: %v", shown(e.program), shown(e.path), e.err)
}

// wholeLines hands on lines, whole ones but for very long ones and for what flush finds.
type wholeLines struct {
	w   io.Writer
	buf []byte
}

const maxHeldLine = 64 << 10

func (l *wholeLines) Write(p []byte) (int, error) {
	l.buf = append(l.buf, p...)
	end := bytes.LastIndexByte(l.buf, '\n') + 1
	if end > 0 {
		l.w.Write(l.buf[:end]) // nobody to tell that stderr is gone
		l.buf = append(l.buf[:0], l.buf[end:]...)
	}
	if len(l.buf) > maxHeldLine {
		l.flush()
	}
	return len(p), nil
}

// flush ends the last line.
func (l *wholeLines) flush() {
	if len(l.buf) > 0 {
		l.w.Write(append(l.buf, '\n'))
		l.buf = l.buf[:0]
	}
}
