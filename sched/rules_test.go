package sched_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"spate/sched"
)

// gapped is a script of an object of which all is there but the given ranges.
func gapped(t *testing.T, size int64, cfg sched.Config, gaps ...sched.Range) *script {
	cfg.Size = size
	at := int64(0)
	for _, g := range gaps {
		cfg.Done = append(cfg.Done, sched.Range{Off: at, End: g.Off})
		at = g.End
	}
	cfg.Done = append(cfg.Done, sched.Range{Off: at, End: size})
	return newScript(t, size, cfg)
}

// A host that has refused connections is asked for one more when the cool-down has ended.
func TestCeilingRises(t *testing.T) {
	p := newScript(t, 400*mib, sched.Config{Connections: 3})
	p.start()
	p.opened(1, time.Millisecond)
	p.opened(2, time.Millisecond)
	p.pass(time.Second, even(2, mb))
	p.fail(3, sched.Busy, 0)
	refused := p.now
	for p.now < refused+time.Minute && !slices.ContainsFunc(p.all, func(a sched.Action) bool { return a.Type == sched.Open && a.Conn == 4 }) {
		p.pass(10*time.Millisecond, even(2, mb))
	}
	if d := p.now - refused; d < 5*time.Second || d > 6*time.Second {
		t.Errorf("one more is asked for after %v", d)
	}
}

// Retry-After is that of the host: its other mirrors wait as well, those elsewhere do not.
func TestRetryAfterOfHost(t *testing.T) {
	for host, want := range map[string]time.Duration{"a": 7 * time.Second, "b": 0} {
		p := newScript(t, 10*mib, sched.Config{Sources: []sched.Source{{Host: "a"}, {Host: host}}})
		p.start()
		got := of(sched.Open, p.fail(1, sched.Busy, 7*time.Second))
		for len(got) == 0 && p.now < time.Minute {
			got = of(sched.Open, p.pass(10*time.Millisecond, nil))
		}
		if p.now != want || len(got) != 1 {
			t.Errorf("a mirror at %s: %+v after %v, want one request after %v", host, got, p.now, want)
		}
	}
}

// Whose answers are capped goes on where it was, though there are free ranges before that.
func TestGoesOnWhereItWas(t *testing.T) {
	const most = 2 * mib
	p := newScript(t, 400*mib, sched.Config{Connections: 4})
	p.start()
	for p.now < 20*time.Second {
		p.answer(10*time.Millisecond, func(a sched.Action) { p.end[a.Conn] = min(p.end[a.Conn], a.Off+most) })
		p.pass(10*time.Millisecond, map[int]float64{1: mb, 2: 0.9 * mb, 3: 0.8 * mb, 4: 0.7 * mb})
	}
	last, begun, n := map[int]int64{}, map[int64]bool{}, 0
	for _, a := range of(sched.Open, p.all)[:p.answered] {
		if at, ok := last[a.Conn]; ok && !begun[at] {
			if n++; a.Off != at {
				t.Errorf("connection %d goes on at %d, it was at %d", a.Conn, a.Off, at)
			}
		}
		last[a.Conn], begun[a.Off] = a.Off+most, true
	}
	if n < 3 {
		t.Errorf("asked again %d times for what nobody else has", n)
	}
}

