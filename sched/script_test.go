package sched_test

import (
	"slices"
	"testing"
	"time"

	"spate/sched"
)

// script drives a Scheduler by hand. Cut and Close are answered at once, as they are by a driver.
type script struct {
	t    *testing.T
	s    *sched.Scheduler
	at   map[int]int64 // how far each connection is
	end  map[int]int64
	size int64
	now  time.Duration
	// stubborn connections have claimed all of their ranges: a Cut frees nothing.
	stubborn bool
	keeps    bool          // Keep is answered by the test
	grant    map[int]int64 // what a Cut of that connection is granted, if that is more
	answered int           // how many of the Opens answer has answered
	all      []sched.Action
}

func newScript(t *testing.T, size int64, cfg sched.Config) *script {
	if cfg.Sources == nil {
		cfg.Sources = make([]sched.Source, 1)
	}
	if cfg.Size == 0 {
		cfg.Size = -1
	}
	p := &script{t: t, s: sched.New(cfg), at: map[int]int64{}, end: map[int]int64{}, size: size}
	return p
}

// do reports an event, and returns what came of it, answers to cuts and closes included, without WakeAt.
func (p *script) do(ev sched.Event) []sched.Action {
	ev.At = p.now
	var got []sched.Action
	todo := p.s.Step(ev)
	for len(todo) > 0 {
		a := todo[0]
		todo = todo[1:]
		switch a.Type {
		case sched.WakeAt:
			continue
		case sched.Open:
			p.at[a.Conn], p.end[a.Conn] = a.Off, a.End
			if a.End < 0 {
				p.end[a.Conn] = p.size
			}
		case sched.Cut:
			if !p.stubborn {
				p.end[a.Conn] = max(a.End, p.grant[a.Conn])
			}
			a.End = p.end[a.Conn]
			todo = append(todo, p.s.Step(sched.Event{Type: sched.CutDone, At: p.now, Conn: a.Conn, End: a.End})...)
		case sched.Keep:
			if !p.keeps && a.Off < a.End {
				todo = append(todo, p.s.Step(sched.Event{Type: sched.Progress, At: p.now, Conn: a.Conn, Off: a.End})...)
			}
		case sched.Close, sched.Drop:
			todo = append(todo, p.s.Step(sched.Event{Type: sched.Closed, At: p.now, Conn: a.Conn, Off: p.at[a.Conn]})...)
		}
		if got = append(got, a); len(got) > 1000 {
			p.t.Fatalf("it never ends: %v", got[:10])
		}
	}
	p.all = append(p.all, got...)
	return got
}

func (p *script) start() []sched.Action { return p.do(sched.Event{Type: sched.Start}) }

func (p *script) opened(conn int, setup time.Duration) []sched.Action {
	return p.do(sched.Event{Type: sched.Opened, Conn: conn, Off: p.at[conn], End: p.end[conn], Size: p.size, Seekable: true, Setup: setup})
}

// answer answers the Opens that it has not answered yet, which each may do before.
func (p *script) answer(setup time.Duration, each func(sched.Action)) {
	for opens := of(sched.Open, p.all); p.answered < len(opens); opens = of(sched.Open, p.all) {
		a := opens[p.answered]
		p.answered++
		if each != nil {
			each(a)
		}
		p.opened(a.Conn, setup)
	}
}

// pass lets time go by, in which the given connections read at their rates; others are silent.
func (p *script) pass(d time.Duration, rates map[int]float64) (got []sched.Action) {
	const dt = 10 * time.Millisecond
	for till := p.now + d; p.now < till; {
		p.now += dt
		for _, c := range sorted(rates) {
			if p.at[c] >= p.end[c] {
				continue
			}
			p.at[c] = min(p.at[c]+int64(rates[c]*dt.Seconds()), p.end[c])
			got = append(got, p.do(sched.Event{Type: sched.Progress, Conn: c, Off: p.at[c]})...)
		}
		got = append(got, p.do(sched.Event{Type: sched.Tick})...)
	}
	return got
}

func sorted(m map[int]float64) (keys []int) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (p *script) fail(conn int, class sched.Class, after time.Duration) []sched.Action {
	return p.do(sched.Event{Type: sched.Failed, Conn: conn, Off: p.at[conn], Class: class, RetryAfter: after})
}

