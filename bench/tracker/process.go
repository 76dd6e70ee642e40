package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"spate/bench/procfs"
	"spate/event"
)

// A server is the tracker that is measured.
type server struct {
	cmd  *exec.Cmd
	addr string
	read chan struct{} // closed when it tells no more
}

// begin starts it, with a log of what is said in a folder.
func begin(ctx context.Context, program, dir string) (*server, error) {
	s := &server{read: make(chan struct{})}
	s.cmd = exec.CommandContext(ctx, program, "tracker", "--listen", "127.0.0.1:0", "--log", filepath.Join(dir, "log"), "--json")
	out, told, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = told
	if err := errors.Join(s.cmd.Start(), told.Close()); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	lines := bufio.NewScanner(out)
	for s.addr == "" && lines.Scan() {
		var e event.Event
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.Type == event.Listening {
			s.addr = e.Origin
		}
	}
	go func() {
		defer close(s.read)
		defer out.Close()
		for lines.Scan() { // that it complains is worth to be seen
			fmt.Fprintln(os.Stderr, lines.Text())
		}
	}()
	if s.addr == "" {
		s.kill()
		return nil, errors.New("the tracker does not begin to listen")
	}
	return s, nil
}

// resident is how many bytes of memory it has now.
func (s *server) resident() (int64, error) { return procfs.Memory(s.cmd.Process.Pid, "VmRSS") }

// stop ends it as a user does, and says how much processor time it has taken.
func (s *server) stop() (time.Duration, error) {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	<-s.read
	_ = s.cmd.Wait() // the signal is what it ends with
	return s.cmd.ProcessState.UserTime() + s.cmd.ProcessState.SystemTime(), nil
}

// kill ends it if it has not ended.
func (s *server) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		<-s.read
		_ = s.cmd.Wait()
	}
}

// drivers are the processes of the clients.
type drivers []driver

type driver struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	orders  *json.Encoder
	results *json.Decoder
}

// launch starts them: this program again, which drives a part of the clients each.
func (o *options) launch(ctx context.Context, addr string) (*drivers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all drivers
	for i := range o.processes {
		cmd := exec.CommandContext(ctx, self, "-fleet", addr, "-number", strconv.Itoa(i), "-processes", strconv.Itoa(o.processes),
			"-clients", strconv.Itoa(o.clients), "-registrations", strconv.Itoa(o.registrations), "-limit", o.limit.String())
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, errors.Join(err, all.end())
		}
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			return nil, errors.Join(err, all.end())
		}
		all = append(all, driver{cmd, in, json.NewEncoder(in), json.NewDecoder(out)})
	}
	return &all, nil
}

// do has all of them do a phase, at once.
func (d *drivers) do(phase string) (sum result, err error) {
	for _, one := range *d {
		if err := one.orders.Encode(phase); err != nil {
			return sum, err
		}
	}
	for _, one := range *d {
		var r result
		if err := one.results.Decode(&r); err != nil {
			return sum, fmt.Errorf("%s: a process of clients has ended: %w", phase, err)
		}
		sum.Count += r.Count
		sum.Micros = append(sum.Micros, r.Micros...)
	}
	return sum, nil
}

// end ends them: nothing more is ordered.
func (d *drivers) end() error {
	var errs []error
	for _, one := range *d {
		errs = append(errs, one.stdin.Close(), one.cmd.Wait())
	}
	return errors.Join(errs...)
}
