package fill

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// script drives a core by hand, of a file of 256 blocks of 64 KiB.
type script struct {
	t     *testing.T
	c     *core
	now   time.Duration
	there map[int64]bool
}

const (
	sblk  = 64 << 10
	ssize = 256 * sblk
)

func newScript(t *testing.T, mirrors int, named bool) *script {
	p := &script{t: t, there: map[int64]bool{}}
	var ms []*mirror
	for range mirrors {
		ms = append(ms, &mirror{})
	}
	p.c = newCore(sblk, ms)
	p.c.has = func(b int64) bool { return p.there[b] }
	p.c.learn(0, ssize, false, named)
	return p
}

func (p *script) reader(pos, end int64) *reader {
	r := &reader{pos: pos, end: end, waits: true, bounded: end != endless}
	p.c.attach(r)
	return r
}

// plan tells what is to be done, as text.
func (p *script) plan() (done []string) {
	for _, a := range p.c.plan(p.now) {
		switch a.kind {
		case begin:
			done = append(done, fmt.Sprintf("begin %d-%d of %d", (a.stream.want-a.stream.before)/sblk, a.stream.end/sblk, a.stream.mirror))
		case halt:
			done = append(done, fmt.Sprintf("halt %d", a.stream.id))
		case fail:
			done = append(done, "fail")
		}
	}
	return done
}

func (p *script) expects(want ...string) {
	p.t.Helper()
	if got := p.plan(); !slices.Equal(got, want) {
		p.t.Fatalf("at %v: %q, want %q", p.now, got, want)
	}
}

// answer has a stream answered.
func (p *script) answer(id int) *stream {
	s := p.c.find(id)
	p.c.asked(p.now, s)
	p.c.answered(p.now, s, s.want-s.before, s.end)
	p.c.awaits(p.now, s)
	return s
}

// bring has a stream bring n bytes.
func (p *script) bring(s *stream, n int64) {
	for n > 0 {
		m := min(n, p.c.from(p.c.index(s.off)+1)-s.off)
		if t := p.c.take(p.now, s, m); t.whole {
			p.there[t.index] = true
			p.c.stored(t.index, s)
		}
		n -= m
	}
}

func TestRunOfMissingNeighbours(t *testing.T) {
	p := newScript(t, 1, true)
	p.there[12], p.there[13] = true, true
	p.reader(10*sblk+5, endless)
	p.expects("begin 10-12 of 0")
	p.expects()
}

func TestRunGrowsWithWhatWasRead(t *testing.T) {
	for _, tt := range []struct{ run, end int64 }{{0, 26}, {sblk, 26}, {1 << 20, 138}, {mostAhead, 256}} {
		p := newScript(t, 1, true)
		p.reader(10*sblk, endless).run = tt.run
		p.expects(fmt.Sprintf("begin 10-%d of 0", tt.end))
	}
}

func TestBoundedReaderAsksForNoMore(t *testing.T) {
	p := newScript(t, 1, true)
	p.reader(10*sblk+5, 12*sblk+1)
	p.expects("begin 10-13 of 0")
}

// A stream within 1 MiB before what is wanted is waited for, one further off is not, and ends where the other begins.
func TestNearStreamIsReused(t *testing.T) {
	for _, tt := range []struct {
		at   int64
		want []string
	}{{26, nil}, {27, []string{"begin 27-43 of 0", "begin 43-256 of 0"}}} {
		p := newScript(t, 1, true)
		p.reader(10*sblk, endless).run = mostAhead
		p.expects("begin 10-256 of 0")
		p.answer(1)
		p.reader(tt.at*sblk, endless)
		got := p.plan()
		if !slices.Equal(got, tt.want) {
			t.Errorf("block %d: %q", tt.at, got)
		}
		if tt.want == nil && p.c.counts.joins != 1 || tt.want != nil && p.c.find(1).end != 27*sblk {
			t.Errorf("block %d: %d joins, the first one ends at %d", tt.at, p.c.counts.joins, p.c.find(1).end/sblk)
		}
	}
}

func TestReadAhead(t *testing.T) {
	for _, tt := range []struct{ run, blocks int64 }{
		{0, 1}, {firstAhead - 1, 1}, {firstAhead, 4}, {1 << 20, 16}, {mostAhead, 128}, {99 << 20, 128},
	} {
		p := newScript(t, 1, true)
		r := p.reader(0, endless)
		r.run = tt.run
		if _, to := p.c.window(r); to != tt.blocks*sblk {
			t.Errorf("%d bytes read: window of %d blocks, want %d", tt.run, to/sblk, tt.blocks)
		}
	}
}

