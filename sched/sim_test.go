package sched_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"spate/sched"
)

const (
	mb   = 1_000_000
	mib  = 1 << 20
	tick = 2 * time.Millisecond
)

// site is how an origin of the simulation behaves. Rates are bytes per second, 0 is no limit.
type site struct {
	rate, connRate     float64
	delay              time.Duration // before each answer
	dial               time.Duration // before that, of a new connection
	stallAfter         int64         // silent after that many bytes, answers and all
	stallAt            int64         // what is behind that is never given, if > 0
	answers            bool          // it answers even when it is silent, but nothing follows
	idle               time.Duration // after which a driver takes an answer for broken that gives nothing
	resetMin, resetMax int64         // of a connection
	busy               int           // percent of the answers that are 503
	busyLater          bool          // but not before it has given anything
	retryAfter         time.Duration
	maxConns           int // more are answered 503
	cap                int64
	noRange, noSize    bool
	lies               bool
	refuse             bool
	gone               int64 // 404 after that many bytes, if > 0
	slowEvery          int64 // each data connection with number 4 modulo that is 50 times slower ...
	slowAfter          int64 // ... once so much was sent
	downFrom, downTill time.Duration

	sent, requests, dataConns int64
}

// flow is a connection of the simulation.
type flow struct {
	id, src           int
	asked             sched.Action
	off, end, bodyEnd int64
	opensAt           time.Duration
	lastAt            time.Duration // its answer, or its last byte
	told              time.Duration // when that was told last
	open, idle        bool
	resetAt           int64 // bytes of the connection
	carried, number   int64
	acc               float64
	held              int // answers to actions that are due
	heldTold          time.Duration
}

// world runs a Scheduler against sites, in steps of a tick.
type world struct {
	t        testing.TB
	rng      *rand.Rand
	size     int64
	sites    []*site
	s        *sched.Scheduler
	now      time.Duration
	flows    []*flow
	wake     time.Duration
	written  spanSet
	dup      int64 // fetched and of no use
	steps    int
	late     bool // the driver takes its time to answer Cut and Close
	answers  []lateAnswer
	frontier bool    // hashes at once, and says so
	hashes   float64 // bytes per second, if not at once; who is gateAhead ahead of that is held up
	told     int64
	until    int64 // bytes, at which it is killed
	first    *site // who has given the first bytes: they are the truth
	// refPatience is how long the first is waited for, where it is silent, before anybody else has proved to be right.
	refPatience time.Duration
	result      *sched.Action
	queue       []sched.Action
	doing       bool
	aside       map[int]sched.Class
	log         []string
	worst       int // most flows at once
	cuts        int
	broken      int   // connections that a cut has cost
	beyond      int64 // the furthest that a claim ended ahead of what is there in order
	closes      int
	hedges      int
	probes      int
	ahead       int64       // the furthest that a claim began ahead of the frontier
	pieces      *pieceWorld // nil: pieces have no digests
	by          []spanSet   // what of the result came from which site
	proofs      []proof     // that sites lie
}

func newWorld(t testing.TB, size int64, cfg sched.Config, sites ...*site) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(1, 2)), size: size, sites: sites, aside: map[int]sched.Class{}}
	for len(cfg.Sources) < len(sites) {
		cfg.Sources = append(cfg.Sources, sched.Source{})
	}
	for _, r := range cfg.Done {
		w.written.add(r.Off, r.End)
	}
	if cfg.Size == 0 {
		cfg.Size = -1
	}
	cfg.Rand = w.rng.Float64
	w.s = sched.New(cfg)
	return w
}

// A proof is when it turns out that a site has other bytes than the object's.
type proof struct {
	at   time.Duration
	site int
}

// book takes bytes of a site, unless it has proved to lie: a connection of it may not have been told yet.
func (w *world) book(off, end int64, site int) {
	if w.aside[site] == sched.Corrupt {
		return
	}
	w.write(off, end)
	if w.by == nil {
		w.by = make([]spanSet, len(w.sites))
	}
	w.by[site].add(off, end)
}

