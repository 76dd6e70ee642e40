package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// Origins that know no ranges, or no size, or end: whatever can be had is had.
func TestStreams(t *testing.T) {
	for _, tt := range []struct {
		name     string
		sites    []site
		requests int64 // to the first source
	}{
		{"no size: one stream, kept", []site{{connRate: 10 * mb, noSize: true}}, 1},
		{"no ranges: one stream, kept", []site{{connRate: 10 * mb, noRange: true}}, 1},
		{"no ranges, and a mirror that has", []site{{connRate: 10 * mb, noRange: true}, {connRate: 10 * mb}}, 1},
		{"no ranges, down in the middle: from the beginning", []site{{connRate: 10 * mb, noRange: true, resetMin: 15 * mb, resetMax: 22 * mb}}, 0},
		{"no size, down in the middle: from the beginning", []site{{connRate: 10 * mb, noSize: true, resetMin: 15 * mb, resetMax: 22 * mb}}, 0},
		{"the first is gone", []site{{gone: 1, sent: 1}, {connRate: 10 * mb}}, 1},
		{"the first refuses", []site{{refuse: true}, {connRate: 10 * mb}}, 0},
		{"the first is gone in the middle", []site{{connRate: 10 * mb, gone: 5 * mb}, {connRate: 10 * mb}}, 0},
		{"the first never answers", []site{{downTill: time.Hour}, {connRate: 10 * mb}}, 0},
		{"the first stops before it can be compared with", []site{{connRate: 10 * mb, stallAfter: 10_000}, {connRate: 10 * mb}}, 0},
		{"down for two minutes", []site{{connRate: 10 * mb, downFrom: time.Second, downTill: 2 * time.Minute}}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var sites []*site
			for i := range tt.sites {
				sites = append(sites, &tt.sites[i])
			}
			w := newWorld(t, 20*mb, sched.Config{Connections: 4}, sites...)
			d := w.finished(20 * time.Minute)
			t.Logf("%v, %d requests", d, sites[0].requests)
			if tt.requests > 0 && sites[0].requests != tt.requests {
				t.Errorf("%d requests, want %d", sites[0].requests, tt.requests)
			}
		})
	}
}

// A mirror gets no work before some of its bytes were compared; one that differs is set aside, and named.
func TestMirrorIsComparedFirst(t *testing.T) {
	for _, tt := range []struct {
		name string
		lies bool
	}{{"equal", false}, {"different", true}} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := &site{connRate: mb}, &site{connRate: mb, lies: tt.lies}
			w := newWorld(t, 20*mb, sched.Config{Connections: 4}, a, b)
			d := w.finished(time.Minute)
			if w.probes != 1 || w.dup != 64<<10 {
				t.Errorf("%d comparisons, of %d bytes", w.probes, w.dup)
			}
			if got := w.aside[1]; tt.lies != (got == sched.Corrupt) || len(w.aside) > 1 {
				t.Errorf("set aside: %v", w.aside)
			}
			if d > 5800*time.Millisecond || tt.lies && b.sent != 64<<10 || !tt.lies && b.sent < 9*mb {
				t.Errorf("%v, the mirror gave %d bytes", d, b.sent)
			}
		})
	}
}

// Connections move to where they give more, but each mirror keeps one.
func TestConnectionsMoveToTheBetterMirror(t *testing.T) {
	a, b := &site{connRate: mb / 4}, &site{connRate: 4 * mb}
	w := newWorld(t, 300*mb, sched.Config{Connections: 8}, a, b)
	if d := w.finished(10 * time.Minute); d > 14500*time.Millisecond { // 17.6 s with half of them each
		t.Errorf("%v", d)
	}
	if a.sent == 0 {
		t.Error("the slower one has given nothing")
	}
}

// A piece that is bad is fetched again; its giver is let go if there is another.
func TestBadPiece(t *testing.T) {
	for _, tt := range []struct {
		name   string
		giver  int
		others int
		aside  int
	}{
		{"its giver is known", 0, 1, 1},
		{"its giver is the only source", 0, 0, 0},
		{"its giver is not known", -1, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, 4*mib, sched.Config{Connections: 1, Sources: make([]sched.Source, 1+tt.others)})
			p.start()
			p.opened(1, time.Millisecond)
			p.pass(1100*time.Millisecond, map[int]float64{1: 2 * mb})
			p.do(sched.Event{Type: sched.Verified, Off: mib, End: 2*mib - 1000, Source: tt.giver})
			if got := len(of(sched.SetAside, p.all)); got != tt.aside {
				t.Errorf("%d set aside, want %d", got, tt.aside)
			}
			for p.now < time.Minute && len(of(sched.Finished, p.all)) == 0 {
				opens := of(sched.Open, p.all)
				a := opens[len(opens)-1]
				if a.Probe {
					p.do(sched.Event{Type: sched.Opened, Conn: a.Conn, Off: a.Off, End: a.End, Size: p.size, Seekable: true})
					p.do(sched.Event{Type: sched.Verified, Conn: a.Conn, OK: true})
					continue
				}
				p.opened(a.Conn, time.Millisecond)
				p.pass(10*time.Millisecond, map[int]float64{a.Conn: 10 * mb})
			}
			if len(of(sched.Finished, p.all)) != 1 {
				t.Fatalf("%+v", p.all)
			}
			again := false
			for _, a := range of(sched.Open, p.all)[1:] {
				again = again || !a.Probe && a.Off == mib && a.End >= 2*mib-1000 || a.Off == mib && a.Source == 1
			}
			if !again {
				t.Errorf("%+v: the piece was not fetched again", p.all)
			}
		})
	}
}

// A piece that stays bad ends it.
func TestPieceStaysBad(t *testing.T) {
	p := newScript(t, 4*mib, sched.Config{Connections: 1})
	p.start()
	p.opened(1, time.Millisecond)
	p.pass(time.Second, map[int]float64{1: 2 * mb})
	for range 20 {
		p.do(sched.Event{Type: sched.Verified, Off: 0, End: mib})
	}
	if up := of(sched.GiveUp, p.all); len(up) != 1 || up[0].Class != sched.Corrupt {
		t.Errorf("%+v", p.all)
	}
}
