// Command swarm measures how long a swarm takes to get a file from one seed to all of its peers, against the least time that
// it could take, and against a swarm of other programs: each node in a network namespace of its own, with a limited uplink.
//
//	go run ./bench/swarm [-peers 8] [-chunks 64] [-size 33554432] [-rate 20000000] [-mixed] [-late] [-rounds 3] [-only spate,aria2]
//	go run ./bench/swarm -all [-o FILE]
//
// It needs Linux, root, ip and tc (iproute2); aria2c and opentracker take part where they are installed. Nothing of its network is
// seen outside of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"spate/bench/record"
)

// A swarm is a program that can be measured.
type swarm interface {
	name() string
	run(ctx context.Context, n *network, f *field) (*outcome, error)
}

type options struct {
	peers, chunks, size, rounds int
	rate                        int64
	mixed, late, all            bool
	only, spate, dir, record    string
	limit                       time.Duration
}

func main() {
	record.Run("swarm", 0, func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout) })
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o := parse(args)
	out, closing, err := record.To(o.record, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closing()) }()
	dir, err := os.MkdirTemp(o.dir, "spate-swarm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o777); err != nil { // opentracker becomes nobody
		return err
	}
	if err := sweep(ctx); err != nil {
		return err
	}
	rivals, err := o.swarms(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, machine())
	for _, s := range o.scenes() {
		if err := o.compare(ctx, s, rivals, filepath.Join(dir, "run"), out); err != nil {
			return err
		}
	}
	return nil
}

// compare prints a table of one scene.
func (o *options) compare(ctx context.Context, s *scene, rivals []swarm, dir string, out io.Writer) error {
	fmt.Fprintf(out, "\n%s, seed at %.3g Mbit/s; least time %.2f s\n%s\n", s, float64(o.rate)/1e6, s.bound().Seconds(), header)
	for range o.rounds {
		for _, r := range rivals {
			f, err := newField(s, dir)
			if err != nil {
				return err
			}
			res, err := o.take(ctx, r, f)
			if err := errors.Join(err, os.RemoveAll(dir)); err != nil {
				return fmt.Errorf("%s: %w", r.name(), err)
			}
			fmt.Fprintln(out, res.line(r.name(), f))
		}
	}
	return nil
}

func parse(args []string) *options {
	var o options
	fs := flag.NewFlagSet("swarm", flag.ExitOnError)
	fs.IntVar(&o.peers, "peers", 8, "peers beside the seed")
	fs.IntVar(&o.chunks, "chunks", 64, "chunks of the file")
	fs.IntVar(&o.size, "size", 32<<20, "`bytes` of the file")
	fs.IntVar(&o.rounds, "rounds", 3, "rounds, in each of which everybody has a turn")
	fs.Int64Var(&o.rate, "rate", 20e6, "`bits` a second of each uplink")
	fs.BoolVar(&o.mixed, "mixed", false, "peers have half of the rate, all of it, or twice as much")
	fs.BoolVar(&o.late, "late", false, "every second peer joins when half of the file could have been sent")
	fs.BoolVar(&o.all, "all", false, "8 and 32 peers, 64 and 256 chunks, equal and mixed uplinks, late peers, in place of one of these")
	fs.StringVar(&o.only, "only", "", "who takes part, of spate,aria2; empty: all that are installed")
	fs.StringVar(&o.spate, "spate", "", "the `program` to measure; empty: built from this module")
	fs.StringVar(&o.dir, "dir", "/dev/shm", "`folder` for the files")
	fs.StringVar(&o.record, "o", "", "`file` for what is printed, besides")
	fs.DurationVar(&o.limit, "limit", 5*time.Minute, "the longest that a turn may take")
	_ = fs.Parse(args)
	return &o
}

// scenes are those to be measured.
func (o *options) scenes() []*scene {
	if !o.all {
		return []*scene{newScene(o.peers, o.chunks, o.size, o.rate, o.mixed, o.late)}
	}
	var all []*scene
	for _, peers := range []int{8, 32} {
		for _, chunks := range []int{64, 256} {
			all = append(all, newScene(peers, chunks, o.size, o.rate, false, false))
		}
	}
	for _, n := range [][2]int{{8, 64}, {32, 256}} {
		all = append(all, newScene(n[0], n[1], o.size, o.rate, true, false), newScene(n[0], n[1], o.size, o.rate, false, true))
	}
	return all
}

// swarms are those that take part.
func (o *options) swarms(ctx context.Context, dir string) ([]swarm, error) {
	var all []swarm
	wanted := func(name string) bool { return o.only == "" || strings.Contains(","+o.only+",", ","+name+",") }
	if wanted("spate") {
		if o.spate == "" {
			o.spate = filepath.Join(dir, "spate")
			if err := command(ctx, "go", "build", "-o", o.spate, "spate/cmd/spate"); err != nil {
				return nil, err
			}
		}
		all = append(all, spate{program: o.spate})
	}
	if wanted("aria2") {
		program, err := exec.LookPath("aria2c")
		tracker, terr := exec.LookPath("opentracker")
		switch {
		case err == nil && terr == nil:
			all = append(all, aria2{program, tracker})
		case o.only != "":
			return nil, fmt.Errorf("aria2c or opentracker: not installed")
		}
	}
	return all, nil
}

// take is one turn, in a network of its own.
func (o *options) take(ctx context.Context, s swarm, f *field) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	n, err := newNetwork(ctx, f.uplinks)
	if err != nil {
		return nil, err
	}
	defer n.close()
	before, err := busy()
	if err != nil {
		return nil, err
	}
	res, err := s.run(ctx, n, f)
	if err != nil {
		return nil, err
	}
	after, err := busy()
	if err != nil {
		return nil, err
	}
	res.others = max(after-before-res.cpu, 0)
	for i := range n.nodes {
		sent, err := n.sent(ctx, i)
		if err != nil {
			return nil, err
		}
		res.sent = append(res.sent, sent)
	}
	return res, nil
}
