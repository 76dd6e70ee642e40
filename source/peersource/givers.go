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
	maxAsked  = 64          // holders of a chunk, at a time: a tracker can name as many addresses as it likes
	avoidTime = time.Minute // who has failed goes last for so long
	maxFailed = 1024        // of whom that is remembered
)

// A giver is a peer that may have a chunk.
type giver = wire.Addr

// givers are whom chunks are being fetched from, and who has failed.
type givers struct {
	mu     sync.Mutex
	busy   map[giver]int
	failed map[giver]time.Time
}

// order is in which order to ask holders: first who has not failed lately, then of whom the least is being fetched, else by
// chance, so that not all clients ask the same one.
func (g *givers) order(holders []giver) []giver {
	all := slices.Clone(holders)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	rank := func(a giver) int {
		n := g.busy[a]
		if at, ok := g.failed[a]; ok && now.Sub(at) < avoidTime {
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
	now := time.Now()
	maps.DeleteFunc(g.failed, func(_ giver, at time.Time) bool { return now.Sub(at) >= avoidTime })
	if len(g.failed) < maxFailed {
		g.failed[a] = now
	}
}
