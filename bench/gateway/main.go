// Command gateway measures spate gateway against nginx with the same file, and against an origin, on loopback.
//
//	go run ./bench/gateway [-rounds 5] [-quick] [-o FILE]
//
// Every server is a process of its own, and so are wrk and curl. They take turns in each round, each round beginning with another one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"spate/bench/record"
)

type options struct {
	rounds             int
	spate, dir, record string
	only               string // of the measurements; "": all
	limit              time.Duration
	sizes
}

// sizes are how much is done in a turn.
type sizes struct {
	file  int64 // bytes
	turn  time.Duration
	slow  int // clients that read slowly
	rates []int64
}

const rangeSize = 1 << 20

func main() {
	o := parse(os.Args[1:])
	record.Run("gateway", o.limit, func(ctx context.Context) error { return o.run(ctx, os.Stdout) })
}

func parse(args []string) *options {
	o := options{sizes: sizes{file: 256 << 20, turn: 2 * time.Second, slow: 1000, rates: []int64{125e6, 500e6, 0}}}
	fs := flag.NewFlagSet("gateway", flag.ExitOnError)
	fs.IntVar(&o.rounds, "rounds", 5, "turns that each takes in each measurement")
	fs.StringVar(&o.spate, "spate", "", "the `program` to measure; empty: built from this module")
	fs.StringVar(&o.dir, "dir", "/dev/shm", "`folder` for the file, the cache and the programs")
	fs.StringVar(&o.only, "run", "", "one of the measurements: warm, first, cold or memory; empty: all")
	fs.StringVar(&o.record, "o", "", "`file` for what is printed, besides")
	fs.DurationVar(&o.limit, "limit", 10*time.Minute, "the longest that all may take")
	quick := fs.Bool("quick", false, "a sixteenth of the sizes, one round: does it work at all?")
	_ = fs.Parse(args)
	if *quick {
		o.rounds = 1
		o.sizes = sizes{file: 16 << 20, turn: 200 * time.Millisecond, slow: 60, rates: []int64{0}}
	}
	return &o
}

// A lab is where it is measured.
type lab struct {
	options
	origin string // the program
	nginx  string
}

func (o *options) run(ctx context.Context, out io.Writer) (err error) {
	l := &lab{options: *o}
	if err := l.find(); err != nil {
		return err
	}
	out, closing, err := record.To(o.record, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	if l.dir, err = os.MkdirTemp(o.dir, "spate-gateway-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(l.dir)) }()
	if err := l.prepare(ctx); err != nil {
		return err
	}
	r := &report{out: out}
	r.title(l)
	for _, m := range []struct {
		name string
		run  func(context.Context, *report) error
	}{{"warm", l.warm}, {"first", l.firstByte}, {"cold", l.cold}, {"memory", l.memory}} {
		if l.only != "" && l.only != m.name {
			continue
		}
		if err := m.run(ctx, r); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// find looks for the programs that are not ours.
func (l *lab) find() (err error) {
	for _, name := range []string{"wrk", "curl"} {
		if _, err := exec.LookPath(name); err != nil {
			return err
		}
	}
	if l.nginx, err = exec.LookPath("nginx"); err != nil {
		l.nginx, err = exec.LookPath("/usr/sbin/nginx")
	}
	return err
}

// prepare builds what is ours, and writes the file.
func (l *lab) prepare(ctx context.Context) error {
	programs := map[string]*string{"spate/bench/origin": &l.origin}
	if l.spate == "" {
		programs["spate/cmd/spate"] = &l.spate
	}
	for pkg, path := range programs {
		*path = filepath.Join(l.dir, filepath.Base(pkg)+"-program")
		if text, err := exec.CommandContext(ctx, "go", "build", "-o", *path, pkg).CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w: %s", err, text)
		}
	}
	file, err := os.Create(l.path("file"))
	if err != nil {
		return err
	}
	_, err = io.CopyN(file, rand.NewChaCha8([32]byte{}), l.file)
	return errors.Join(err, file.Close(), os.WriteFile(l.path("range.lua"), []byte(script(l.file)), 0o600))
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }
