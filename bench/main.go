// Command bench measures spate against public tools, side by side on this machine: whole processes, over sockets of
// loopback, from an origin that is a process of its own. What it reports are ratios taken in one run, of rounds in
// which every client had its turn. README.md says how to repeat it; docs/performance.md says what came of it.
//
//	go run ./bench [-run large,small] [-rounds 9] [-quick] [-o FILE]
//
// It prints a table for each measurement. With -o the single rounds go to FILE in the format of Go's benchmarks, for
// benchstat, with the tables behind them.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// A measurement is one comparison. run makes its content and origins, takes the rounds and reports.
type measurement struct {
	name string
	run  func(ctx context.Context, l *lab) (*report, error)
}

func measurements() []measurement {
	return []measurement{
		{"large", measureLarge},
		{"small", measureSmall},
		{"origins", measureOrigins},
		{"firstbyte", measureFirstByte},
		{"endless", measureEndless},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program. What it prints goes to out.
func run(ctx context.Context, args []string, out io.Writer) error {
	o := parse(args)
	chosen, err := choose(o.names)
	if err != nil {
		return err
	}
	l, err := newLab(ctx, o)
	if err != nil {
		return err
	}
	defer l.close()
	about := l.about()
	fmt.Fprint(out, about)
	var tables strings.Builder
	if err := l.takeAll(ctx, chosen, io.MultiWriter(out, &tables)); err != nil || o.file == "" {
		return err
	}
	return os.WriteFile(o.file, []byte(about+l.record.String()+tables.String()), 0o666)
}

// parse reads the command line, and ends the program where it cannot be read.
func parse(args []string) *options {
	var o options
	fs := flag.NewFlagSet("bench", flag.ExitOnError)
	fs.StringVar(&o.names, "run", "", "measurements to take, separated by commas; empty: all")
	fs.StringVar(&o.file, "o", "", "`FILE` for the single rounds, in the format of Go's benchmarks")
	fs.IntVar(&o.rounds, "rounds", 9, "rounds of each measurement")
	fs.DurationVar(&o.calm, "calm", 0, "wait so `long` before each turn for nothing else to run, and repeat it if something did")
	fs.BoolVar(&o.quick, "quick", false, "a sixteenth of the sizes: to see that it works, not to measure")
	fs.StringVar(&o.dir, "dir", "", "`folder` for some 2 GiB of content; empty: /dev/shm, or that for temporary files")
	fs.StringVar(&o.spate, "spate", "", "the `program` to measure; empty: built from this module")
	_ = fs.Parse(args)
	o.rounds = max(o.rounds, 1)
	return &o
}

// choose finds measurements by their names.
func choose(names string) ([]measurement, error) {
	all := measurements()
	if names == "" {
		return all, nil
	}
	var chosen []measurement
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(m measurement) bool { return m.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no measurement %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// takeAll takes measurements and prints a table for each to out.
func (l *lab) takeAll(ctx context.Context, ms []measurement, out io.Writer) error {
	for _, m := range ms {
		r, err := m.run(ctx, l)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		l.record.add(m.name, r)
		r.print(out, m.name)
	}
	return nil
}
