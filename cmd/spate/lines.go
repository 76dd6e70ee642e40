package main

import (
	"io"
	"sync"
	"time"

	"spate/event"
)

// linePeriod is how often progress is told where stderr is no terminal.
const linePeriod = 10 * time.Second

// startLines tells progress as a plain line each period, and at once what it does not wait for.
func startLines(w io.Writer, period time.Duration) *talk {
	l := &plain{w: w, period: period}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.write(l.line())
			case <-stop:
				return
			}
		}
	})
	return &talk{sink: l.sink, above: w, close: sync.OnceFunc(func() { close(stop); wg.Wait(); l.end() })}
}

// plain tells progress line by line.
type plain struct {
	progress
	period  time.Duration
	fetched int64 // when it was last told

	mu   sync.Mutex // guards what follows
	w    io.Writer
	over bool
}

func (l *plain) sink(e event.Event) {
	l.observe(e)
	if line := lasting(e); line != "" {
		l.write(line)
	}
	if e.Type == event.Waiting {
		l.write("spate: " + status{waiting: e.Error, until: e.Until}.pace() + "\n")
	}
}

// line is how far all is, at the mean rate of a period.
func (l *plain) line() string {
	running, all := l.view(time.Now())
	all.rate = float64(max(all.fetched-l.fetched, 0)) / l.period.Seconds()
	l.fetched = all.fetched
	if l.isBatch() {
		return "spate: " + all.String() + ", " + formatRate(all.rate) + "\n"
	}
	s := single(running)
	s.rate = all.rate
	return "spate: " + s.String() + "\n"
}

func (l *plain) write(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		io.WriteString(l.w, line)
	}
}

func (l *plain) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}
