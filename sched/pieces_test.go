package sched_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"spate/sched"
)

// pieceWorld checks the pieces of a world, some time after they are whole. A site that lies gives wrong bytes in a part of the
// object, or now and then.
type pieceWorld struct {
	rng     *rand.Rand
	size    int64
	lie     func(st *site, off int64) bool // is the byte wrong that the site gives?
	givers  map[int64][]int                // of the bytes of the piece at an offset
	wrong   map[int64]bool
	checks  map[int64]time.Duration // when the outcome is told
	checked spanSet
	open    []int64 // those that are not right yet, and of which something was given, in order
	bad     int
}

func newPieceWorld(rng *rand.Rand, size int64, lie func(st *site, off int64) bool) *pieceWorld {
	p := &pieceWorld{rng: rng, size: size, lie: lie}
	p.void()
	return p
}

func (p *pieceWorld) void() {
	p.givers, p.wrong, p.checks = map[int64][]int{}, map[int64]bool{}, map[int64]time.Duration{}
	p.checked, p.open = nil, nil
}

// gave is told of bytes that were written.
func (p *pieceWorld) gave(off, end int64, src int, st *site) {
	for at := off / p.size * p.size; at < end; at += p.size {
		if !slices.Contains(p.givers[at], src) {
			p.givers[at] = append(p.givers[at], src)
		}
		p.wrong[at] = p.wrong[at] || p.lie(st, max(off, at))
		if i, is := slices.BinarySearch(p.open, at); !is {
			p.open = slices.Insert(p.open, i, at)
		}
	}
}

// check tells the scheduler of pieces.
func (p *pieceWorld) check(w *world) {
	for _, at := range slices.Clone(p.open) {
		if w.result != nil {
			return
		}
		end := min(at+p.size, w.size)
		due, waits := p.checks[at]
		switch {
		case waits && w.now >= due:
			p.open = slices.DeleteFunc(p.open, func(o int64) bool { return o == at })
			p.tell(w, at, end)
		case !waits && w.written.covers(at, end):
			p.checks[at] = w.now + time.Duration(p.rng.IntN(50))*time.Millisecond
		}
	}
}

func (p *pieceWorld) tell(w *world, at, end int64) {
	giver := -1
	if len(p.givers[at]) == 1 {
		giver = p.givers[at][0]
	}
	ok := !p.wrong[at]
	delete(p.checks, at)
	delete(p.givers, at)
	delete(p.wrong, at)
	if ok {
		p.checked.add(at, end)
	} else {
		p.bad++
		w.written.remove(at, end)
	}
	w.step(sched.Event{Type: sched.Verified, Off: at, End: end, OK: ok, Source: giver})
}

// What is wrong is fetched again, from somebody else; the download ends when every piece is right, and not before. Networks can be
// so bad that it is given up; but never because the one who does not lie was taken for a liar.
func TestPiecesOfLiars(t *testing.T) {
	seeds(t, 200, func(t *testing.T, r *rand.Rand) {
		n := rough(r)
		n.cfg.PieceSize = pick[int64](r, 100_000, 1<<20, 3_000_000)
		n.sites[0].lies = false
		for _, st := range n.sites[1:] {
			st.lies = st.lies || r.IntN(2) == 0
		}
		from := r.Int64N(n.size)
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng = r
		w.frontier, w.late = n.window, r.IntN(2) == 0
		w.pieces = newPieceWorld(r, n.cfg.PieceSize, func(st *site, off int64) bool { return st.lies && off >= from })
		w.run(20 * time.Minute)
		if w.result == nil || w.result.Type == sched.GiveUp && w.result.Faults[0].Class == sched.Corrupt {
			w.fatalf("%+v, though one does not lie", w.result)
		}
		if got := w.pieces.checked.len(); got != n.size && w.result.Type == sched.Finished {
			t.Errorf("%d of %d bytes were right\n%v", got, n.size, n)
		}
		if w.probes > 0 {
			t.Errorf("%d comparisons\n%v", w.probes, n)
		}
		for i := range n.sites {
			if !n.sites[i].lies && w.aside[i] == sched.Corrupt {
				t.Errorf("%d is set aside, and has not lied\n%v", i, n)
			}
		}
	})
}

