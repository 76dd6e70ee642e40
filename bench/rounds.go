package main

import (
	"context"
	"errors"
	"time"
)

// An entrant takes part in the rounds of a measurement. take is one turn; it adds what it found.
type entrant struct {
	name string
	take func(ctx context.Context, add func(unit string, value float64)) error
}

// compete gives every entrant a turn in every round, each round beginning with another one.
func (l *lab) compete(ctx context.Context, r *report, entrants []entrant) error {
	for round := range l.rounds {
		for i := range entrants {
			if err := l.turn(ctx, r, entrants[(round+i)%len(entrants)]); err != nil {
				return err
			}
		}
	}
	return nil
}

// turn takes one turn of e; where calm is asked for, again until nothing else was running before and after it.
func (l *lab) turn(ctx context.Context, r *report, e entrant) error {
	found := &report{}
	for end := time.Now().Add(l.calm); ; {
		if err := l.awaitCalm(ctx, end); err != nil {
			return err
		}
		found.rows = nil
		if err := e.take(ctx, func(unit string, value float64) { found.sample(e.name, unit, value) }); err != nil {
			return err
		}
		if l.calm == 0 || isCalm(ctx, 100*time.Millisecond) {
			break
		}
	}
	for _, w := range found.rows {
		r.sample(w.client, w.unit, w.values[0])
	}
	return nil
}

var errNoCalm = errors.New("something else keeps running on this machine; -calm=0 measures all the same")

// awaitCalm waits for a moment in which nothing else runs.
func (l *lab) awaitCalm(ctx context.Context, end time.Time) error {
	for l.calm > 0 && !isCalm(ctx, 300*time.Millisecond) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(end) {
			return errNoCalm
		}
	}
	return nil
}

// isCalm watches for a while whether the processors have nothing to do. Where that cannot be known, they have not.
func isCalm(ctx context.Context, watch time.Duration) bool {
	idle, all := processorTime()
	select {
	case <-time.After(watch):
	case <-ctx.Done():
		return false
	}
	idle2, all2 := processorTime()
	return float64(idle2-idle) >= 0.9*float64(all2-all)
}

// transfer is the turn of a client that fetches so many bytes in so many requests, to nowhere.
func transfer(c client, bytes int64, requests int) func(context.Context, func(string, float64)) error {
	return func(ctx context.Context, add func(string, float64)) error {
		took, err := c.run(ctx)
		if err != nil {
			return err
		}
		add("MB/s", float64(bytes)/1e6/took.wall.Seconds())
		if requests > 1 {
			add("req/s", float64(requests)/took.wall.Seconds())
		}
		add("cpu-s", took.cpu.Seconds())
		add("peak-MiB", float64(took.peak)/(1<<20))
		return nil
	}
}
