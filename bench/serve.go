package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
)

// An origin is the process that serves.
type origin struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addrs []string
}

// serve starts n listeners over the folder of content. Close the origin in the end.
func (l *lab) serve(ctx context.Context, n int, rate int64) (*origin, error) {
	o := &origin{cmd: exec.CommandContext(ctx, l.origin, "-dir", l.dir, "-n", strconv.Itoa(n), "-rate", strconv.FormatInt(rate, 10))}
	o.cmd.Stderr = os.Stderr
	stdin, err := o.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.stdin = stdin
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); len(o.addrs) < n && lines.Scan(); {
		o.addrs = append(o.addrs, lines.Text())
	}
	if len(o.addrs) < n {
		o.close()
		return nil, errors.New("the origin did not start")
	}
	return o, nil
}

// url is that of a file on the i-th listener.
func (o *origin) url(i int, path string) string { return "http://" + o.addrs[i] + "/" + path }

func (o *origin) close() {
	_ = o.stdin.Close()
	_ = o.cmd.Wait()
}