// The only source may give a wrong byte now and then.
func TestOnlySourceErrs(t *testing.T) {
	seeds(t, 50, func(t *testing.T, r *rand.Rand) {
		n := benign(r)
		n.cfg.PieceSize = 1 << 20
		n.sites = n.sites[:1]
		w := newWorld(t, n.size, n.cfg, n.sites...)
		w.rng = r
		w.frontier = n.window
		times := 2
		w.pieces = newPieceWorld(r, n.cfg.PieceSize, func(*site, int64) bool {
			if times == 0 || r.IntN(1000) > 0 {
				return false
			}
			times--
			return true
		})
		w.finished(30 * time.Minute)
		if got := w.pieces.checked.len(); got != n.size {
			t.Errorf("%d of %d bytes were right\n%v", got, n.size, n)
		}
	})
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
			p := newScript(t, 4*mib, sched.Config{Connections: 1, PieceSize: mib, Sources: make([]sched.Source, 1+tt.others)})
			p.start()
			p.opened(1, time.Millisecond)
			p.pass(1100*time.Millisecond, map[int]float64{1: 2 * mb})
			p.piece(1, tt.giver, false)
			if got := len(of(sched.SetAside, p.all)); got != tt.aside {
				t.Errorf("%d set aside, want %d", got, tt.aside)
			}
			p.readAll()
			again := false
			for _, a := range of(sched.Open, p.all)[1:] {
				again = again || a.Off == mib && (a.End == 2*mib || a.Source == 1)
			}
			if !again {
				t.Errorf("%+v: the piece was not fetched again", p.all)
			}
			for i := range int64(4) {
				if len(of(sched.Finished, p.all)) > 0 {
					t.Errorf("finished, with %d pieces checked", i)
				}
				p.piece(i, 0, true)
			}
			if len(of(sched.Finished, p.all)) != 1 {
				t.Errorf("%+v", p.all)
			}
		})
	}
}

// piece tells of the outcome of a piece of 1 MiB.
func (p *script) piece(i int64, giver int, ok bool) []sched.Action {
	return p.do(sched.Event{Type: sched.Verified, Off: i * mib, End: min((i+1)*mib, p.size), Source: giver, OK: ok})
}

// readAll lets the last connection that was opened read what it was asked for, until nothing more is asked.
func (p *script) readAll() {
	for till := p.now + time.Minute; p.now < till; {
		opens := of(sched.Open, p.all)
		a := opens[len(opens)-1]
		if p.at[a.Conn] >= p.end[a.Conn] {
			return
		}
		p.opened(a.Conn, time.Millisecond)
		p.pass(10*time.Millisecond, map[int]float64{a.Conn: 10 * mb})
	}
}

// A piece may be found wrong before the scheduler was told that its last bytes are written.
func TestBadPieceBeforeItsProgress(t *testing.T) {
	p := newScript(t, 4*mib, sched.Config{Connections: 1, PieceSize: mib})
	p.start()
	p.opened(1, time.Millisecond)
	p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: mib + 1000})
	p.piece(1, 0, false)
	p.at[1] = 4 * mib
	p.do(sched.Event{Type: sched.Progress, Conn: 1, Off: 4 * mib})
	opens := of(sched.Open, p.all)
	if a := opens[len(opens)-1]; len(opens) != 2 || a.Off != mib || a.End != 2*mib {
		t.Errorf("%+v, want all of the piece", opens)
	}
}