func of(kind sched.ActionType, in []sched.Action) (out []sched.Action) {
	for _, a := range in {
		if a.Type == kind {
			out = append(out, a)
		}
	}
	return out
}

func TestStart(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  sched.Config
		want sched.Action
	}{
		{"one request to the end, no HEAD", sched.Config{}, sched.Action{Type: sched.Open, Conn: 1, End: -1, Fresh: true}},
		{"also where the size is known", sched.Config{Size: 9 * mib}, sched.Action{Type: sched.Open, Conn: 1, End: -1, Fresh: true}},
		{"the preferred source", sched.Config{Sources: []sched.Source{{Priority: 2}, {Priority: 1}}},
			sched.Action{Type: sched.Open, Conn: 1, Source: 1, End: -1, Fresh: true}},
		{"what is missing", sched.Config{Size: 9 * mib, Done: []sched.Range{{Off: 0, End: mib}, {Off: 2 * mib, End: 9 * mib}}},
			sched.Action{Type: sched.Open, Conn: 1, Off: mib, End: 2 * mib, Fresh: true}},
		{"what is missing, behind the window", sched.Config{Size: 90 * mib, Window: mib, Done: []sched.Range{{Off: 0, End: 89 * mib}}},
			sched.Action{Type: sched.Open, Conn: 1, Off: 89 * mib, End: 90 * mib, Fresh: true}},
		{"nothing is missing", sched.Config{Size: 9 * mib, Done: []sched.Range{{Off: -1, End: 10 * mib}}}, sched.Action{Type: sched.Finished}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newScript(t, 9*mib, tt.cfg).start()
			if len(got) != 1 || got[0].Type != tt.want.Type || got[0].Conn != tt.want.Conn || got[0].Source != tt.want.Source ||
				got[0].Off != tt.want.Off || got[0].End != tt.want.End || got[0].Fresh != tt.want.Fresh {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestConnectionsAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name       string
		size       int64
		n, perHost int
		minRange   int64
		want       int
	}{
		{"all at once", 64 * mib, 16, 0, 0, 16},
		{"a ceiling of the user's", 64 * mib, 16, 4, 0, 4},
		{"one", 64 * mib, 1, 0, 0, 1},
		{"as many as ranges of the smallest size", 4 * mib, 16, 0, 0, 4},
		{"a byte less", 4*mib - 1, 16, 0, 0, 3},
		{"smaller than one", mib - 1, 16, 0, 0, 1},
		{"larger ranges", 64 * mib, 16, 0, 20 * mib, 3},
		{"empty", 0, 16, 0, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, tt.size, sched.Config{Connections: tt.n, PerHost: tt.perHost, MinRange: tt.minRange})
			p.start()
			p.opened(1, time.Millisecond)
			if got := len(of(sched.Open, p.all)); got != tt.want {
				t.Errorf("%d connections, want %d", got, tt.want)
			}
		})
	}
}

// Connections are doubled while that gives 15 % more, and while there is work for longer than two set-ups and a second.
func TestRamp(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int64
		site site
		want int // connections at most
	}{
		{"each gives more", 100 * mib, site{connRate: mb}, 8},
		{"the second gives nothing", 100 * mib, site{rate: mb}, 2},
		{"the third and fourth give nothing", 100 * mib, site{connRate: mb, rate: 2 * mb}, 4},
		{"15 % is enough", 100 * mib, site{connRate: mb, rate: 2.4 * mb}, 8},
		{"a small file", mib, site{connRate: mb}, 1},
		{"a fast one", 64 * mib, site{connRate: 100 * mb}, 1},
		{"no more than two set-ups and a second remain", 2.2 * mb, site{connRate: mb, delay: 200 * time.Millisecond}, 1},
		{"more than that", 3 * mb, site{connRate: mb, delay: 200 * time.Millisecond}, 2},
		{"slow to set up", 3 * mib, site{connRate: mb, delay: time.Second, dial: time.Second}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, tt.size, sched.Config{}, &tt.site)
			w.finished(5 * time.Minute)
			if w.worst != tt.want {
				t.Errorf("%d connections at most, want %d", w.worst, tt.want)
			}
		})
	}
}

