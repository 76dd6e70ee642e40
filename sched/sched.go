package sched

import (
	"slices"
	"time"
)

// Scheduler is the state of one object's download. It is not safe for concurrent use. Make it with New.
type Scheduler struct {
	cfg     Config
	now     time.Duration // by a clock that stands still while we do
	slept   time.Duration // so much the events' is ahead of that
	due     time.Duration // when a Tick was asked for last; 0: never
	size    int64         // -1: not known
	sources []*source
	conns   []*conn // those that live, in the order of their ids
	lastID  int

	gaps     spans // nobody's, in order; empty while the size is not known
	done     spans // there, apart from what living connections have of their ranges
	got      int64 // bytes that are there, of living connections too
	checked  spans // of them those whose piece has its digest; only with a PieceSize
	frontier int64
	looked   int64 // the frontier when it last opened the window by enough

	begun    bool          // an origin has answered: its size is the object's
	held     bool          // enough is there to compare a new mirror with
	lastByte time.Duration // when anything came last: what RetryMax is counted from
	// triesTill is until when the source is waited for that was asked last of those that had not been since then.
	triesTill time.Duration
	voided    bool          // what is there is void: to be said with the next Open
	dup       int64         // bytes asked for twice
	bad       map[int64]int // how often the piece at an offset was wrong
	why       Class         // the last failure
	wakeAt    time.Duration // the last WakeAt, 0: none
	over      bool
	out       []Action
}

// New returns a scheduler that has done nothing yet. Its first event is Start.
func New(cfg Config) *Scheduler {
	s := &Scheduler{cfg: cfg.withDefaults(), size: cfg.Size, bad: map[int64]int{}}
	hosts := map[string]*host{}
	for _, c := range cfg.Sources {
		h := hosts[c.Host]
		if h == nil {
			h = &host{ceiling: s.cfg.PerHost, target: s.firstTarget()}
		}
		if c.Host != "" {
			hosts[c.Host] = h
		}
		s.sources = append(s.sources, &source{host: h, priority: c.Priority, trusted: s.checks(), heard: -forever / 2, asked: -1})
	}
	if s.size >= 0 {
		s.gaps.add(Range{0, s.size})
		for _, r := range cfg.Done {
			s.markDone(Range{max(r.Off, 0), min(r.End, s.size)})
		}
		s.got = s.done.len()
		s.held = s.got >= probeLen
	}
	return s
}

// Step takes what happened and returns what to do about it. It is quick, O(connections), and never blocks.
func (s *Scheduler) Step(ev Event) []Action {
	s.out = nil
	if s.over {
		return nil
	}
	s.elapse(ev.At - s.slept)
	if s.wakeAt <= s.now || ev.Type == Tick {
		s.wakeAt = 0
	}
	if s.handle(ev) {
		s.plan()
	}
	return s.out
}

// lateBy is how much later than it was asked for a Tick may come from who is only busy.
const lateBy = time.Second

// elapse moves the clock on. Where nothing was told for far longer than until a Tick that was asked for, the process was stopped, or its
// machine asleep: nobody could have been heard, so that time does not count; but what was to be waited for has passed.
func (s *Scheduler) elapse(now time.Duration) {
	last := max(s.due, s.now)
	if s.due == 0 || now <= last+lateBy {
		s.now = max(s.now, now)
		return
	}
	var waits []*time.Duration
	for _, src := range s.sources {
		waits = append(waits, &src.until)
		if of := &src.host.until; !slices.Contains(waits, of) { // which others share
			waits = append(waits, of)
		}
	}
	for _, until := range waits {
		*until -= now - last
	}
	s.slept += now - last
	s.now = last
}

// handle takes one event and says whether there is anything to plan anew: bytes as such change nothing.
func (s *Scheduler) handle(ev Event) bool {
	c := s.conn(ev.Conn)
	switch ev.Type {
	case Start:
		s.lastByte = s.now
	case Tick:
	case Frontier:
		s.frontier = max(s.frontier, ev.Off)
		return s.opens()
	case Verified:
		s.verified(c, ev)
	case Disproved:
		s.disproved(ev)
	default:
		if c == nil {
			return false // it died meanwhile
		}
		return s.handleConn(c, ev)
	}
	return true
}

func (s *Scheduler) handleConn(c *conn, ev Event) bool {
	switch ev.Type {
	case Opened:
		s.opened(c, ev)
	case Progress:
		return s.progress(c, ev)
	case CutDone:
		s.cutDone(c, ev.End)
	case Closed:
		s.detach(c, ev.Off)
	case Failed:
		s.failed(c, ev)
	}
	return true
}

// plan gives work to whoever has none, and looks whether those who have some get on.
func (s *Scheduler) plan() {
	if s.size >= 0 && s.got >= s.size {
		s.fetched()
		return
	}
	s.watch()
	s.climb()
	s.dismiss()
	if s.hopeless() {
		s.giveUp()
		return
	}
	s.assign()
	s.unblock()
	if s.live() == 0 && s.cfg.RetryMax < 0 {
		s.giveUp()
		return
	}
	s.wake()
}

// fetched is for when every byte is there: that is the end, unless pieces are still to be checked, which may take its time.
func (s *Scheduler) fetched() {
	switch {
	case !s.checks() || s.checked.len() >= s.size:
		s.over = true
		s.act(Action{Type: Finished})
	case s.now < s.lastByte+max(s.cfg.RetryMax, checkMax):
		s.wakeBy(s.now + 250*time.Millisecond)
	default: // whoever checks has stopped
		s.giveUp()
	}
}

func (s *Scheduler) act(a Action) { s.out = append(s.out, a) }

// wake asks for a Tick at the next time at which something may have to be decided without an event: always, while anything waits.
func (s *Scheduler) wake() {
	at := s.now + 250*time.Millisecond
	if s.live() == 0 {
		at = min(max(s.mayTryAgain(), s.now+10*time.Millisecond), s.lastByte+s.cfg.RetryMax, s.now+5*time.Second)
	} else if s.anyIdle() {
		at = s.now + 100*time.Millisecond
	}
	s.wakeBy(at)
}

func (s *Scheduler) wakeBy(at time.Duration) {
	if s.wakeAt > s.now && s.wakeAt <= at {
		return
	}
	s.wakeAt, s.due = at, at
	s.act(Action{Type: WakeAt, At: at + s.slept})
}

// mayTryAgain is when the first source may be asked again.
func (s *Scheduler) mayTryAgain() time.Duration {
	at := forever
	for _, src := range s.sources {
		if src.aside == None {
			at = min(at, max(src.blocked(), src.host.slotFree(s.now)))
		}
	}
	return at
}

func (s *Scheduler) markDone(r Range) {
	s.gaps.remove(r)
	s.done.add(r)
}