// disprove takes back what sites gave that have proved to lie by now. A driver tells of what it has written: also of what was not
// told by Progress.
func (w *world) disprove() {
	for w.result == nil && len(w.proofs) > 0 && w.proofs[0].at <= w.now && w.by != nil {
		src := w.proofs[0].site
		w.proofs = w.proofs[1:]
		ev := sched.Event{Type: sched.Disproved, Source: src}
		for _, r := range w.by[src] {
			ev.Ranges = append(ev.Ranges, sched.Range{Off: r[0], End: r[1]})
			w.written.remove(r[0], r[1])
		}
		w.by[src] = nil
		w.step(ev)
	}
}

// run returns the time that the download took.
func (w *world) run(limit time.Duration) time.Duration {
	w.t.Helper()
	w.step(sched.Event{Type: sched.Start})
	for w.result == nil && w.now < limit && (w.until == 0 || w.written.len() < w.until) {
		w.now += w.idleFor() + tick
		w.answerLate()
		w.transfer()
		w.disprove()
		if w.pieces != nil {
			w.pieces.check(w)
		}
		if w.frontier {
			there := w.written
			if w.pieces != nil {
				there = w.pieces.checked
			}
			f := there.prefix()
			if w.hashes > 0 {
				f = min(f, w.told+int64(w.hashes*tick.Seconds()))
			}
			if f > w.told {
				w.told = f
				w.step(sched.Event{Type: sched.Frontier, Off: f})
			}
		}
		if w.wake > 0 && w.now >= w.wake {
			w.wake = 0
			w.step(sched.Event{Type: sched.Tick})
		}
		if w.result == nil && w.wake == 0 {
			w.fatalf("no WakeAt is set at %v", w.now)
		}
	}
	return w.now
}

// idleFor is for how long nothing can happen, in whole ticks.
func (w *world) idleFor() time.Duration {
	next := w.wake
	if len(w.proofs) > 0 {
		next = min(next, w.proofs[0].at)
	}
	if w.pieces != nil && len(w.pieces.checks) > 0 || len(w.answers) > 0 || w.hashes > 0 {
		return 0
	}
	for _, f := range w.flows {
		st := w.sites[f.src]
		switch {
		case f.idle:
		case !f.open && !w.silent(st):
			next = min(next, f.opensAt)
		case !w.silent(st) || st.answers || st.idle > 0:
			return 0
		case st.downTill > w.now:
			next = min(next, st.downTill)
		}
	}
	return max(next-w.now-1, 0) / tick * tick
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	for _, l := range w.log[max(0, len(w.log)-60):] {
		w.t.Log(l)
	}
	w.t.Logf("there: %v", w.written)
	w.t.Fatalf(format, args...)
}

// finished runs and demands that all is there, once.
func (w *world) finished(limit time.Duration) time.Duration {
	w.t.Helper()
	d := w.run(limit)
	switch {
	case w.result == nil:
		w.fatalf("not finished after %v: %d of %d bytes", d, w.written.len(), w.size)
	case w.result.Type != sched.Finished:
		w.fatalf("gave up after %v: %v %v", d, w.result.Class, w.result.Faults)
	case w.written.len() != w.size || w.written.prefix() != w.size:
		w.fatalf("finished with %d of %d bytes", w.written.len(), w.size)
	}
	return d
}

func (w *world) step(ev sched.Event) {
	if w.result != nil {
		return
	}
	ev.At = w.now
	w.steps++
	if ev.Type != sched.Progress && ev.Type != sched.Tick && ev.Type != sched.Frontier && (ev.Type != sched.Verified || !ev.OK || ev.Conn > 0) {
		w.log = append(w.log, fmt.Sprintf("%v event %+v", w.now, ev))
	}
	w.queue = append(w.queue, w.s.Step(ev)...)
	if w.doing {
		return // an answer given on the spot: what it leads to comes behind what is being done
	}
	w.doing = true
	for n := 0; len(w.queue) > 0; n++ {
		if n > 1000 {
			w.fatalf("actions without end at %v", w.now)
		}
		a := w.queue[0]
		w.queue = w.queue[1:]
		if a.Type != sched.WakeAt {
			w.log = append(w.log, fmt.Sprintf("%v action %+v", w.now, a))
		}
		w.do(a)
	}
	w.doing = false
}

