package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// Nothing is told while the process is stopped, or its machine asleep: that is no silence of anybody, nobody waits for less, and what was
// to be waited for has passed as well.
func TestStoppedIsNoSilence(t *testing.T) {
	for _, asleep := range []time.Duration{5 * time.Second, time.Minute, 10 * time.Hour} {
		p := newScript(t, 100*mib, sched.Config{Sources: make([]sched.Source, 2), Connections: 2, RetryMax: 8 * time.Second,
			PieceSize: mib}) // so that nobody has to be compared
		p.start()
		p.opened(1, time.Millisecond)
		both := map[int]float64{1: mb, 2: mb, 3: mb}
		p.pass(time.Second, map[int]float64{1: mb})
		p.answer(time.Millisecond, nil)
		p.pass(2*time.Second, both)
		reading := len(of(sched.Close, p.all))
		p.now += asleep
		for _, ev := range []sched.Event{{Type: sched.Tick}, {Type: sched.Progress, Conn: 1, Off: p.at[1] + 1}, {Type: sched.Tick}} {
			p.do(ev)
		}
		p.pass(sched.Silence-500*time.Millisecond, nil)
		if n := len(of(sched.Close, p.all)) - reading; n > 0 || len(of(sched.GiveUp, p.all)) > 0 {
			t.Errorf("stopped for %v: %d connections are closed, given up: %v", asleep, n, of(sched.GiveUp, p.all))
		}
		p.pass(4*time.Second, map[int]float64{1: mb})
		if len(of(sched.Close, p.all)) == reading {
			t.Errorf("stopped for %v: one is silent, and goes on", asleep)
		}
	}
}

// A Tick is asked for by the clock of who sends it, and who was to be asked later may be asked once that has passed, by that clock.
func TestWakesAfterAStop(t *testing.T) {
	s := sched.New(sched.Config{Size: -1, Sources: make([]sched.Source, 1)})
	at := func(ev sched.Event) (wake time.Duration, opens int) {
		for _, a := range s.Step(ev) {
			switch a.Type {
			case sched.WakeAt:
				wake = a.At
			case sched.Open:
				opens++
			}
		}
		return wake, opens
	}
	at(sched.Event{Type: sched.Start})
	wake, _ := at(sched.Event{Type: sched.Failed, Conn: 1, Class: sched.Busy, RetryAfter: time.Minute, At: time.Second})
	for range 10 {
		wake, _ = at(sched.Event{Type: sched.Tick, At: wake})
	}
	if wake <= time.Second || wake > 61*time.Second {
		t.Fatalf("wakes at %v", wake)
	}
	const late = 2 * time.Hour
	wake, opens := at(sched.Event{Type: sched.Tick, At: late})
	if opens != 1 || wake <= late {
		t.Errorf("%d are asked after the stop, wakes at %v", opens, wake)
	}
}

// A mirror that failed at first is asked again while there is time, however short that is.
func TestAskedAgainWithinAShortRetryMax(t *testing.T) {
	for _, short := range []time.Duration{4 * time.Second, 8 * time.Second, 20 * time.Second, 10 * time.Minute} {
		p := newScript(t, 100*mib, sched.Config{Sources: make([]sched.Source, 2), Connections: 2, RetryMax: short})
		p.start()
		p.opened(1, time.Millisecond)
		failed := 0
		for failed < 3 { // it is compared, or would be
			for _, a := range p.pass(10*time.Millisecond, map[int]float64{1: mb}) {
				if a.Type == sched.Open && a.Source == 1 {
					p.fail(a.Conn, sched.Network, 0)
					failed++
				}
			}
		}
		begin, asked := p.now, 0
		for p.now-begin < short && len(of(sched.GiveUp, p.all)) == 0 {
			for _, a := range p.pass(10*time.Millisecond, nil) {
				if a.Type == sched.Open && a.Source == 1 {
					asked++
				}
			}
		}
		if asked == 0 {
			t.Errorf("of %v: not once", short)
		}
	}
}
