package sched_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"spate/sched"
)

// Whatever a driver, or an origin through it, reports: no panic, and no Step without end.
func TestHostileEvents(t *testing.T) {
	seeds(t, 300, func(t *testing.T, r *rand.Rand) {
		number := func() int64 {
			if r.IntN(8) > 0 {
				return r.Int64N(4 * mib)
			}
			return pick(r, -1, 0, 1, 1000, mib, r.Int64N(100*mib), 100*mib, math.MaxInt64, math.MinInt64)
		}
		s := sched.New(sched.Config{Size: 100 * mib, Connections: pick(r, 0, 4, 1<<40), Order: sched.Order(r.IntN(3)),
			Sources: make([]sched.Source, 1+r.IntN(3)), Window: number(), PieceSize: number(), MinRange: number(), RetryMax: time.Hour,
			Done: []sched.Range{{Off: number(), End: number()}}, Rand: r.Float64})
		s.Step(sched.Event{})
		ids, steps := 1, 0
		defer func() { t.Logf("%d events, %d connections", steps, ids) }()
		for i := range 1000 {
			for _, a := range s.Step(sched.Event{Type: sched.EventType(r.IntN(10)), At: time.Duration(i) * time.Duration(r.Int64N(1e9)), Conn: max(0, ids-r.IntN(6)),
				Off: number(), End: number(), Size: pick[int64](r, -1, 100*mib, 100*mib, 100*mib, 100*mib), Seekable: r.IntN(4) > 0, EOF: r.IntN(99) == 0,
				OK: r.IntN(2) == 0, Source: r.IntN(5) - 1, Setup: time.Duration(number()), Class: pick(r, sched.Network, sched.Network, sched.Network, sched.Busy, sched.Timeout, sched.Class(r.IntN(12))),
				RetryAfter: time.Duration(number())}) {
				ids = max(ids, a.Conn)
				if a.Type == sched.Finished || a.Type == sched.GiveUp {
					return
				}
			}
			steps++
		}
	})
}
