package peersource

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"spate/swarm/wire"
)

const (
	maxAsked  = 64               // holders of a chunk, at a time: a tracker can name as many addresses as it likes
	avoidTime = time.Minute      // who has failed goes last for so long
	maxFailed = 1024             // of whom that is remembered
	lieTime   = 30 * time.Minute // who has sent other bytes than two others is not asked for so long
)

// A giver is a peer that may have a chunk.
type giver = wire.Addr

// givers are whom chunks are being fetched from, and who has failed.
type givers struct {
	mu     sync.Mutex
	busy   map[giver]int
	failed map[giver]time.Time
	liars  map[giver]time.Time
	sound  map[giver]bool      // they have sent the same as another
	alone  map[giver]time.Time // nobody was there in time to compare them with
}

func newGivers() givers {
	return givers{busy: map[giver]int{}, sound: map[giver]bool{},
		failed: map[giver]time.Time{}, liars: map[giver]time.Time{}, alone: map[giver]time.Time{}}
}

// order is in which order to ask holders: first who has not failed lately, then of whom the least is being fetched, else by
// chance, so that not all clients ask the same one.
func (g *givers) order(holders []giver) []giver {
	all := slices.Clone(holders)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	all = slices.DeleteFunc(all, func(a giver) bool { return isRecent(g.liars, a, now, lieTime) })
	rank := func(a giver) int {
		n := g.busy[a]
		if isRecent(g.failed, a, now, avoidTime) {
			n += 1 << 20
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b giver) int { return cmp.Compare(rank(a), rank(b)) })
	return all[:min(len(all), maxAsked)]
}

func (g *givers) begin(a giver) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.busy[a]++
}

// end is for what begin has begun; hasFailed says how it was.
func (g *givers) end(a giver, hasFailed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.busy[a]--; g.busy[a] == 0 {
		delete(g.busy, a)
	}
	if !hasFailed {
		delete(g.failed, a)
		return
	}
	remember(g.failed, a, avoidTime)
}

// isToCompare tells whether what a sends has to be compared with what another does.
func (g *givers) isToCompare(a giver) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.sound[a] && !isRecent(g.alone, a, time.Now(), avoidTime)
}

// doWithout is for one whom nobody could be compared with: that is tried again later.
func (g *givers) doWithout(a giver) {
	g.mu.Lock()
	defer g.mu.Unlock()
	remember(g.alone, a, avoidTime)
}

// agreed is for those who have sent the same.
func (g *givers) agreed(all ...giver) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, a := range all {
		if len(g.sound) < maxFailed {
			g.sound[a] = true
		}
	}
}

// lied is for one who has sent other bytes than two others.
func (g *givers) lied(a giver) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sound, a)
	remember(g.liars, a, lieTime)
}

func isRecent(m map[giver]time.Time, a giver, now time.Time, span time.Duration) bool {
	at, ok := m[a]
	return ok && now.Sub(at) < span
}

// remember notes a, where there is room.
func remember(m map[giver]time.Time, a giver, span time.Duration) {
	now := time.Now()
	maps.DeleteFunc(m, func(_ giver, at time.Time) bool { return now.Sub(at) >= span })
	if len(m) < maxFailed {
		m[a] = now
	}
}
