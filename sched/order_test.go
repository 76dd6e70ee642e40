package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// A window bounds how far ahead of the frontier work begins: 32 MiB here, or 4 s of all connections' rate.
func TestWindow(t *testing.T) {
	for _, tt := range []struct {
		name   string
		window int64
		order  sched.Order
		rate   float64 // of one of 4 connections
		begins int64   // at most so far ahead
		ends   int64
	}{
		{"slow", 32 * mib, sched.Auto, mb, 40 * mib, 48 * mib},
		{"fast: 4 s of the rate", 32 * mib, sched.Auto, 10 * mb, 170 * mib, 220 * mib},
		{"sequential: never beyond", 32 * mib, sched.Sequential, 10 * mb, 32 * mib, 32 * mib},
		{"sequential, small", 4 * mib, sched.Sequential, 10 * mb, 4 * mib, 4 * mib},
		{"sequential, a window below the smallest range", mib / 2, sched.Sequential, mb, mib / 2, mib / 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := &site{connRate: tt.rate, delay: 20 * time.Millisecond}
			w := newWorld(t, 600*mib, sched.Config{Connections: 4, Window: tt.window, Order: tt.order}, st)
			w.frontier = true
			d := w.finished(20 * time.Minute)
			if w.ahead > tt.begins || w.beyond > tt.ends {
				t.Errorf("begun %d MiB ahead, ended %d MiB ahead, want at most %d and %d", w.ahead>>20, w.beyond>>20, tt.begins>>20, tt.ends>>20)
			}
			if ideal := 600 * mib / (4 * tt.rate); tt.window > mib && d.Seconds() > 1.15*ideal+1 {
				t.Errorf("%v, ideal are %.1f s", d, ideal)
			}
		})
	}
}

// Where nothing is hashed or handed on, nothing is fetched beyond the window, and nobody is waited for in vain.
func TestWindowHolds(t *testing.T) {
	w := newWorld(t, 100*mib, sched.Config{Connections: 4, Window: 8 * mib, Order: sched.Sequential, RetryMax: time.Minute}, &site{connRate: 10 * mb})
	w.run(10 * time.Minute)
	if w.result != nil || w.written.len() > 8*mib || w.written.prefix() < 7*mib {
		t.Errorf("%v after 10 minutes, %d bytes", w.result, w.written.len())
	}
}

func TestHeadTail(t *testing.T) {
	for _, tt := range []struct {
		order sched.Order
		early bool
	}{{sched.HeadTail, true}, {sched.Auto, false}} {
		w := newWorld(t, 100*mib, sched.Config{Connections: 4, Order: tt.order}, &site{connRate: mb})
		w.until = 5 * mib
		w.run(time.Minute)
		if got := w.written.overlaps(99*mib, 100*mib); got != tt.early {
			t.Errorf("order %v: the last MiB is there early: %v", tt.order, got)
		}
	}
}

// A connection goes on where it was, if nobody else does: also where each answer is capped.
func TestCapped(t *testing.T) {
	st := &site{connRate: 10 * mb, cap: 5 * mb}
	w := newWorld(t, 100*mb, sched.Config{Connections: 4}, st)
	if d := w.finished(time.Minute); d > 3*time.Second || st.requests > 30 || w.broken > 4 {
		t.Errorf("%v, %d requests, %d broken connections", d, st.requests, w.broken)
	}
}

func TestClaimsEndWithPieces(t *testing.T) {
	p := newScript(t, 400*mib, sched.Config{Connections: 4, PieceSize: 1000})
	p.start()
	p.opened(1, time.Millisecond)
	for _, a := range of(sched.Open, p.all)[1:] {
		if a.Off%1000 != 0 && a.End%1000 != 0 {
			t.Errorf("%+v", a)
		}
	}
}