// answered has the answer to an action given: at once, or if the driver is a late one, up to 20 ms later, in which the connection
// does nothing.
func (w *world) answered(f *flow, answer func()) {
	if !w.late {
		answer()
		return
	}
	f.held++
	w.answers = append(w.answers, lateAnswer{w.now + time.Duration(w.rng.IntN(20))*time.Millisecond, f, answer})
}

type lateAnswer struct {
	at     time.Duration
	flow   *flow
	answer func()
}

// answerLate gives the answers that are due, those of a connection in their order.
func (w *world) answerLate() {
	waits := map[*flow]bool{}
	todo := w.answers
	w.answers = nil
	for _, l := range todo {
		if l.at > w.now || waits[l.flow] {
			waits[l.flow] = true
			w.answers = append(w.answers, l)
			continue
		}
		l.flow.held--
		if w.flow(l.flow.id) == l.flow {
			l.answer()
		}
	}
}

func (w *world) flow(id int) *flow {
	for _, f := range w.flows {
		if f.id == id {
			return f
		}
	}
	return nil
}

func (w *world) do(a sched.Action) {
	f := w.flow(a.Conn)
	switch a.Type {
	case sched.Open:
		w.ask(f, a)
	case sched.Cut:
		if f == nil || f.idle {
			w.fatalf("cut of connection %d, which has no range", a.Conn)
		}
		w.cuts++
		// the worker has claimed what its next read may bring
		f.end = min(f.end, max(a.End, f.off+w.rng.Int64N(64<<10)))
		w.answered(f, func() {
			w.step(sched.Event{Type: sched.CutDone, Conn: f.id, End: f.end})
			if f.open && f.off >= f.end && !f.idle {
				f.idle = true
				w.step(sched.Event{Type: sched.Progress, Conn: f.id, Off: f.off})
			}
		})
	case sched.Close, sched.Drop:
		w.closes++
		if f != nil {
			w.answered(f, func() {
				w.gone(f)
				w.step(sched.Event{Type: sched.Closed, Conn: f.id, Off: f.off})
			})
		}
	case sched.Keep:
		w.book(a.Off, a.End, f.src)
		w.dup -= a.End - a.Off
		if w.pieces != nil {
			w.pieces.gave(a.Off, a.End, f.src, w.sites[f.src])
		}
		if a.Off == a.End {
			return
		}
		f.idle, f.off, f.end = false, a.End, a.End
		w.answered(f, func() {
			f.idle = true
			w.step(sched.Event{Type: sched.Progress, Conn: f.id, Off: a.End})
		})
	case sched.WakeAt:
		if a.At <= w.now {
			w.fatalf("WakeAt %v at %v", a.At, w.now)
		}
		w.wake = a.At
	case sched.SetAside:
		w.aside[a.Source] = a.Class
	case sched.Finished, sched.GiveUp:
		w.result = &a
	}
}

func (w *world) ask(f *flow, a sched.Action) {
	st := w.sites[a.Source]
	if f == nil {
		f = &flow{id: a.Conn, src: a.Source}
		w.flows = append(w.flows, f)
		a.Fresh = true
	} else if !f.idle {
		w.fatalf("connection %d is asked while it reads", a.Conn)
	}
	if a.Restart {
		w.written, w.by = spanSet{}, nil
		if w.pieces != nil {
			w.pieces.void()
		}
	}
	if f.src != a.Source {
		w.fatalf("connection %d goes to another source", a.Conn)
	}
	if !a.Probe && !a.Hedge && a.Off-w.written.prefix() > w.ahead {
		w.ahead = a.Off - w.written.prefix()
	}
	if a.Probe {
		w.probes++
	}
	if end := a.End; end >= 0 && !a.Probe && !a.Hedge {
		w.beyond = max(w.beyond, end-w.written.prefix())
	}
	if a.Hedge {
		w.hedges++
	}
	f.asked, f.off, f.end, f.open, f.idle, f.acc = a, a.Off, a.End, false, false, 0
	if f.end < 0 {
		f.end = w.size
	}
	f.bodyEnd = f.end
	f.opensAt = w.now + st.delay
	if a.Fresh {
		f.opensAt += st.dial
		f.carried, f.number, f.resetAt = 0, 0, 0
		if st.resetMax > 0 {
			f.resetAt = st.resetMin + w.rng.Int64N(st.resetMax-st.resetMin+1)
		}
	}
	w.worst = max(w.worst, len(w.flows))
}