func TestSeekBeginsAnewAndGoingOnDoesNot(t *testing.T) {
	p := newScript(t, 1, true)
	r := p.reader(0, 8*sblk)
	p.c.move(r, 8*sblk, p.c.fillingAt(r.pos))
	p.c.detach(r)
	if on := p.reader(8*sblk, 9*sblk); p.c.credit(on) != 8*sblk {
		t.Errorf("a reader that goes on has %d bytes ahead", p.c.credit(on))
	}
	if off := p.reader(8*sblk+1, endless); p.c.credit(off) != 0 {
		t.Errorf("one that begins elsewhere has %d", p.c.credit(off))
	}
}

// A stream in a block whose beginning has gone does not bring that: who is asked for it instead is not over for the other's sake, and so
// asked for again and again.
func TestBlockWithoutItsBeginning(t *testing.T) {
	p := newScript(t, 1, true)
	p.reader(0, sblk)
	p.expects("begin 0-1 of 0")
	p.bring(p.answer(1), 100)
	delete(p.c.parts, 0)
	p.expects("begin 0-1 of 0")
	if p.c.over(p.answer(2)) {
		t.Error("it is taken for over")
	}
	p.bring(p.c.find(2), 50)
	p.c.find(1).off = 50
	if s := p.c.add(0, 0, sblk); !p.c.over(s) {
		t.Error("one for what two others bring is not taken for over")
	}
}

func TestStreamLingers(t *testing.T) {
	p := newScript(t, 1, true)
	r := p.reader(0, endless)
	p.expects("begin 0-16 of 0")
	s := p.answer(1)
	p.bring(s, sblk)
	p.c.detach(r)
	p.expects()
	p.now += linger - 1
	p.expects()
	p.now++
	p.expects("halt 1")
}

func TestLingeringStreamIsTakenUp(t *testing.T) {
	p := newScript(t, 1, true)
	r := p.reader(0, endless)
	p.plan()
	s := p.answer(1)
	p.bring(s, sblk)
	p.c.detach(r)
	s.waits = false
	p.expects()
	p.now += linger - 1
	p.reader(3*sblk, endless)
	p.expects()
	p.c.awaits(p.now, s)
	p.now += minPatience - 1
	p.expects()
}

func TestOverdue(t *testing.T) {
	for _, tt := range []struct{ gap, patience time.Duration }{
		{time.Millisecond, 2 * time.Second}, {time.Second, 4 * time.Second}, {3 * time.Second, 6 * time.Second},
	} {
		p := newScript(t, 2, true)
		p.reader(0, endless)
		p.plan()
		s := p.answer(1)
		s.gap = tt.gap
		p.bring(s, 100)
		s.gap = tt.gap
		p.now += tt.patience - 1
		p.expects()
		p.now++
		p.expects("begin 0-16 of 1") // with what is there, to be compared
		if h := p.c.find(2); h.want != 100 || h.before != 100 || p.c.counts != (counts{stalls: 1, hedges: 1}) {
			t.Errorf("%+v %+v", h, p.c.counts)
		}
		p.expects()
		p.bring(s, 100) // it goes on, and wins
		p.bring(s, sblk-200)
		p.expects("halt 2")
	}
}

func TestWaitingTakesFromAhead(t *testing.T) {
	p := newScript(t, 1, true)
	for i := range int64(4) {
		p.reader(i*60*sblk, endless)
	}
	if got := p.plan(); len(got) != 4 {
		t.Fatal(got)
	}
	p.reader(30*sblk, endless)
	p.expects() // all four are waited for
	p.c.readers[2].waits = false
	p.expects("halt 3", "begin 30-46 of 0")
}

