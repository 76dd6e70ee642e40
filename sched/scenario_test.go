package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// The scenarios of the comparison with other tools: what is physically possible, and by what factor that may be missed. The
// driver's own cost is not in these figures.
var scenarios = []struct {
	name   string
	size   int64
	conns  int
	ideal  float64 // seconds
	factor float64
	sites  []site
}{
	{"S1 no limits", 1024 * mib, 16, 1024 * mib / (3000. * mb), 1.05, []site{{rate: 3000 * mb}}},
	{"S2 4 MB/s per connection", 256 * mib, 16, 256 * mib / (64. * mb), 1.03, []site{{connRate: 4 * mb, delay: time.Millisecond}}},
	{"S3 mirrors of 16, 8, 4, 1 MB/s", 200 * mib, 16, 200 * mib / (29. * mb), 1.04,
		[]site{{rate: 16 * mb}, {rate: 8 * mb}, {rate: 4 * mb}, {rate: 1 * mb}}},
	{"S4 a mirror goes silent", 100 * mib, 8, (100*mib - 20*mb) / (10. * mb), 1.08,
		[]site{{rate: 10 * mb, stallAfter: 20 * mb}, {rate: 10 * mb}}},
	{"S5 resets and 503", 100 * mib, 8, 100 * mib / (50. * mb), 1.02,
		[]site{{rate: 50 * mb, resetMin: 5 * mb, resetMax: 9 * mb, busy: 10}}},
	{"S6 100 ms before each answer", 64 * mib, 8, .1 + 64*mib/(16.*mb), 1.03, []site{{connRate: 2 * mb, delay: 100 * time.Millisecond}}},
	{"S7 each eighth connection collapses", 48 * mib, 8, 48 * mib / (14. * mb), 1.05,
		[]site{{connRate: 2 * mb, slowEvery: 8, slowAfter: 24 * mib}}},
}

func TestScenarios(t *testing.T) {
	for _, sc := range scenarios {
		for _, window := range []int64{0, 32 * mib} {
			name := sc.name
			if window > 0 {
				name += " with a digest"
			}
			t.Run(name, func(t *testing.T) {
				var sites []*site
				for _, s := range sc.sites {
					sites = append(sites, &s)
				}
				w := newWorld(t, sc.size, sched.Config{Connections: sc.conns, Window: window}, sites...)
				w.frontier = window > 0
				d := w.finished(60 * time.Second)
				t.Logf("%.3f s, %.3f × ideal, %d requests, %d cuts, %d closes, %d hedges, %d KiB twice, %d steps",
					d.Seconds(), d.Seconds()/sc.ideal, sites[0].requests, w.cuts, w.closes, w.hedges, w.dup>>10, w.steps)
				if f := d.Seconds() / sc.ideal; f > sc.factor {
					for _, l := range w.log {
						t.Log(l)
					}
					t.Errorf("%.3f × ideal, want at most %.2f", f, sc.factor)
				}
			})
		}
	}
}

// S9: killed at half, begun again with what was there. What is sent twice, or in vain where a cut breaks a connection (what its
// buffers hold on the way), is at most 2 %.
func TestResume(t *testing.T) {
	const size, buffers = 100 * mib, 256 << 10
	lost := int64(0)
	done := []sched.Range(nil)
	for i := range 2 {
		w := newWorld(t, size, sched.Config{Size: size, Connections: 8, Window: 32 * mib, Done: done}, &site{rate: 10 * mb})
		w.frontier = true
		if i == 0 {
			w.until = size / 2
			w.run(time.Minute)
		} else if d := w.finished(time.Minute); d.Seconds() > 1.02*float64(size/2)/(10*mb) {
			t.Errorf("the second half took %v", d)
		}
		for _, r := range w.written {
			done = append(done, sched.Range{Off: r[0], End: r[1]})
		}
		lost += w.dup + int64(w.broken)*buffers
	}
	if t.Logf("%d KiB in vain", lost>>10); float64(lost) > .02*size {
		t.Errorf("%d bytes in vain", lost)
	}
}

// Where it is the digest that bounds, connections wait for it. What those have that wait is not taken from them: it would not come
// sooner, and costs requests; and what is ahead of the frontier stays near it, so that it need not be read back.
func TestDigestBounds(t *testing.T) {
	const size, hashes = 1024 * mib, 1400. * mb
	st := &site{rate: 3000 * mb}
	w := newWorld(t, size, sched.Config{Connections: 16, Window: 32 * mib}, st)
	w.frontier, w.hashes = true, hashes
	d := w.finished(time.Minute)
	t.Logf("%v, %d requests, %d cuts, %d closes, up to %d MiB ahead", d, st.requests, w.cuts, w.closes, w.ahead>>20)
	if d.Seconds() > 1.05*size/hashes {
		t.Errorf("%v, ideal are %.3f s", d, size/hashes)
	}
	if w.cuts > 16 || st.requests > 16+size/(8*mib) {
		t.Errorf("%d cuts, %d requests", w.cuts, st.requests)
	}
	if w.ahead > 160*mib {
		t.Errorf("a range begins %d MiB ahead", w.ahead>>20)
	}
}
