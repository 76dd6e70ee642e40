// Command tracker measures spate tracker under many clients at once, which are driven from processes of their own, on loopback.
//
//	go run ./bench/tracker [-clients 10000] [-registrations 1000000] [-processes 4] [-o FILE]
//
// All clients stay connected from the first phase to the last. A phase is over when all that was sent has been answered.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"spate/bench/record"
)

type options struct {
	plan
	processes          int
	spate, dir, record string
	limit              time.Duration
	fleet              string // address of a tracker: this process is one of the clients'
	number             int    // which
}

func main() {
	o := parse(os.Args[1:])
	record.Run("tracker", o.limit, func(ctx context.Context) error {
		if o.fleet != "" {
			return o.drive(ctx, os.Stdin, os.Stdout)
		}
		return o.run(ctx, os.Stdout)
	})
}

func parse(args []string) *options {
	var o options
	fs := flag.NewFlagSet("tracker", flag.ExitOnError)
	fs.IntVar(&o.clients, "clients", 10000, "clients that are connected at once")
	fs.IntVar(&o.registrations, "registrations", 1000000, "chunks that they register together")
	fs.IntVar(&o.processes, "processes", 4, "processes that the clients are in")
	fs.StringVar(&o.spate, "spate", "", "the `program` to measure; empty: built from this module")
	fs.StringVar(&o.dir, "dir", "/dev/shm", "`folder` for the program and its log")
	fs.StringVar(&o.record, "o", "", "`file` for what is printed, besides")
	fs.DurationVar(&o.limit, "limit", 3*time.Minute, "the longest that all may take")
	fs.StringVar(&o.fleet, "fleet", "", "drive the clients of one process against the tracker at `HOST:PORT`; used by the command itself")
	fs.IntVar(&o.number, "number", 0, "of that process")
	_ = fs.Parse(args)
	return &o
}

// drive is the clients of one process: it does each phase that it is told to, and says what came of it.
func (o *options) drive(ctx context.Context, in io.Reader, out io.Writer) error {
	f := &fleet{plan: o.plan, tracker: o.fleet, first: o.clients * o.number / o.processes, end: o.clients * (o.number + 1) / o.processes}
	defer f.close()
	orders, results := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var phase string
		if err := orders.Decode(&phase); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		do := f.phases()[phase]
		if do == nil {
			return fmt.Errorf("%q: no such phase", phase)
		}
		r, err := do(ctx)
		if errors.Is(err, syscall.EMFILE) {
			err = fmt.Errorf("%w: the hard limit of open files (ulimit -Hn) is too low for %d clients in %d processes", err, o.clients, o.processes)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", phase, err)
		}
		if err := results.Encode(r); err != nil {
			return err
		}
	}
}

func (o *options) run(ctx context.Context, out io.Writer) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	out, closing, err := record.To(o.record, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	dir, err := os.MkdirTemp(o.dir, "spate-tracker-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.spate == "" {
		o.spate = filepath.Join(dir, "spate")
		if text, err := exec.CommandContext(ctx, "go", "build", "-o", o.spate, "spate/cmd/spate").CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w: %s", err, text)
		}
	}
	s, err := begin(ctx, o.spate, dir)
	if err != nil {
		return err
	}
	defer s.kill()
	all, err := o.launch(ctx, s.addr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.end()) }()
	return o.measure(s, all, report{out})
}

// measure is the phases, in order.
func (o *options) measure(s *server, all *drivers, r report) error {
	r.title(o.plan, o.processes)
	empty, err := s.resident()
	if err != nil {
		return err
	}
	for _, p := range []struct{ name, what, unit string }{
		{"connect", "clients connect and stay", "connections"},
		{"register", "they register, a write for each chunk", "registrations"},
		{"bare", fmt.Sprintf("%d ask in turn, as the sheet writes it", asking), "questions"},
		{"ended", fmt.Sprintf("%d ask in turn, with a line end", asking), "questions"},
		{"flood", "all ask at once, with a line end", "questions"},
		{"phases", "as many strangers: a connection for each phase", "connections"},
	} {
		before := time.Now()
		res, err := all.do(p.name)
		if err != nil {
			return err
		}
		took := time.Since(before)
		now, err := s.resident()
		if err != nil {
			return err
		}
		r.phase(p.what, p.unit, res, took, now)
		if p.name == "connect" {
			r.line("of it for each client", "%.1f KiB", float64(now-empty)/float64(o.clients)/1024)
		}
	}
	before := time.Now()
	cpu, err := s.stop()
	if err != nil {
		return err
	}
	r.line("it stops, with all connected", "%.2f s", time.Since(before).Seconds())
	r.line("processor time of the tracker in all", "%.1f s", cpu.Seconds())
	return nil
}