// A connection that was cut is used again where at most 256 KiB of its answer are left to be read.
func TestDrained(t *testing.T) {
	for _, tt := range []struct {
		unread int64
		fresh  bool
	}{{256 << 10, false}, {256<<10 + 1, true}} {
		t.Run(fmt.Sprint(tt.unread), func(t *testing.T) {
			p := gapped(t, 20*mib, sched.Config{Connections: 2}, sched.Range{Off: 0, End: 4 * mib}, sched.Range{Off: 8 * mib, End: 12 * mib})
			p.grant = map[int]int64{2: 12*mib - tt.unread}
			p.start()
			p.opened(1, 10*time.Millisecond)
			p.opened(2, 10*time.Millisecond)
			for p.now < time.Minute && p.at[2] < 12*mib-tt.unread { // the first is done long before, and takes from the other
				p.pass(10*time.Millisecond, map[int]float64{1: 4 * mb, 2: mb})
				p.stubborn = len(of(sched.Cut, p.all)) > 0 // so that the first, which is not answered, keeps what it took
			}
			if cuts := of(sched.Cut, p.all); len(cuts) == 0 || slices.ContainsFunc(cuts[1:], func(a sched.Action) bool { return a.Conn == 2 }) {
				t.Fatalf("%+v", p.all)
			}
			p.fail(1, sched.Network, 0) // what that has left is for the other
			again := slices.DeleteFunc(of(sched.Open, p.all), func(a sched.Action) bool { return a.Conn != 2 })[1:]
			if len(again) == 0 || again[0].Fresh != tt.fresh {
				t.Errorf("%+v, want connection 2 to be asked again, fresh: %v", again, tt.fresh)
			}
		})
	}
}

// Of two connections that end at about the same time, it is not the one that was opened to the end of the object that is cut.
func TestFirstIsCutLast(t *testing.T) {
	for _, tt := range []struct {
		later float64 // so many times as long as the second takes the first
		want  int
	}{{1.05, 2}, {1.5, 1}} {
		p := newScript(t, 15*mib, sched.Config{Connections: 3})
		p.start()
		p.opened(1, 100*time.Millisecond)
		p.opened(2, 100*time.Millisecond)
		p.opened(3, 100*time.Millisecond)
		p.pass(200*time.Millisecond, even(3, mb)) // until who opens has taken what it could
		p.all = nil
		left := func(c int) float64 { return float64(p.end[c] - p.at[c]) }
		rates := map[int]float64{1: left(1) / (6 * tt.later), 2: left(2) / 6, 3: left(3) / 3}
		for p.now < time.Minute && len(of(sched.Cut, p.all)) == 0 {
			p.pass(10*time.Millisecond, rates)
		}
		if cuts := of(sched.Cut, p.all); len(cuts) == 0 || cuts[0].Conn != tt.want {
			t.Errorf("%v times as long: %+v, want connection %d to be cut", tt.later, cuts, tt.want)
		}
	}
}

// Who falls silent loses his range to another source, is left alone for a while, and is compared again before he gets work.
func TestSilentSourceComesBack(t *testing.T) {
	p := newScript(t, 400*mib, sched.Config{Connections: 2, Sources: make([]sched.Source, 2)})
	p.start()
	p.opened(1, 10*time.Millisecond)
	p.pass(time.Second, map[int]float64{1: mb})
	p.opened(2, 10*time.Millisecond)
	p.at[2] = p.end[2]
	p.do(sched.Event{Type: sched.Verified, Conn: 2, OK: true, Source: 1})
	p.opened(2, 10*time.Millisecond)
	p.pass(time.Second, even(2, mb))
	p.all = nil
	silent := p.now
	var closed time.Duration
	var again []sched.Action
	for p.now < silent+time.Minute && len(again) == 0 {
		got := p.pass(10*time.Millisecond, map[int]float64{2: mb})
		if closed == 0 && len(of(sched.Close, got)) > 0 {
			closed = p.now
		}
		again = slices.DeleteFunc(of(sched.Open, got), func(a sched.Action) bool { return a.Source != 0 })
	}
	if d := closed - silent; d < 3*time.Second || d > 3300*time.Millisecond {
		t.Errorf("closed after %v", d)
	}
	if len(again) != 1 || !again[0].Probe || p.now-closed < time.Second {
		t.Errorf("asked again %v later: %+v, want a comparison", p.now-closed, again)
	}
}

