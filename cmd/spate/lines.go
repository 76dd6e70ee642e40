package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// linePeriod is how often progress is told where stderr is no terminal.
const linePeriod = 10 * time.Second

// startLines tells progress as a plain line each period.
func startLines(w io.Writer, period time.Duration) *talk {
	p := newProgress()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		var last int64
		for {
			select {
			case <-tick.C:
				s := p.status()
				rate := float64(max(s.bytes-last, 0)) / period.Seconds()
				last = s.bytes
				fmt.Fprintf(w, "spate: %s, %s/s\n", s, formatBytes(int64(rate)))
			case <-stop:
				return
			}
		}
	})
	return &talk{sink: p.observe, close: sync.OnceFunc(func() { close(stop); wg.Wait() })}
}
