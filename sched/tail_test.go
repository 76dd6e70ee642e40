package sched_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"spate/sched"
)

// A range is asked for once more only where its copy is likely to be there two set-ups earlier.
func TestHedgeFloor(t *testing.T) {
	const setup, left = 300 * time.Millisecond, 100_000
	for _, tt := range []struct {
		name   string
		rate   float64 // of the range that ends last; the copy comes at 500 kB/s
		hedged bool
	}{{"0.8 s against 0.5", 125_000, false}, {"3.3 s against 0.5", 30_000, true}} {
		t.Run(tt.name, func(t *testing.T) {
			slow := int64(8*tt.rate) + left
			p := gapped(t, 20*mib, sched.Config{Connections: 2}, sched.Range{Off: 0, End: 4_000_000}, sched.Range{Off: 8 * mib, End: 8*mib + slow})
			p.stubborn = true
			p.start()
			p.opened(1, setup)
			p.opened(2, setup)
			for p.at[1] < p.end[1] {
				p.pass(10*time.Millisecond, map[int]float64{1: mb / 2, 2: tt.rate})
			}
			for len(of(sched.Finished, p.all)) == 0 && p.now < 20*time.Second {
				p.pass(10*time.Millisecond, map[int]float64{2: tt.rate})
			}
			got := slices.ContainsFunc(p.all, func(a sched.Action) bool { return a.Type == sched.Open && a.Hedge })
			if got != tt.hedged {
				t.Errorf("asked for once more: %v", got)
			}
		})
	}
}

// What is asked for twice is 2 % in all, at least 1 MiB and at most 8, whatever becomes of the copies. A copy breaks, and is asked for
// again, as long as that leaves room for another.
func TestHedgesAreBounded(t *testing.T) {
	for _, tt := range []struct{ size, left, want int64 }{
		{4 * mib, 600_000, 2},
		{4 * mib, 900_000, 1},
		{70 * mib, 900_000, 2},
		{70 * mib, 1_400_000, 1},
		{100 * mib, 1_400_000, 2},
		{4096 * mib, 4_000_000, 2},
		{4096 * mib, 9_000_000, 1},
	} {
		t.Run(fmt.Sprintf("%d of %d", tt.left, tt.size), func(t *testing.T) {
			p := gapped(t, tt.size, sched.Config{Connections: 2}, sched.Range{Off: 0, End: 300_000}, sched.Range{Off: tt.size - tt.left, End: tt.size})
			p.stubborn = true
			p.start()
			p.opened(1, 10*time.Millisecond)
			p.opened(2, 10*time.Millisecond)
			p.answered = 2
			hedges := int64(0)
			for p.now < 2900*time.Millisecond { // until the one that hangs is replaced
				p.pass(10*time.Millisecond, map[int]float64{1: 4 * mb, 2: 100, 3: mb, 4: mb, 5: mb})
				p.answer(10*time.Millisecond, func(a sched.Action) {
					if a.Hedge {
						hedges++
					}
				})
				for _, a := range of(sched.Open, p.all) {
					if a.Hedge && p.at[a.Conn] > a.Off && p.at[a.Conn] < a.End {
						p.fail(a.Conn, sched.Network, 0)
					}
				}
			}
			if hedges != tt.want {
				t.Errorf("asked for again %d times, want %d", hedges, tt.want)
			}
		})
	}
}