func (w *world) gone(f *flow) {
	w.flows = slices.DeleteFunc(w.flows, func(o *flow) bool { return o == f })
}

func (w *world) fail(f *flow, class sched.Class, after time.Duration) {
	w.gone(f)
	w.step(sched.Event{Type: sched.Failed, Conn: f.id, Off: f.off, Class: class, RetryAfter: after})
}

// write books bytes of the result: each exactly once.
func (w *world) write(off, end int64) {
	if off < end && w.written.overlaps(off, end) {
		w.fatalf("bytes %d-%d are written twice", off, end)
	}
	w.written.add(off, end)
}

func (w *world) silent(st *site) bool {
	return st.stallAfter > 0 && st.sent >= st.stallAfter || st.downTill > 0 && w.now >= st.downFrom && w.now < st.downTill
}

// transfer moves the bytes of one tick.
func (w *world) transfer() {
	for _, f := range slices.Clone(w.flows) {
		st := w.sites[f.src]
		if !f.open && !f.idle && f.held == 0 && w.now >= f.opensAt && (st.answers || !w.silent(st)) {
			w.answer(f)
		}
		if f.open && !f.idle && f.held == 0 && st.idle > 0 && (w.silent(st) || st.stallAt > 0 && f.off >= st.stallAt) && w.now >= f.lastAt+st.idle {
			w.fail(f, sched.Timeout, 0)
		}
	}
	for i, st := range w.sites {
		w.serve(i, st)
	}
}

func (w *world) serve(i int, st *site) {
	if w.silent(st) {
		return
	}
	var fs []*flow
	for _, f := range w.flows {
		if f.src == i && f.open && !f.idle && f.held == 0 {
			fs = append(fs, f)
		}
	}
	limits := make([]float64, len(fs))
	for j, f := range fs {
		if limits[j] = w.limit(st, f); w.heldUp(f) {
			limits[j] = 0
		}
	}
	given := fill(limits, st.rate*tick.Seconds())
	for j, f := range fs {
		if w.flow(f.id) == f && f.open && !f.idle && f.held == 0 {
			w.move(st, f, given[j])
		}
	}
}

// toldEach is how often a driver tells of progress at most: what came since then, and was the last for now, is not told.
const toldEach = 10 * time.Millisecond

// gateAhead is how far ahead of what is hashed may be read.
const gateAhead = 6 * mib

// heldUp says whether f has to wait for what is hashed, and tells of it as a driver does.
func (w *world) heldUp(f *flow) bool {
	if w.hashes == 0 || f.asked.Probe || f.asked.Hedge || f.off < w.told+gateAhead {
		f.heldTold = 0
		return false
	}
	if f.heldTold == 0 || w.now-f.heldTold >= 250*time.Millisecond {
		f.heldTold = w.now
		w.step(sched.Event{Type: sched.Progress, Conn: f.id, Off: f.off})
	}
	return true
}

// limit is what a connection may have in a tick.
func (w *world) limit(st *site, f *flow) float64 {
	r := st.connRate
	if r == 0 {
		r = 1e9
	}
	if st.slowEvery > 0 && f.number > 0 && f.number%st.slowEvery == 4 && st.sent >= st.slowAfter {
		r /= 50
	}
	return r * tick.Seconds()
}

// fill shares total over those with limits, 0 is no total.
func fill(limits []float64, total float64) []float64 {
	if total <= 0 {
		return limits
	}
	out := make([]float64, len(limits))
	idx := make([]int, len(limits))
	for i := range idx {
		idx[i] = i
	}
	slices.SortFunc(idx, func(a, b int) int {
		if limits[a] < limits[b] {
			return -1
		}
		return 1
	})
	for k, i := range idx {
		out[i] = min(limits[i], total/float64(len(idx)-k))
		total -= out[i]
	}
	return out
}