func TestFailures(t *testing.T) {
	p := newScript(t, 2, true)
	p.c.vague = false
	p.reader(0, endless)
	for i, want := range []string{"begin 0-16 of 0", "begin 0-16 of 1", "begin 0-16 of 0"} {
		p.expects(want)
		p.c.failed(p.now, p.c.find(i+1), failure{})
	}
	p.expects("begin 0-16 of 1") // whose first failure has no wait
	p.c.failed(p.now, p.c.find(4), failure{})
	p.expects()
	if p.c.wake() != backoffMin {
		t.Errorf("wakes at %v", p.c.wake())
	}
	p.now += backoffMin
	p.expects("begin 0-16 of 0")
	p.c.failed(p.now, p.c.find(5), failure{})
	p.expects("begin 0-16 of 1")
	p.c.failed(p.now, p.c.find(6), failure{})
	p.expects("fail")
}

func TestRetryAfterIsObeyed(t *testing.T) {
	p := newScript(t, 1, true)
	p.reader(0, endless)
	p.plan()
	p.c.failed(p.now, p.c.find(1), failure{wait: 3 * time.Second})
	p.expects()
	if p.c.wake() != 3*time.Second {
		t.Errorf("wakes at %v", p.c.wake())
	}
	p.now = 3 * time.Second
	p.expects("begin 0-16 of 0")
	p.c.failed(p.now, p.c.find(2), failure{wait: mostWait + 1})
	p.expects("fail")
}

func TestPartIsForgotten(t *testing.T) {
	p := newScript(t, 1, true)
	r := p.reader(0, endless)
	p.plan()
	s := p.answer(1)
	p.bring(s, 10)
	p.c.failed(p.now, s, failure{})
	p.c.detach(r)
	p.expects()
	if p.now += linger; len(p.c.parts) != 1 {
		t.Error("it went at once")
	}
	if p.expects(); len(p.c.parts) != 0 {
		t.Error("it stays")
	}
}

// A world of readers that come, read and leave, streams that bring, stall, break and end early, and blocks that go. Whatever happens,
// each reader that stays gets all of its bytes, there are never more streams than are allowed, and in a world where nothing goes
// wrong no more is brought twice than what streams had begun of a block when they had to make room.
func TestRandomWorlds(t *testing.T) {
	for world := range 40 {
		seed := rand.Uint64()
		if !t.Run(fmt.Sprint(world), func(t *testing.T) { newWorld(t, seed).run() }) {
			t.Fatalf("seed %d", seed)
		}
	}
}

type world struct {
	*script
	rnd   *rand.Rand
	calm  bool
	dup   int64
	halts int64
	lives map[*stream]bool
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 0)), lives: map[*stream]bool{}}
	w.calm = w.rnd.IntN(2) == 0
	w.script = newScript(t, 1+w.rnd.IntN(3), true)
	w.c.vague = false
	w.c.fill = w.rnd.IntN(4) == 0
	return w
}

func (w *world) run() {
	for range 8 {
		pos := w.rnd.Int64N(ssize)
		w.reader(pos, pos+1+w.rnd.Int64N(ssize-pos))
	}
	for step := 0; len(w.c.readers) > 0; step++ {
		if step > 200_000 {
			w.t.Fatalf("%d readers still wait: %+v", len(w.c.readers), *w.c.readers[0])
		}
		w.act()
		w.advance()
		w.now += time.Duration(w.rnd.IntN(20)) * time.Millisecond
	}
	if w.calm && w.dup > w.halts*sblk {
		w.t.Errorf("%d bytes were brought twice, %d streams made room", w.dup, w.halts)
	}
}

// act carries out what the core says.
func (w *world) act() {
	for _, a := range w.c.plan(w.now) {
		switch a.kind {
		case begin:
			w.lives[a.stream] = true
		case halt:
			w.halts++
			delete(w.lives, a.stream)
		case fail:
			a.reader.failed = false // it asks once more
		}
	}
	if len(w.c.streams) > w.c.most {
		w.t.Fatalf("%d streams", len(w.c.streams))
	}
	for _, s := range w.c.streams {
		if !w.lives[s] {
			w.t.Fatalf("a stream that nobody has begun: %+v", *s)
		}
	}
}

// advance has something happen.
func (w *world) advance() {
	for _, r := range slices.Clone(w.c.readers) {
		b := w.c.index(r.pos)
		have := w.c.need(b)
		if w.there[b] {
			have = w.c.to(b)
		}
		if n := min(have, r.end) - r.pos; n > 0 && w.rnd.IntN(3) > 0 {
			r.waits = false
			w.c.move(r, 1+w.rnd.Int64N(n), w.c.fillingAt(r.pos))
		} else if n <= 0 {
			r.waits = true
		}
		if r.pos >= r.end || !w.calm && w.rnd.IntN(5000) == 0 {
			w.c.detach(r)
		}
	}
	order := slices.SortedFunc(maps.Keys(w.lives), func(a, b *stream) int { return a.id - b.id })
	for _, s := range order {
		if w.lives[s] && slices.Contains(w.c.streams, s) {
			w.step(s)
		}
	}
	if !w.calm && w.rnd.IntN(50) == 0 {
		delete(w.there, w.rnd.Int64N(256))
	}
}

