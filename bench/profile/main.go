// Command profile does what "spate cat" does, to nowhere, and writes profiles for go tool pprof: to see where a
// measurement of package bench spends its time.
//
//	go run ./bench/profile [-cpu FILE] [-mem FILE] URL
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"

	"spate"
)

func main() {
	cpu := flag.String("cpu", "", "`FILE` for where the time went")
	mem := flag.String("mem", "", "`FILE` for what was allocated")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := profile(*cpu, *mem, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

// profile reads url to its end. Names of files that are empty mean none.
func profile(cpu, mem, url string) error {
	if cpu != "" {
		f, err := os.Create(cpu)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if mem != "" {
		runtime.MemProfileRate = 4 << 10 // before anything is allocated that matters
	}
	if err := read(context.Background(), url); err != nil || mem == "" {
		return err
	}
	f, err := os.Create(mem)
	if err != nil {
		return err
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

func read(ctx context.Context, url string) error {
	var c spate.Client
	defer c.CloseIdleConnections()
	stream, err := c.Open(ctx, url)
	if err != nil {
		return err
	}
	defer stream.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	_, err = io.Copy(null, stream)
	return err
}