// A copy is fetched from another source than the original, where there is one.
func TestHedgeElsewhere(t *testing.T) {
	gaps := []sched.Range{{Off: 0, End: mib}, {Off: 2 * mib, End: 3*mib + 100_000}, {Off: 5 * mib, End: 6 * mib}, {Off: 7 * mib, End: 8 * mib}}
	p := gapped(t, 9*mib, sched.Config{Connections: 4, Sources: make([]sched.Source, 2), PieceSize: mib}, gaps...)
	p.stubborn = true
	p.start()
	at := map[int]int{}
	for n := 0; n < 4; n++ {
		a := of(sched.Open, p.all)[n]
		at[a.Conn] = a.Source
		p.opened(a.Conn, 10*time.Millisecond)
	}
	if at[2] != at[1] {
		t.Fatalf("connections are at %v", at)
	}
	p.pass(1100*time.Millisecond, even(4, mb)) // all others have ended, and nothing is to be gained
	p.pass(time.Second, map[int]float64{2: mb / 20})
	i := slices.IndexFunc(p.all, func(a sched.Action) bool { return a.Type == sched.Open && a.Hedge })
	if i < 0 || p.all[i].Off < gaps[1].Off || p.all[i].End != gaps[1].End || p.all[i].Source == at[2] {
		t.Errorf("%+v, want a copy of what connection 2 has left, not from source %d", p.all, at[2])
	}
}

// One that is slow from the beginning does not hold up the end where the others were done before their rate was known.
func TestSlowFromTheBeginning(t *testing.T) {
	for _, fast := range []float64{mb, 20 * mb, 100 * mb} {
		p := newScript(t, 2*mib, sched.Config{Connections: 2})
		p.start()
		p.opened(1, 10*time.Millisecond)
		p.opened(2, 10*time.Millisecond)
		p.answered = 2
		for p.now < 20*time.Second && len(of(sched.Finished, p.all)) == 0 {
			rates := map[int]float64{2: 1000}
			for c := range p.at {
				if c != 2 {
					rates[c] = fast
				}
			}
			p.pass(10*time.Millisecond, rates)
			p.answer(10*time.Millisecond, nil)
		}
		if ideal := seconds(2 * mib / fast); p.now > ideal+2*time.Second {
			t.Errorf("at %.0f bytes a second: %v, alone %v", fast, p.now, ideal)
		}
	}
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// A copy whose answer is capped before the place that its twin has come to meanwhile has nothing to give, and nothing of it is asked for
// again.
func TestCopyCappedBeforeItsTurn(t *testing.T) {
	const from, end = 4*mib - 600_000, 4 * mib
	p := gapped(t, 4*mib, sched.Config{Connections: 2}, sched.Range{Off: 0, End: 300_000}, sched.Range{Off: from, End: end})
	p.stubborn = true
	p.start()
	p.opened(1, 10*time.Millisecond)
	p.opened(2, 10*time.Millisecond)
	isCopy := func(a sched.Action) bool { return a.Type == sched.Open && a.Hedge }
	p.answered = 2
	for !slices.ContainsFunc(p.all, isCopy) && p.now < 2900*time.Millisecond {
		p.answer(10*time.Millisecond, nil)
		p.pass(10*time.Millisecond, map[int]float64{1: 4 * mb, 2: 1000})
	}
	i := slices.IndexFunc(p.all, isCopy)
	if i < 0 {
		t.Fatalf("no copy is asked for: %+v", p.all)
	}
	h := p.all[i]
	p.at[2] += 5000
	p.do(sched.Event{Type: sched.Progress, Conn: 2, Off: p.at[2]})
	done := p.at[2]
	p.fail(2, sched.Network, 0)
	p.end[h.Conn] = h.Off + 1000
	p.opened(h.Conn, 10*time.Millisecond)
	p.answered++
	for len(of(sched.Finished, p.all)) == 0 && p.now < 20*time.Second {
		p.pass(10*time.Millisecond, even(9, mb))
		p.answer(10*time.Millisecond, nil)
	}
	for _, a := range p.all[i+1:] {
		if a.Type == sched.Open && a.Off < done || a.Type == sched.Keep && a.Off != a.End {
			t.Errorf("%+v: all before %d is there, and the copy ends at %d", a, done, h.Off+1000)
		}
	}
	if p.now >= 20*time.Second {
		t.Errorf("it never ends: %+v", p.all[i+1:])
	}
}
