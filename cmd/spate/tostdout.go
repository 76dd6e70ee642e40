package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"spate"
)

// stdoutName as a file stands for stdout.
const stdoutName = "-"

// stdoutNames mean the same where the system has them. What is behind them may be a regular file, of which neither the name nor the
// place in it is known.
var stdoutNames = []string{"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}

// isStdout reports whether a file of that name is stdout.
func isStdout(name string) bool { return name == stdoutName || slices.Contains(stdoutNames, name) }

// isDevice reports whether path is there and can only be written into: a device, a pipe.
func isDevice(path string) bool {
	const irregular = fs.ModeDevice | fs.ModeNamedPipe | fs.ModeSocket
	info, err := os.Stat(path)
	return err == nil && info.Mode()&irregular != 0
}

// toStdout writes the stream to stdout, in order; what else would go there, the digest and what -w says, to stderr.
func (c *getCmd) toStdout(ctx context.Context, p *process, r request) error {
	beside := *p
	beside.stdout = p.stderr
	return c.handOn(ctx, &beside, r, func(context.Context) (io.Writer, error) { return p.stdout, nil })
}

// toDevice writes the stream, in order, into the device that the output is.
func (c *getCmd) toDevice(ctx context.Context, p *process, r request) error {
	var f *os.File
	err := c.handOn(ctx, p, r, func(within context.Context) (_ io.Writer, err error) {
		f, err = openDevice(within, r.path)
		return f, err
	})
	if f == nil {
		return err
	}
	if err == nil {
		err = syncDevice(f)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// openDevice opens path to write into it. A pipe that nobody reads is waited for, until ctx ends.
func openDevice(ctx context.Context, path string) (*os.File, error) {
	type opened struct {
		f   *os.File
		err error
	}
	done := make(chan opened, 1)
	go func() { // nothing ends the call before somebody reads; it is left behind as [escapable] leaves a write
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		done <- opened{f, err}
	}()
	select {
	case o := <-done:
		return o.f, o.err
	case <-ctx.Done():
		return nil, &fs.PathError{Op: "open", Path: path, Err: context.Cause(ctx)}
	}
}

// syncDevice makes durable what was written to f, where that has a meaning.
func syncDevice(f *os.File) error {
	err := f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// handOn writes the stream to what open opens, in order.
func (c *getCmd) handOn(ctx context.Context, p *process, r request, open func(context.Context) (io.Writer, error)) error {
	if err := c.fitsStream(r); err != nil {
		return err
	}
	begun := time.Now()
	limited, cancel := c.limits.limits().Context(ctx)
	defer cancel()
	out, err := open(limited)
	if err != nil {
		return err
	}
	screen := isTerminal(out)
	g, err := c.begin(p, screen)
	if err != nil {
		return err
	}
	defer g.close()
	if screen {
		out = &textOnly{w: out}
	}
	ctx = g.after.job(ctx, 0, r)
	within, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(limited, func() { end(context.Cause(limited)) })()
	opts := c.options(r)
	opts.NoDigest = opts.NoDigest || g.isSilent()
	res, err := g.client.GetTo(within, escapable(within, out), r.url, opts)
	if err == nil {
		err = g.handedOn(r, res, begun)
	}
	return g.after.end(ctx, 0, handedOnHint(err))
}

// handedOn tells of what was written in order.
func (g *getting) handedOn(r request, res *spate.Result, begun time.Time) (err error) {
	told := res.SHA256 != nil && g.c.after.format.text == ""
	if r.path == stdoutName {
		if told && g.c.talk.chatty() {
			fmt.Fprint(g.talk.above, sumLine(res.SHA256, stdoutName))
		}
		return nil
	}
	if told && !g.c.talk.quiet {
		_, err = fmt.Fprint(g.talk.stdout(g.p), sumLine(res.SHA256, r.path))
	}
	g.talk.close()
	if g.c.talk.chatty() {
		res.Files, res.Paths = 1, []string{r.path}
		summarise(g.p.stderr, res, time.Since(begun))
	}
	return err
}

// fitsStream tells what was asked for that is only done with files.
func (c *getCmd) fitsStream(r request) error {
	what := "is none"
	if r.path == stdoutName {
		what = "is stdout"
	}
	switch {
	case c.dryRun:
		return usage(fmt.Sprintf("--dry-run tells of a file, and %s %s", shown(r.path), what), "")
	case c.mode(r.arg) == spate.SeqOn:
		return usage(shown(r.path)+" is no name for several files", "spate cat URL writes a sequence to stdout as it is")
	case c.after.program != "":
		return usage(fmt.Sprintf("--on-complete is for files, and %s %s", shown(r.path), what), "")
	}
	return nil
}