// What a host refuses beyond its limit is not asked for again and again.
func TestCeiling(t *testing.T) {
	for _, tt := range []struct {
		name   string
		site   site
		most   int64 // requests
		factor float64
	}{
		{"of 3, without a word", site{connRate: mb, maxConns: 3}, 60, 1.1},
		{"of 3, with Retry-After", site{connRate: mb, maxConns: 3, retryAfter: 2 * time.Second}, 60, 1.6},
		{"of 1", site{connRate: mb, maxConns: 1}, 40, 1.1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, 60*mb, sched.Config{Connections: 8}, &tt.site)
			d := w.finished(5 * time.Minute)
			ideal := 60 / float64(tt.site.maxConns)
			t.Logf("%v, %d requests", d, tt.site.requests)
			if d.Seconds() > tt.factor*ideal+1 {
				t.Errorf("%v, ideal are %v s", d, ideal)
			}
			if tt.site.requests > tt.most {
				t.Errorf("%d requests, want at most %d", tt.site.requests, tt.most)
			}
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		class sched.Class
		after time.Duration
		want  time.Duration // until the next request
	}{
		{"429, 7 s", sched.Busy, 7 * time.Second, 7 * time.Second},
		{"nothing said: at once", sched.Busy, 0, 0},
		{"reset: at once", sched.Network, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, 10*mib, sched.Config{})
			p.start()
			got := of(sched.Open, p.fail(1, tt.class, tt.after))
			for len(got) == 0 && p.now < time.Minute {
				got = of(sched.Open, p.pass(10*time.Millisecond, nil))
			}
			if len(got) != 1 || p.now != tt.want {
				t.Errorf("asked %d times, after %v, want once after %v", len(got), p.now, tt.want)
			}
		})
	}
}

func TestGivingUp(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fail   []sched.Class // of each request, the last one of all that follow
		after  time.Duration
		opened bool // the first request is answered, and gives something
		asked  int
		why    sched.Class
	}{
		{"404", []sched.Class{sched.Gone}, 0, false, 1, sched.Gone},
		{"three quick tries", []sched.Class{sched.Network}, 0, false, 3, sched.Network},
		{"three quick tries where it is refused", []sched.Class{sched.Refused}, 0, false, 3, sched.Refused},
		{"changed", []sched.Class{sched.Network, sched.Changed}, 0, true, 2, sched.Changed},
		{"a Retry-After that is too late", []sched.Class{sched.Busy}, time.Hour, true, 1, sched.Busy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, 10*mib, sched.Config{Connections: 1})
			p.start()
			if tt.opened {
				p.opened(1, time.Millisecond)
				p.pass(100*time.Millisecond, map[int]float64{1: mb})
			}
			for i, failed := 0, 0; p.now < time.Hour; i++ {
				if opens := of(sched.Open, p.all); failed < len(opens) {
					failed++
					p.fail(opens[failed-1].Conn, tt.fail[min(failed, len(tt.fail))-1], tt.after)
				}
				if up := of(sched.GiveUp, p.all); len(up) > 0 {
					if up[0].Class != tt.why || len(up[0].Faults) != 1 || up[0].Faults[0].Class != tt.why {
						t.Errorf("%+v, want %v", up[0], tt.why)
					}
					break
				}
				p.pass(10*time.Millisecond, nil)
			}
			if got := len(of(sched.Open, p.all)); got != tt.asked {
				t.Errorf("asked %d times, want %d", got, tt.asked)
			}
			if len(of(sched.GiveUp, p.all)) != 1 {
				t.Error("it did not give up")
			}
		})
	}
}

// What a connection too many is told, be it that it has no permission, does not end those that read.
func TestGoneForOneTooMany(t *testing.T) {
	p := newScript(t, 10*mib, sched.Config{Connections: 2})
	p.start()
	p.opened(1, time.Millisecond)
	p.fail(2, sched.Gone, 0)
	if got := slices.Concat(of(sched.SetAside, p.all), of(sched.Close, p.all)); len(got) > 0 {
		t.Errorf("%+v", got)
	}
	p.fail(1, sched.Network, 0)
	for id := 3; id <= 5; id++ {
		for p.now < time.Minute && len(of(sched.Open, p.all)) < id {
			p.pass(10*time.Millisecond, nil)
		}
		if len(of(sched.GiveUp, p.all)) > 0 {
			t.Fatalf("it gave up before request %d", id)
		}
		p.fail(id, sched.Gone, 0)
	}
	if up := of(sched.GiveUp, p.all); len(up) != 1 || up[0].Class != sched.Gone {
		t.Errorf("where none is left that reads, three times: %+v", up)
	}
}