// step has something come of s.
func (w *world) step(s *stream) {
	end := func() {
		delete(w.lives, s)
		w.c.remove(s)
	}
	switch {
	case !w.calm && w.rnd.IntN(100) == 0:
		delete(w.lives, s)
		w.c.failed(w.now, s, failure{})
	case !w.calm && w.rnd.IntN(100) == 0:
		w.now += 3 * time.Second // nothing comes of anybody
	case s.phase == queued:
		w.c.asked(w.now, s)
	case s.phase == asking:
		w.c.answered(w.now, s, s.want-s.before, s.end)
	case w.c.over(s):
		end()
	default:
		n := min(w.c.quota(s), w.c.from(w.c.index(s.off)+1)) - s.off
		if s.waits = n > 0; n <= 0 {
			return
		}
		w.c.awaits(w.now, s)
		n = 1 + w.rnd.Int64N(n)
		off := s.off
		was := w.c.need(w.c.index(off))
		if w.there[w.c.index(off)] || off < was {
			w.dup += n
		}
		w.bring(s, n)
	}
}

// A reader that moves does not make others wait for ever.
func TestOthersAreNotForgotten(t *testing.T) {
	p := newScript(t, 1, true)
	p.reader(0, endless)
	p.plan()
	p.c.failed(p.now, p.c.find(1), failure{wait: time.Second})
	p.expects()
	p.there[9] = true
	other := p.reader(9*sblk, 10*sblk)
	p.c.planFor(p.now, other)
	if p.c.wake() != time.Second {
		t.Errorf("wakes at %v", p.c.wake())
	}
}

// A mirror that has failed is asked again after a while, where another has brought the bytes meanwhile.
func TestMirrorComesBack(t *testing.T) {
	p := newScript(t, 2, true)
	p.c.vague = false
	r := p.reader(0, endless)
	p.expects("begin 0-16 of 0")
	p.c.failed(p.now, p.c.find(1), failure{lasting: true})
	p.expects("begin 0-16 of 1")
	p.bring(p.answer(2), sblk)
	p.c.move(r, sblk, p.c.fillingAt(r.pos))
	p.now += pause
	p.c.failed(p.now, p.c.find(2), failure{lasting: true})
	p.expects("begin 1-17 of 0")
}

// Who found no connection has one as soon as somebody leaves.
func TestConnectionIsInherited(t *testing.T) {
	p := newScript(t, 1, true)
	var first *reader
	for i := range int64(5) {
		if r := p.reader(i*50*sblk, endless); first == nil {
			first = r
		}
	}
	if got := p.plan(); len(got) != 4 {
		t.Fatal(got)
	}
	p.c.detach(first)
	if got := p.c.settle(p.now); len(got) != 2 || got[0].kind != halt || got[1].kind != begin {
		t.Errorf("%+v", got)
	}
}

// TestCrossingIntoWhatHasJustCome: a block that is whole and not kept yet is no reason to give up, nor is it compared before it is
// kept.
func TestCrossingIntoWhatHasJustCome(t *testing.T) {
	p := newScript(t, 1, false)
	r := p.reader(0, 2*sblk)
	p.plan()
	s := p.answer(p.c.streams[0].id)
	whole := p.c.begun(0, s)
	whole.n, whole.whole = sblk, true
	p.c.move(r, sblk, p.c.fillingAt(0))
	p.c.begun(1, s).n = 1 // by another request
	if got := p.c.crosses(r); got != unproved {
		t.Fatalf("got %v while the block before is not kept yet", got)
	}
	if p.c.join(1); len(p.c.out) > 0 {
		t.Error("it is compared, although there is nothing to compare")
	}
	p.there[0] = true
	delete(p.c.parts, 0)
	if p.c.join(1); len(p.c.out) == 0 {
		t.Error("it is not compared, now that it is kept")
	}
}
