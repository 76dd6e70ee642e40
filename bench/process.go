package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// A client is one run of a program that fetches.
type client struct {
	args []string
	code int // that it ends with when all went well
}

// A cost is what a run took.
type cost struct {
	wall time.Duration
	cpu  time.Duration // user and system
	peak int64         // resident bytes, at most; 0: not known
}

func (c client) command(ctx context.Context) (*exec.Cmd, *bytes.Buffer) {
	var talk bytes.Buffer
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Stderr = &talk
	return cmd, &talk
}

// run runs c to its end, with stdout to /dev/null.
func (c client) run(ctx context.Context) (cost, error) {
	cmd, talk := c.command(ctx)
	begin := time.Now()
	err := cmd.Run()
	return c.result(cmd, begin, err, talk)
}

// output runs c to its end and returns what it printed.
func (c client) output(ctx context.Context) (string, error) {
	cmd, talk := c.command(ctx)
	out, err := cmd.Output()
	_, err = c.result(cmd, time.Now(), err, talk)
	return string(out), err
}

// read runs c to its end and calls each with what it writes, as it arrives.
func (c client) read(ctx context.Context, each func(p *running, b []byte)) (cost, error) {
	p, err := c.start(ctx)
	if err != nil {
		return cost{}, err
	}
	buf := make([]byte, 64<<10) // that is what a pipe holds
	for {
		n, err := p.out.Read(buf)
		each(p, buf[:n])
		if err != nil {
			break
		}
	}
	return p.wait()
}

// A running client writes into a pipe.
type running struct {
	client client
	cmd    *exec.Cmd
	talk   *bytes.Buffer
	out    io.ReadCloser
	begin  time.Time
}

func (c client) start(ctx context.Context) (*running, error) {
	p := &running{client: c}
	p.cmd, p.talk = c.command(ctx)
	var err error
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	p.begin = time.Now()
	return p, p.cmd.Start()
}

// wait is for when the pipe was read to its end.
func (p *running) wait() (cost, error) {
	err := p.cmd.Wait()
	return p.client.result(p.cmd, p.begin, err, p.talk)
}

// kill ends a client that was only of interest up to here.
func (p *running) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// resident is how many bytes of memory the client has now.
func (p *running) resident() (int64, error) { return status(p.cmd.Process.Pid, "VmRSS") }

// result tells what a run took, and whether it ended as it should.
func (c client) result(cmd *exec.Cmd, begin time.Time, err error, talk *bytes.Buffer) (cost, error) {
	wall := time.Since(begin)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == c.code {
		err = nil
	}
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(c.args, " "), err, talk)
	}
	s := cmd.ProcessState
	return cost{wall: wall, cpu: s.UserTime() + s.SystemTime(), peak: peak(s)}, nil
}

// cat is spate cat, and where it is to end early with a limit.
func (l *lab) cat(url string, limit ...string) client {
	c := client{args: slices.Concat([]string{l.spate, "cat", "-q"}, limit, []string{url})}
	if len(limit) > 0 {
		c.code = 15
	}
	return c
}