// A connection that was lost is waited for, with requests further and further apart, for RetryMax after the last byte.
func TestLostIsWaitedFor(t *testing.T) {
	p := newScript(t, 10*mib, sched.Config{Connections: 1, RetryMax: 5 * time.Minute})
	p.start()
	p.opened(1, time.Millisecond)
	p.pass(time.Second, map[int]float64{1: mb})
	var at []time.Duration
	p.fail(1, sched.Network, 0)
	for n := 1; p.now < time.Hour && len(of(sched.GiveUp, p.all)) == 0; p.pass(10*time.Millisecond, nil) {
		if opens := of(sched.Open, p.all); len(opens) > n {
			n = len(opens)
			at = append(at, p.now)
			p.fail(opens[n-1].Conn, sched.Network, 0)
		}
	}
	if p.now < 301*time.Second || p.now > 302*time.Second {
		t.Errorf("gave up after %v, want 5 minutes after the last byte", p.now)
	}
	if len(at) < 12 || len(at) > 25 {
		t.Errorf("asked at %v", at)
	}
	for i := 3; i < len(at); i++ {
		if gap := at[i] - at[i-1]; gap > 31*time.Second || gap < (at[i-1]-at[i-2])*9/10 {
			t.Errorf("asked at %v: after %v", at, gap)
		}
	}
}

// opens8 has 8 connections that read, their ids from 1.
func opens8(t *testing.T, size int64, cfg sched.Config) *script {
	cfg.Connections = 8
	p := newScript(t, size, cfg)
	p.start()
	p.opened(1, time.Millisecond)
	for c := 2; c <= 8; c++ {
		p.opened(c, 10*time.Millisecond)
	}
	if len(p.end) != 8 {
		t.Fatalf("%d connections", len(p.end))
	}
	return p
}

func even(n int, rate float64) map[int]float64 {
	m := map[int]float64{}
	for i := range n {
		m[i+1] = rate
	}
	return m
}

func TestSilentConnectionIsReplaced(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rates map[int]float64
		after time.Duration // in which connection 3 is closed
	}{
		{"others read", map[int]float64{1: mb, 2: mb, 4: mb, 5: mb, 6: mb, 7: mb, 8: mb}, 3 * time.Second},
		{"nobody reads: the read time-out", nil, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := opens8(t, 400*mib, sched.Config{})
			p.pass(100*time.Millisecond, even(8, mb))
			last := p.now
			for p.now < time.Minute {
				if got := p.pass(10*time.Millisecond, tt.rates); slices.ContainsFunc(of(sched.Close, got), func(a sched.Action) bool { return a.Conn == 3 }) {
					if opens := of(sched.Open, got); !slices.ContainsFunc(opens, func(a sched.Action) bool { return a.Off <= p.at[3] && p.at[3] < a.End }) && tt.rates != nil || len(opens) == 0 {
						t.Errorf("connection 3 is closed, but nobody goes on at %d: %+v", p.at[3], opens)
					}
					break
				}
			}
			if d := p.now - last; d < tt.after || d > tt.after+300*time.Millisecond {
				t.Errorf("replaced after %v, want %v", d, tt.after)
			}
		})
	}
}

// A driver that is held up by its own side says so, and nobody is replaced.
func TestBackpressureIsNoSilence(t *testing.T) {
	p := opens8(t, 400*mib, sched.Config{})
	p.pass(100*time.Millisecond, even(8, mb))
	for range 100 {
		for c := range 8 {
			p.do(sched.Event{Type: sched.Progress, Conn: c + 1, Off: p.at[c+1]})
		}
		if got := p.pass(time.Second, map[int]float64{1: mb / 10}); len(of(sched.Close, got)) > 0 {
			t.Fatalf("%+v", got)
		}
	}
}

