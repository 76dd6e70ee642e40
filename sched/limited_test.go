package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// Where connections share a limit, what hangs at the end is not asked for twice: the copy would take from the others.
func TestLimitedDoesNotHedge(t *testing.T) {
	for _, limited := range []bool{false, true} {
		p := newScript(t, 2*mib, sched.Config{Connections: 2, Limited: limited})
		p.start()
		p.opened(1, 10*time.Millisecond)
		p.opened(2, 10*time.Millisecond)
		for p.at[2] < p.end[2]-60_000 { // too little to take from
			p.pass(10*time.Millisecond, map[int]float64{1: mb, 2: mb})
		}
		got := of(sched.Open, p.pass(2*time.Second, map[int]float64{1: mb}))
		if (len(got) == 0) != limited {
			t.Errorf("limited %v: %+v", limited, got)
		}
	}
}

// A limit that was lowered slows all down: that is no collapse.
func TestLimitedMayBecomeSlower(t *testing.T) {
	for _, limited := range []bool{false, true} {
		p := newScript(t, 400*mib, sched.Config{Connections: 1, Limited: limited})
		p.start()
		p.opened(1, 10*time.Millisecond)
		p.pass(5*time.Second, map[int]float64{1: mb})
		got := of(sched.Close, p.pass(30*time.Second, map[int]float64{1: mb / 100}))
		if (len(got) == 0) != limited {
			t.Errorf("limited %v: %+v", limited, got)
		}
	}
}

// One that is silent is replaced, and one that is slow among its peers: its share of the limit is theirs as well.
func TestLimitedReplacesWhatIsStuck(t *testing.T) {
	p := opens8(t, 400*mib, sched.Config{Limited: true})
	p.pass(2*time.Second, even(8, mb))
	rates := even(8, mb)
	rates[3] = mb / 100
	delete(rates, 5)
	closed := map[int]bool{}
	for _, a := range of(sched.Close, p.pass(3500*time.Millisecond, rates)) {
		closed[a.Conn] = true
	}
	if len(closed) != 2 || !closed[3] || !closed[5] {
		t.Errorf("closed: %v, want 3 and 5", closed)
	}
}
