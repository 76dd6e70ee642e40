package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// What measureOrigins stands on.
const (
	machines    = 8
	machineRate = 20_000_000 // bytes per second
	budgetMiB   = 64         // spate's default
)

// measureOrigins spreads parts over origins that are slow each, and looks whether they are used at once, within the
// memory that spate allows itself. curl shows what the origins give: one process for each, all at once.
func measureOrigins(ctx context.Context, l *lab) (*report, error) {
	const n = 64
	size := int64(l.sized(8 << 20))
	c := l.content()
	defer c.remove("slow", "slow.parts")
	names, err := c.parts("slow", n, size, io.Discard)
	if err != nil {
		return nil, err
	}
	o, err := l.serve(ctx, machines, machineRate)
	if err != nil {
		return nil, err
	}
	defer o.close()
	curls, err := l.onePerMachine(o, names)
	if err != nil {
		return nil, err
	}
	spate := l.cat(o.url(0, "slow.parts"))
	if err := c.verify(ctx, spate); err != nil {
		return nil, err
	}
	r := &report{title: fmt.Sprintf("%d parts of %d MiB over %d origins of %d MB/s each", n, size>>20, machines, machineRate/1_000_000)}
	err = l.compete(ctx, r, []entrant{
		{fmt.Sprintf("%d-curls", machines), together(curls, n*size)},
		{"spate", onceStarted(spate)},
	})
	rate := r.values("spate", "MB/s")
	r.atLeast("spate / the origins' sum", "", ratios(rate, constant(len(rate), machines*machineRate/1e6)), 0.9)
	r.hold("spate", "peak-MiB", budgetMiB+32)
	return r, err
}

func constant(n int, v float64) []float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = v
	}
	return values
}

// onePerMachine writes a manifest that deals names out to the listeners in turns, and a client for each listener.
func (l *lab) onePerMachine(o *origin, names []string) ([]client, error) {
	urls, dealt := make([]string, len(names)), make([][]string, machines)
	for i, name := range names {
		urls[i] = o.url(i%machines, name)
		dealt[i%machines] = append(dealt[i%machines], name)
	}
	var clients []client
	for i, names := range dealt {
		path := filepath.Join(l.dir, fmt.Sprintf("slow/curl%d", i))
		if err := os.WriteFile(path, curlConfig(o, i, names), 0o666); err != nil {
			return nil, err
		}
		clients = append(clients, client{args: []string{l.curl, "-s", "-K", path}})
	}
	return clients, l.content().manifest("slow.parts", urls)
}

// together is the turn of several clients at once that fetch so many bytes in sum.
func together(clients []client, bytes int64) func(context.Context, func(string, float64)) error {
	return func(ctx context.Context, add func(string, float64)) error {
		errs := make([]error, len(clients))
		begin := time.Now()
		var wg sync.WaitGroup
		for i, c := range clients {
			wg.Go(func() { _, errs[i] = c.run(ctx) })
		}
		wg.Wait()
		add("MB/s", float64(bytes)/1e6/time.Since(begin).Seconds())
		return errors.Join(errs...)
	}
}

// onceStarted is the turn of a client of which the rate counts from its first byte to its last.
func onceStarted(c client) func(context.Context, func(string, float64)) error {
	return func(ctx context.Context, add func(string, float64)) error {
		var first, last time.Time
		var bytes int64
		took, err := c.read(ctx, func(_ *running, b []byte) {
			if last = time.Now(); bytes == 0 {
				first = last
			}
			bytes += int64(len(b))
		})
		add("MB/s", float64(bytes)/1e6/last.Sub(first).Seconds())
		add("cpu-s", took.cpu.Seconds())
		add("peak-MiB", float64(took.peak)/(1<<20))
		return err
	}
}