// Nothing is moved for a gain that a request would eat up.
func TestStealFloor(t *testing.T) {
	for _, tt := range []struct {
		name string
		lag  time.Duration // of connection 2
		cut  bool
	}{
		{"nothing to gain", 0, false},
		{"20 ms late", 20 * time.Millisecond, false},
		{"a second late", time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := opens8(t, 16*mib, sched.Config{})
			p.all = nil
			rates := even(8, mb)
			delete(rates, 2)
			p.pass(tt.lag, rates)
			for rates[2] = mb; len(of(sched.Finished, p.all)) == 0; {
				p.pass(10*time.Millisecond, rates)
			}
			if got := len(of(sched.Cut, p.all)) > 0; got != tt.cut {
				t.Errorf("cut: %v, want %v", got, tt.cut)
			}
		})
	}
}

// The last range is fetched once more where it hangs; the first copy that is whole wins.
func TestTailHedge(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first string
		want  sched.ActionType
	}{
		{"the copy wins", "hedge", sched.Keep},
		{"the original wins", "original", sched.Drop},
		{"the original fails, then the copy is whole", "original fails", sched.Keep},
		{"the copy fails, then the original ends", "hedge fails", sched.Finished},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newScript(t, 2*mib, sched.Config{Connections: 2})
			p.keeps = true
			p.start()
			p.opened(1, 10*time.Millisecond)
			p.opened(2, 10*time.Millisecond)
			for p.at[2] < p.end[2]-60_000 { // too little to take from
				p.pass(10*time.Millisecond, map[int]float64{1: mb, 2: mb})
			}
			var got []sched.Action
			for p.now < 2*time.Second && len(of(sched.Open, got)) == 0 {
				got = p.pass(10*time.Millisecond, map[int]float64{1: mb})
			}
			hedges := of(sched.Open, got)
			if len(hedges) != 1 || !hedges[0].Hedge || hedges[0].Off != p.at[2] || hedges[0].End != p.end[2] {
				t.Fatalf("%+v, want a hedge of what connection 2 has left, %d-%d", got, p.at[2], p.end[2])
			}
			h := hedges[0].Conn
			p.opened(h, 10*time.Millisecond)
			p.all = nil
			whole := func(c int) {
				p.at[c] = p.end[c]
				p.do(sched.Event{Type: sched.Progress, Conn: c, Off: p.end[c]})
			}
			switch tt.first {
			case "hedge":
				whole(h)
			case "original":
				whole(2)
			case "original fails":
				p.at[2] += 1000
				p.fail(2, sched.Network, 0)
				whole(h)
			case "hedge fails":
				p.fail(h, sched.Network, 0)
				whole(2)
			}
			if tt.want == sched.Keep {
				if len(of(sched.Finished, p.all)) > 0 {
					t.Fatalf("%+v: before the copy is written", p.all)
				}
				whole(h)
			}
			if len(of(tt.want, p.all)) != 1 || len(of(sched.Finished, p.all)) != 1 {
				t.Fatalf("%+v", p.all)
			}
			if k := of(sched.Keep, p.all); len(k) > 0 && (k[0].Off != p.at[2] || k[0].End != p.end[h]) {
				t.Errorf("kept %d-%d, want %d-%d", k[0].Off, k[0].End, p.at[2], p.end[h])
			}
		})
	}
}

// TestRefusedCut: where a Cut frees nothing, it is not asked for again before the connection has moved on.
func TestRefusedCut(t *testing.T) {
	const size = 64 << 20
	p := newScript(t, size, sched.Config{Size: size, Connections: 2})
	p.stubborn = true
	p.do(sched.Event{Type: sched.Start})
	p.do(sched.Event{Type: sched.Opened, Conn: 1, Size: size, End: size, Seekable: true, Setup: time.Millisecond})
	p.do(sched.Event{Type: sched.Opened, Conn: 2, Size: size, Off: p.at[2], End: p.end[2], Seekable: true, Setup: time.Millisecond})
	for range 200 { // one is slow, the other is not
		p.now += 100 * time.Millisecond
		for conn, rate := range map[int]int64{1: 1 << 16, 2: 1 << 20} {
			if p.at[conn] < p.end[conn] {
				p.at[conn] = min(p.at[conn]+rate, p.end[conn])
				p.do(sched.Event{Type: sched.Progress, Conn: conn, Off: p.at[conn]})
			}
		}
	}
	if !slices.ContainsFunc(p.all, func(a sched.Action) bool { return a.Type == sched.Cut }) {
		t.Error("nothing was cut")
	}
}
