package sched_test

import (
	"fmt"
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
		{"no ranges, and never whole, and a mirror that has none either", []site{{connRate: 10 * mb, noRange: true, resetMin: 5 * mb, resetMax: 6 * mb},
			{connRate: 10 * mb, noRange: true}}, 0},
		{"no size, and never whole, and a mirror that tells none either", []site{{connRate: 10 * mb, noSize: true, resetMin: 5 * mb, resetMax: 6 * mb},
			{connRate: 10 * mb, noSize: true}}, 0},
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

// Mirrors that are slow to answer are waited for as one alone would be, though another is asked meanwhile: there may be nothing faster.
func TestSlowToAnswer(t *testing.T) {
	for _, tt := range []struct {
		slow, dead int
		delay      time.Duration // before each answer
	}{
		{1, 0, 29 * time.Second},
		{2, 0, 13 * time.Second},
		{3, 0, 13 * time.Second},
		{3, 0, 29 * time.Second},
		{5, 0, 29 * time.Second},
		{1, 1, 29 * time.Second},
		{1, 4, 29 * time.Second},
		{2, 2, 20 * time.Second},
	} {
		for _, conns := range []int{0, 4} {
			t.Run(fmt.Sprintf("%d after %v, %d dead, connections %d", tt.slow, tt.delay, tt.dead, conns), func(t *testing.T) {
				var sites []*site
				for range tt.dead {
					sites = append(sites, &site{downTill: time.Hour})
				}
				for range tt.slow {
					sites = append(sites, &site{connRate: 10 * mb, delay: tt.delay})
				}
				w := newWorld(t, 20*mb, sched.Config{Connections: conns}, sites...)
				tries := time.Duration(len(sites)) * (3 + 6 + 3*30) * time.Second
				t.Logf("%v", w.finished(tries+10*tt.delay))
			})
		}
	}
}

// A source that is down for a while is tried as long as one alone would be, also where another is asked meanwhile, which refuses.
func TestDownAtFirst(t *testing.T) {
	for n := range 3 {
		sites := []*site{{connRate: 10 * mb, downTill: 89 * time.Second}}
		for range n {
			sites = append(sites, &site{refuse: true})
		}
		newWorld(t, 20*mb, sched.Config{}, sites...).finished(3 * time.Minute)
	}
}

// What an origin takes to answer each time is what it takes, however long: its connections are not robbed before they have answered,
// by requests that would take as long.
func TestSlowEachTime(t *testing.T) {
	for _, delay := range []time.Duration{4, 8, 13, 20} {
		st := &site{connRate: 10 * mb, delay: delay * time.Second}
		w := newWorld(t, 20*mb, sched.Config{Connections: 4}, st)
		if w.finished(time.Hour); st.requests > 8 {
			t.Errorf("%d requests of %d s each", st.requests, delay)
		}
	}
}
