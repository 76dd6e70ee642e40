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
		p := newScript(t, 400*mib, sched.Config{Sources: make([]sched.Source, 2), Connections: 2, Order: sched.Sequential,
			Window: 8 * mib, Kept: kept, Rand: func() float64 { return rand }})
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

// Whoever waits for the window takes what would move it, if nobody else may: be it that a piece was wrong, that its host lets only
// one connection read, or that it has to give all anew.
func TestNobodyWaitsForWhatIsNobodys(t *testing.T) {
	const window, bad = 4 * mib, mib
	for _, c := range []string{"a piece was wrong", "only one may read", "no ranges"} {
		t.Run(c, func(t *testing.T) {
			cfg := sched.Config{Connections: 1, Order: sched.Sequential, Window: window, PieceSize: mib}
			if c == "only one may read" {
				cfg.Connections, cfg.PieceSize = 2, 0
			}
			p := newScript(t, 400*mib, cfg)
			p.start()
			p.do(sched.Event{Type: sched.Opened, Conn: 1, End: p.size, Size: p.size, Seekable: c != "no ranges", Setup: time.Millisecond})
			want := int64(bad)
			switch c {
			case "no ranges":
				want = 0
				fallthrough
			case "a piece was wrong":
				p.pass(time.Second, map[int]float64{1: window})
				p.at[1] = window
				p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: window})
				p.do(sched.Event{Type: sched.Verified, End: bad, OK: true})
				p.do(sched.Event{Type: sched.Frontier, Off: bad})
				p.at[1] = window + bad
				p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: window + bad})
				p.do(sched.Event{Type: sched.Verified, Off: bad, End: 2 * bad})
			default:
				second := p.all[len(p.all)-1]
				if second.Type != sched.Open || second.Conn != 2 || second.Off <= bad {
					t.Fatalf("%+v", p.all)
				}
				p.opened(2, time.Millisecond)
				seen := len(p.all)
				p.at[1] = bad
				p.fail(1, sched.Network, 0)
				p.do(sched.Event{Type: sched.Frontier, Off: bad})
				for range 100 {
					for ; seen < len(p.all); seen++ {
						switch a := p.all[seen]; {
						case a.Type == sched.Open && a.Conn != 2: // it is refused
							p.fail(a.Conn, sched.Busy, 0)
						case a.Type == sched.Open && a.Off == bad:
							return
						case a.Type == sched.Open:
							p.opened(2, time.Millisecond)
						}
					}
					p.at[2] = min(p.end[2], bad+window) // the gate is shut there
					p.do(sched.Event{Type: sched.Progress, Conn: 2, Off: p.at[2]})
					p.pass(100*time.Millisecond, nil)
				}
				t.Fatal("the only one that may read does not take it")
			}
			p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: p.at[1]}) // of who has noticed that it was cut
			p.pass(time.Second, nil)
			if open := of(sched.Open, p.all); len(open) < 2 || open[len(open)-1].Off != want || open[len(open)-1].Restart != (want == 0) {
				t.Errorf("%+v", p.all)
			}
		})
	}
}

// A stream that breaks again and again ends the download, and what has broken is not told to close.
func TestStreamThatAlwaysBreaks(t *testing.T) {
	p := newScript(t, mib, sched.Config{RetryMax: time.Hour})
	p.start()
	for conn := 1; len(of(sched.GiveUp, p.all)) == 0; conn++ {
		if conn > 20 {
			t.Fatalf("it goes on and on: %+v", p.all)
		}
		p.do(sched.Event{Type: sched.Opened, Conn: conn, End: -1, Size: -1})
		p.at[conn] = 5
		p.do(sched.Event{Type: sched.Progress, Conn: conn, Off: 5})
		for did := p.fail(conn, sched.Network, 0); len(did) == 0; {
			did = p.pass(100*time.Millisecond, nil)
		}
	}
	if told := of(sched.Close, p.all); len(told) > 0 {
		t.Errorf("%+v", told)
	}
	if a := of(sched.GiveUp, p.all)[0]; a.Class != sched.Network {
		t.Errorf("%+v", a)
	}
}
