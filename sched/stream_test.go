package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// Of a stream only what was handed on last, and what is ahead, is there to be compared with.
func TestComparesWhatIsKept(t *testing.T) {
	const kept = mib
	for _, rand := range []float64{0, 0.5, 0.999} {
		p := newScript(t, 400*mib, sched.Config{Sources: make([]sched.Source, 2), Connections: 2, Order: sched.Sequential, Window: 8 * mib, Kept: kept,
			Rand: func() float64 { return rand }})
		p.start()
		p.opened(1, time.Millisecond)
		late, frontier := 0, int64(0)
		for range 400 {
			told := p.do(sched.Event{Type: sched.Frontier, Off: frontier})
			for _, a := range of(sched.Open, append(told, p.pass(100*time.Millisecond, map[int]float64{1: 8 * mib})...)) {
				if !a.Probe {
					p.opened(a.Conn, time.Millisecond)
					continue
				}
				if frontier > 2*kept {
					late++
				}
				if a.Off < frontier-kept || a.End > p.at[1] || a.End-a.Off != 64<<10 {
					t.Errorf("[%d, %d) is compared, where [%d, %d) is there", a.Off, a.End, frontier-kept, p.at[1])
				}
				p.fail(a.Conn, sched.Network, 0)
			}
			frontier = p.at[1]
		}
		if late == 0 {
			t.Error("nothing is compared once much was handed on")
		}
	}
}

// Whoever reads a stream may sleep: that nothing comes meanwhile is nobody's fault, be a connection held up, all be idle, or none
// be left.
func TestSlowReaderIsWaitedFor(t *testing.T) {
	for _, c := range []string{"held up", "idle", "lost"} {
		t.Run(c, func(t *testing.T) {
			const window = 4 * mib
			p := newScript(t, 400*mib, sched.Config{Connections: 1, Order: sched.Sequential, Window: window, RetryMax: time.Minute})
			p.stubborn = c != "idle"
			p.start()
			if c == "idle" {
				p.end[1] = window // as the origin caps it
			}
			p.do(sched.Event{Type: sched.Opened, Conn: 1, End: p.end[1], Size: p.size, Seekable: true, Setup: time.Millisecond})
			p.pass(time.Second, map[int]float64{1: window})
			if p.at[1] < window-mib {
				t.Fatalf("%d bytes came", p.at[1])
			}
			p.at[1] = window
			p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: window})
			if c == "lost" {
				p.fail(1, sched.Network, 0)
			}
			for range 4 * 600 {
				p.now += 250 * time.Millisecond
				ev := sched.Event{Type: sched.Tick}
				if c == "held up" {
					ev = sched.Event{Type: sched.Progress, Conn: 1, Off: window}
				}
				for _, a := range append(p.do(ev), p.do(sched.Event{Type: sched.Tick})...) {
					t.Fatalf("%+v after %v", a, p.now)
				}
			}
			p.do(sched.Event{Type: sched.Frontier, Off: window})
			p.pass(time.Minute, map[int]float64{1: window, 2: window})
			if open := of(sched.Open, p.all); c != "held up" && (len(open) < 2 || open[1].Off != window) {
				t.Errorf("%+v, when there was room again", open)
			}
		})
	}
}

// A copy that could not be kept, as it reaches beyond the window, is not asked for.
func TestNoCopyBeyondTheWindow(t *testing.T) {
	p := newScript(t, 5*mib, sched.Config{Connections: 2, Order: sched.Sequential, Window: 4 * mib})
	p.stubborn = true
	p.start()
	p.opened(1, time.Millisecond)
	p.pass(time.Second, map[int]float64{1: 4.5 * mib})
	if got := of(sched.Open, p.pass(2*time.Second, map[int]float64{1: 10_000})); len(got) > 0 {
		t.Fatalf("%+v", got)
	}
	if got := of(sched.Open, p.do(sched.Event{Type: sched.Frontier, Off: 2 * mib})); len(got) != 1 || !got[0].Hedge {
		t.Errorf("%+v, want a copy", got)
	}
}

// What is void was not handed on either: the window begins anew.
func TestVoidTakesTheFrontierBack(t *testing.T) {
	const window = 4 * mib
	p := newScript(t, 400*mib, sched.Config{Sources: make([]sched.Source, 2), Connections: 4, Order: sched.Sequential, Window: window})
	p.start()
	p.do(sched.Event{Type: sched.Opened, Conn: 1, End: -1, Size: -1})
	p.pass(time.Second, map[int]float64{1: 16 * mib})
	p.do(sched.Event{Type: sched.Frontier, Off: 16 * mib})
	p.fail(1, sched.Changed, 0)
	p.pass(time.Second, nil)
	open := of(sched.Open, p.all)
	if last := open[len(open)-1]; len(open) != 2 || !last.Restart || last.Source != 1 {
		t.Fatalf("%+v", open)
	}
	p.opened(2, time.Millisecond)
	p.pass(10*time.Second, map[int]float64{2: mib / 4})
	open = of(sched.Open, p.all)[2:]
	if len(open) == 0 {
		t.Error("nobody helps")
	}
	for _, a := range open {
		if a.End > window {
			t.Errorf("%+v", a)
		}
	}
}
