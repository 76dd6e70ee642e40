package fetch

import (
	"math"
	"sync"
	"time"
)

const (
	// minAhead is how far ahead of the digest may be read at first: somewhat less than it holds.
	minAhead = maxHeld - 2<<20
	// hungry is for how long the digest may have nothing to do, beyond a quarter of the time that it hashes.
	hungry = 10 * time.Millisecond
	// calm is for how long it has to hash what is warm before less is let through.
	calm = 100 * time.Millisecond
)

// A gate holds up who reads far ahead of the digest, where bytes come faster than they are hashed: so they are hashed from memory,
// while they are warm, and are not read back. As the digest ends last in any case, that costs no time.
//
// Where somebody waits and the digest has nothing to do, whoever has the bytes whose turn it is, or the network, is slower: the gate
// lets through who is within twice the distance, and so on. So nobody waits for what does not come, and a slow network is
// not held up. Where the digest has had enough for a while, the distance is halved again.
//
// One that is fixed lets through who is within its distance, and nobody else: what comes further ahead has no place.
type gate struct {
	fixed bool

	mu      sync.Mutex
	next    int64 // all before it is hashed
	from    int64 // nobody waits until all before it is: what an earlier download has left is no reason to
	ahead   int64 // who reads before next+ahead need not wait
	waiting map[*pass]struct{}
	timer   *time.Timer // widens the gate while the digest has nothing to do
	ended   bool

	idle   time.Time     // since when the digest has nothing to do; zero: it has
	hunger time.Duration // for how long it had nothing, lately
	warm   time.Duration // for how long it has hashed what was warm since it was hungry
	streak streak
}

// A streak is a time in which the digest always has something to do.
type streak struct {
	took       time.Duration
	next, came int64 // what was hashed, and what had come, when it began
}

// A pass is what somebody waits for who wants to read at off.
type pass struct {
	off   int64
	given chan struct{} // is closed
}

func newGate() *gate { return &gate{ahead: minAhead, waiting: make(map[*pass]struct{})} }

// ask returns nil where off may be read now. What it returns else is given later, and is to be dropped in the end.
func (g *gate) ask(off int64) *pass {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ended || g.next < g.from || off < g.next+g.ahead {
		return nil
	}
	p := &pass{off, make(chan struct{})}
	g.waiting[p] = struct{}{}
	g.watch()
	return p
}

// drop takes p back.
func (g *gate) drop(p *pass) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.waiting, p)
}

// idles is told that the digest has nothing to do.
func (g *gate) idles() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.idle = time.Now()
	if g.fixed { // who waits within its distance may be he alone who can fetch what is next
		g.release(g.next + g.ahead)
	}
	g.watch()
}

// works is told that it has again.
func (g *gate) works() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.timer != nil {
		g.timer.Stop()
	}
	g.starve()
	g.idle, g.streak = time.Time{}, streak{}
}

// starve counts the time until now. mu is held.
func (g *gate) starve() {
	if g.idle.IsZero() {
		return
	}
	now := time.Now()
	g.hunger = min(g.hunger+now.Sub(g.idle), hungry)
	g.idle = now
}

// watch widens the gate in time, if somebody waits while the digest has nothing to do. mu is held.
func (g *gate) watch() {
	if g.fixed || g.idle.IsZero() || len(g.waiting) == 0 {
		return
	}
	left := hungry - g.hunger - time.Since(g.idle)
	if g.timer == nil {
		g.timer = time.AfterFunc(left, g.widen)
	} else {
		g.timer.Reset(left)
	}
}

func (g *gate) widen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle.IsZero() {
		return
	}
	g.starve()
	if g.hunger >= hungry && len(g.waiting) > 0 {
		g.hunger, g.warm = 0, 0
		g.ahead *= 2
		g.release(g.next + g.ahead)
	}
	g.watch()
}

// restarts is told that all begins anew, and that what is before from is there.
func (g *gate) restarts(from int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next, g.from = 0, max(g.from, from)
}

// moves is told that all before next is hashed, of came bytes in all, how long the last bytes of it have taken, and whether they were
// warm.
func (g *gate) moves(next, came int64, took time.Duration, warm bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.next = next
	g.hunger = max(0, g.hunger-took/4)
	if warm {
		g.warm += took
	}
	if !g.fixed && (g.warm >= calm || g.keepsUp(next, came, took)) {
		g.warm, g.ahead = 0, max(g.ahead/2, minAhead)
	}
	// Who waits is woken once there is room for several blocks, not for each of them, as long as the digest has something to do.
	g.release(next + g.ahead/2)
}

// keepsUp reports, each time that the digest was busy for so long, whether nearly as much has come as it has hashed. mu is held.
func (g *gate) keepsUp(next, came int64, took time.Duration) bool {
	s := &g.streak
	if s.took == 0 {
		s.next, s.came = next, came
	}
	if s.took += took; s.took < calm {
		return false
	}
	hashed := next - s.next
	keeps := hashed > 0 && came-s.came >= hashed/4*3
	*s = streak{}
	return keeps
}

// end lets everybody through from now on.
func (g *gate) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	g.release(math.MaxInt64)
}

// release gives their pass to those who want to read before end. mu is held.
func (g *gate) release(end int64) {
	for p := range g.waiting {
		if p.off < end {
			close(p.given)
			delete(g.waiting, p)
		}
	}
}