func (w *world) move(st *site, f *flow, bytes float64) {
	f.acc += bytes
	n := min(int64(f.acc), f.end-f.off, f.bodyEnd-f.off)
	if f.resetAt > 0 {
		n = min(n, f.resetAt-f.carried)
	}
	if st.stallAfter > 0 {
		n = min(n, max(st.stallAfter-st.sent, 0))
	}
	if st.stallAt > 0 {
		n = min(n, max(st.stallAt-f.off, 0))
	}
	f.acc -= float64(n)
	if n > 0 {
		if f.carried < 64<<10 && f.carried+n >= 64<<10 {
			st.dataConns++
			f.number = st.dataConns
		}
		f.carried += n
		f.lastAt = w.now
		st.sent += n
		if f.asked.Probe || f.asked.Hedge {
			w.dup += n
		} else {
			w.book(f.off, f.off+n, f.src)
			if w.first == nil {
				w.first = st
			}
			if w.pieces != nil {
				w.pieces.gave(f.off, f.off+n, f.src, st)
			} else if st.lies != w.first.lies {
				w.fatalf("bytes %d-%d come from a mirror that has others", f.off, f.off+n)
			}
		}
		f.off += n
	}
	switch {
	case f.resetAt > 0 && f.carried >= f.resetAt && f.off < f.end:
		w.fail(f, sched.Network, 0)
	case f.asked.Probe && f.off >= f.end:
		f.idle = true
		w.compare(f, st)
	case f.off >= f.end:
		f.idle = true
		if f.bodyEnd-f.end > sched.Drain {
			w.broken++
		}
		w.step(sched.Event{Type: sched.Progress, Conn: f.id, Off: f.off, EOF: st.noSize})
	case n > 0 && w.now-f.told >= toldEach:
		f.told = w.now
		w.step(sched.Event{Type: sched.Progress, Conn: f.id, Off: f.off})
	}
}

// compare answers a probe: at once, or where the first is silent, which has to give something for it, only once that is not waited for any
// more.
func (w *world) compare(f *flow, st *site) {
	answer := func() {
		w.step(sched.Event{Type: sched.Verified, Conn: f.id, OK: st.lies == w.first.lies, Source: f.src})
	}
	if w.refPatience == 0 || !w.silent(w.first) && w.first.stallAt == 0 {
		answer()
		return
	}
	w.step(sched.Event{Type: sched.Progress, Conn: f.id, Off: f.off})
	f.held++
	w.answers = append(w.answers, lateAnswer{w.now + w.refPatience, f, answer})
}

func (w *world) answer(f *flow) {
	st := w.sites[f.src]
	st.requests++
	open := 0
	for _, o := range w.flows {
		if o.src == f.src && o.open && !o.idle {
			open++
		}
	}
	switch {
	case st.refuse:
		w.fail(f, sched.Refused, 0)
	case st.gone > 0 && st.sent >= st.gone:
		w.fail(f, sched.Gone, 0)
	case st.maxConns > 0 && open >= st.maxConns, w.rng.IntN(100) < st.busy && (st.sent > 0 || !st.busyLater):
		w.fail(f, sched.Busy, st.retryAfter)
	case (st.noRange || st.noSize) && f.off > 0:
		w.fail(f, sched.RangeUnsupported, 0)
	default:
		f.open, f.lastAt, f.told = true, w.now, w.now
		ev := sched.Event{Type: sched.Opened, Conn: f.id, Size: w.size, Off: f.off, End: f.bodyEnd, Seekable: !st.noRange && !st.noSize,
			Setup: w.now - f.opensAt + st.delay}
		if st.noSize {
			ev.Size, ev.End = -1, -1
		}
		if st.cap > 0 && f.bodyEnd-f.off > st.cap {
			f.bodyEnd = f.off + st.cap
			f.end = min(f.end, f.bodyEnd)
			ev.End = f.bodyEnd
		}
		w.step(ev)
	}
}