// The same where its connection is about to end.
func TestBadPieceOfOneThatCloses(t *testing.T) {
	s := sched.New(sched.Config{Size: -1, Connections: 1, PieceSize: mib, Sources: make([]sched.Source, 2)})
	s.Step(sched.Event{Type: sched.Start})
	s.Step(sched.Event{Type: sched.Opened, Conn: 1, Size: 4 * mib, End: 4 * mib, Seekable: true, Setup: time.Millisecond})
	s.Step(sched.Event{Type: sched.Progress, Conn: 1, Off: mib + 1000})
	s.Step(sched.Event{Type: sched.Verified, Off: 0, End: mib}) // 0 is set aside, and closed
	s.Step(sched.Event{Type: sched.Verified, Off: mib, End: 2 * mib})
	var opens []sched.Action
	step := func(ev sched.Event) {
		for _, a := range s.Step(ev) {
			if a.Type == sched.Open {
				opens = append(opens, a)
			}
		}
	}
	for step(sched.Event{Type: sched.Closed, Conn: 1, Off: 3 * mib}); len(opens) > 0 && len(opens) < 10; {
		a := opens[len(opens)-1]
		if a.Source != 1 {
			t.Fatalf("%+v", a)
		}
		step(sched.Event{Type: sched.Opened, Conn: a.Conn, Off: a.Off, End: a.End, Size: 4 * mib, Seekable: true, Setup: time.Millisecond})
		before := len(opens)
		if step(sched.Event{Type: sched.Progress, Conn: a.Conn, Off: a.End}); len(opens) == before {
			break
		}
	}
	var asked spanSet
	for _, a := range opens {
		asked.add(a.Off, a.End)
	}
	if asked.overlaps(2*mib, 3*mib) || !asked.covers(0, 2*mib) || !asked.covers(3*mib, 4*mib) {
		t.Errorf("asked for %v", asked)
	}
}

// A piece that stays bad ends it.
func TestPieceStaysBad(t *testing.T) {
	for _, giver := range []int{-1, 0} {
		p := newScript(t, 4*mib, sched.Config{Connections: 1, PieceSize: mib})
		p.start()
		p.opened(1, time.Millisecond)
		p.pass(time.Second, map[int]float64{1: 2 * mb})
		n := 0
		for ; n < 20 && len(of(sched.GiveUp, p.all)) == 0; n++ {
			p.piece(0, giver, false)
		}
		if up := of(sched.GiveUp, p.all); len(up) != 1 || up[0].Class != sched.Corrupt || n < 3 {
			t.Errorf("%+v, after %d times", p.all, n)
		}
	}
}

// What was damaged on the disk is nobody's fault, however much it is.
func TestDamagedOnDisk(t *testing.T) {
	p := newScript(t, 64*mib, sched.Config{Size: 64 * mib, Connections: 1, PieceSize: mib, Done: []sched.Range{{Off: 0, End: 64 * mib}}})
	if got := p.start(); len(got) > 0 {
		t.Fatalf("%+v, want nothing before a piece was checked", got)
	}
	for i := range int64(64) {
		p.piece(i, -1, false)
	}
	p.readAll()
	for i := range int64(64) {
		p.piece(i, 0, true)
	}
	if len(of(sched.Finished, p.all)) != 1 || len(of(sched.SetAside, p.all)) > 0 {
		t.Errorf("%+v", p.all)
	}
}

// A source that gives nothing but wrong pieces is not asked for all of them.
func TestNothingButWrongPieces(t *testing.T) {
	st := &site{connRate: 10 * mb}
	w := newWorld(t, 200*mib, sched.Config{Connections: 2, PieceSize: mib}, st)
	w.pieces = newPieceWorld(w.rng, mib, func(*site, int64) bool { return true })
	w.run(time.Hour)
	if w.result == nil || w.result.Type != sched.GiveUp || w.result.Class != sched.Corrupt || w.pieces.bad > 10 {
		t.Errorf("%+v after %d pieces", w.result, w.pieces.bad)
	}
}

// Who checks may take his time, but not for ever.
func TestNobodyChecks(t *testing.T) {
	p := newScript(t, 4*mib, sched.Config{Connections: 1, PieceSize: mib, RetryMax: time.Nanosecond})
	p.start()
	p.opened(1, time.Millisecond)
	p.readAll()
	p.pass(9*time.Minute, nil)
	p.piece(0, 0, true)
	last := p.now
	for len(of(sched.GiveUp, p.all)) == 0 && p.now < time.Hour {
		p.pass(time.Second, nil)
	}
	if took := p.now - last; took < 10*time.Minute || took > 11*time.Minute {
		t.Errorf("gave up %v after the last piece was checked", took)
	}
}