// A mirror is compared anywhere in what is there, not only at its beginning.
func TestComparedAnywhere(t *testing.T) {
	p := newScript(t, 400*mib, sched.Config{Connections: 2, Sources: make([]sched.Source, 2), Rand: func() float64 { return 0.5 }})
	p.start()
	p.opened(1, 10*time.Millisecond)
	p.pass(time.Second, map[int]float64{1: mb})
	probes := slices.DeleteFunc(of(sched.Open, p.all), func(a sched.Action) bool { return !a.Probe })
	if len(probes) != 1 || probes[0].End-probes[0].Off != 64<<10 || probes[0].End > p.at[1] {
		t.Fatalf("%+v", probes)
	}
	q := newScript(t, 10*mib, sched.Config{Size: 10 * mib, Connections: 2, Sources: make([]sched.Source, 2), Done: []sched.Range{{Off: 0, End: 4 * mib}},
		Rand: func() float64 { return 0.5 }})
	q.start()
	q.opened(1, 10*time.Millisecond)
	probes = slices.DeleteFunc(of(sched.Open, q.all), func(a sched.Action) bool { return !a.Probe })
	if len(probes) != 1 || probes[0].Off != 2*mib-32<<10 || probes[0].End != 2*mib+32<<10 {
		t.Errorf("%+v, want the middle", probes)
	}
}

// What an answer says of itself has to fit what was asked for, and what others said.
func TestAnswersThatDoNotFit(t *testing.T) {
	const size = 64 * mib
	for _, tt := range []struct {
		name string
		ev   sched.Event // Off and End from where it was asked; Size 0: the right one
		want sched.Class
	}{
		{"right", sched.Event{Seekable: true, End: mib}, sched.None},
		{"no total", sched.Event{Seekable: true, End: mib, Size: -1}, sched.None},
		{"begins later", sched.Event{Seekable: true, Off: 1, End: mib}, sched.Changed},
		{"begins earlier", sched.Event{Seekable: true, Off: -1, End: mib}, sched.Changed},
		{"another total", sched.Event{Seekable: true, End: mib, Size: size + 1}, sched.Changed},
		{"ends before it begins", sched.Event{Seekable: true, End: -1}, sched.Changed},
		{"no 206", sched.Event{Off: -1, End: mib}, sched.RangeUnsupported},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, size, sched.Config{Connections: 2})
			p.start()
			p.opened(1, 10*time.Millisecond)
			ev := tt.ev
			ev.Type, ev.Conn, ev.Setup = sched.Opened, 2, 10*time.Millisecond
			ev.Off, ev.End = p.at[2]+ev.Off, p.at[2]+ev.End
			if ev.Size == 0 {
				ev.Size = size
			}
			got := sched.None
			for _, a := range of(sched.SetAside, p.do(ev)) {
				got = a.Class
			}
			if got != tt.want {
				t.Errorf("set aside as %v, want %v", got, tt.want)
			}
		})
	}
}

// How long it is waited before the next try is a matter of chance, within half of what it would be.
func TestJitter(t *testing.T) {
	wait := func(by float64) time.Duration {
		p := newScript(t, 10*mib, sched.Config{Connections: 1, Rand: func() float64 { return by }})
		p.start()
		p.opened(1, time.Millisecond)
		p.pass(time.Second, map[int]float64{1: mb})
		p.fail(1, sched.Network, 0)
		var last time.Duration
		for n := 2; n < 7; n++ {
			last = p.now
			p.fail(n, sched.Network, 0)
			for p.now < last+time.Minute && len(of(sched.Open, p.all)) < n+1 {
				p.pass(10*time.Millisecond, nil)
			}
		}
		return p.now - last
	}
	short, usual, long := wait(0), wait(0.5), wait(0.999)
	if short > usual*6/10 || long < usual*14/10 || usual < time.Second {
		t.Errorf("%v, %v, %v", short, usual, long)
	}
}

// What several connections too many are told, which have asked together, ends nothing where the one that read has just ended its range.
func TestGoneForSeveralAtOnce(t *testing.T) {
	p := newScript(t, 40*mib, sched.Config{Connections: 4})
	p.start()
	p.opened(1, time.Millisecond)
	p.pass(10*time.Millisecond, map[int]float64{1: mb})
	p.at[1] = p.end[1]
	p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: p.end[1]})
	for id := 2; id <= 4; id++ {
		p.fail(id, sched.Gone, 0)
	}
	if got := slices.Concat(of(sched.SetAside, p.all), of(sched.GiveUp, p.all)); len(got) > 0 {
		t.Errorf("%+v", got)
	}
}
