// Package limit shares what there is only so much of: the connections to each host, by [Hosts], and the bytes of a second, by
// [Rate].
//
// Connections go to whoever is nearest to the head of its stream.
// A stream that reads ahead holds connections for parts that nobody reads yet. The part that is read, the head, must
// never wait for those: where the head finds no free slot, the slot of the claimant furthest ahead is revoked. That
// claimant closes its connection, remembers its offset, and asks again.
package limit

import (
	"context"
	"math"
	"slices"
	"sync"
)

// Position tells where in its stream a claimant stands. It may change at any time; it is read with locks held, so it
// must not block, nor call back.
type Position interface {
	// Ahead is 0 for what is being read and greater the later it will be; math.MaxInt64 for what nobody waits for.
	Ahead() int64
}

// DefaultPerHost is the number of slots of a host where Hosts.PerHost is 0.
const DefaultPerHost = 8

// Hosts hands out slots. Its zero value works and it is safe for concurrent use; share one between streams so that
// they share the limit.
//
// The limit bounds reading ahead. Where all slots of a host are held by the heads of other streams, a head is let in
// beyond it: else streams that are read in turns could wait for each other for ever.
type Hosts struct {
	PerHost int // slots of one host; 0: DefaultPerHost. Not to be changed once in use.

	mu      sync.Mutex
	hosts   map[string]*host
	waiting int // over all hosts, so that Promote costs nothing in the common case
}

type host struct {
	holders []*Slot
	waiters []*Slot // in order of arrival
}

// A Claim is what a slot is wanted for.
type Claim struct {
	Position
	// Revoke is called at most once, from another goroutine, if the slot is to be given back early. It must not block,
	// and Release must still be called.
	Revoke func()
	// Once says that what is asked for should be asked for only once. Such a claim is revoked only where there is no
	// other, unless nobody waits for it any more; and as long as it is not a head it leaves a slot of the host to others.
	Once bool
}

// A Slot is the right to one connection, to be released once.
type Slot struct {
	hosts   *Hosts
	name    string
	claim   Claim
	revoked bool
	ready   chan struct{} // closed when granted
	victim  *Slot         // was revoked for this waiter
}

// Acquire waits for a slot of the named host. The error is that of ctx.
func (h *Hosts) Acquire(ctx context.Context, name string, claim Claim) (*Slot, error) {
	s := &Slot{hosts: h, name: name, claim: claim, ready: make(chan struct{})}
	h.mu.Lock()
	if h.hosts == nil {
		h.hosts = make(map[string]*host)
	}
	if h.hosts[name] == nil {
		h.hosts[name] = &host{}
	}
	ho := h.hosts[name]
	ho.waiters = append(ho.waiters, s)
	h.waiting++
	revoked := h.grant(ho)
	h.mu.Unlock()
	call(revoked)
	select {
	case <-s.ready:
		return s, nil
	default:
	}
	select {
	case <-s.ready:
		return s, nil
	case <-ctx.Done():
		s.Release()
		return nil, ctx.Err()
	}
}

// Release gives the slot back, or leaves the queue.
func (s *Slot) Release() {
	h := s.hosts
	h.mu.Lock()
	ho := h.hosts[s.name]
	if i := slices.Index(ho.holders, s); i >= 0 {
		ho.holders = slices.Delete(ho.holders, i, i+1)
	} else if i := slices.Index(ho.waiters, s); i >= 0 {
		ho.waiters = slices.Delete(ho.waiters, i, i+1)
		h.waiting--
	}
	revoked := h.grant(ho)
	if len(ho.holders)+len(ho.waiters) == 0 {
		delete(h.hosts, s.name)
	}
	h.mu.Unlock()
	call(revoked)
}

// Promote is to be called after positions changed: a waiter that is a head by now may take a slot.
func (h *Hosts) Promote() {
	h.mu.Lock()
	var revoked []func()
	if h.waiting > 0 {
		for _, ho := range h.hosts {
			revoked = append(revoked, h.grant(ho)...)
		}
	}
	h.mu.Unlock()
	call(revoked)
}

func call(fs []func()) {
	for _, f := range fs {
		f()
	}
}

// grant gives out what is free, best position first, and makes room for heads. It returns what the caller has to
// call once it no longer holds the lock.
func (h *Hosts) grant(ho *host) (revoked []func()) {
	for len(ho.holders) < h.perHost() {
		w := ho.nearest(h.perHost())
		if w == nil {
			break
		}
		h.admit(ho, w)
	}
	for _, w := range slices.Clone(ho.waiters) {
		if w.claim.Ahead() > 0 || w.victim != nil && slices.Contains(ho.holders, w.victim) {
			continue
		}
		w.victim = furthest(ho.holders)
		if w.victim == nil {
			if !slices.ContainsFunc(ho.holders, func(s *Slot) bool { return s.revoked }) {
				h.admit(ho, w)
			}
			continue
		}
		w.victim.revoked = true
		revoked = append(revoked, w.victim.claim.Revoke)
	}
	return revoked
}

func (h *Hosts) perHost() int {
	if h.PerHost > 0 {
		return h.PerHost
	}
	return DefaultPerHost
}

func (h *Hosts) admit(ho *host, w *Slot) {
	i := slices.Index(ho.waiters, w)
	ho.waiters = slices.Delete(ho.waiters, i, i+1)
	ho.holders = append(ho.holders, w)
	h.waiting--
	close(w.ready)
}

// nearest is the waiter to admit, of those that may be; nil if none may.
func (ho *host) nearest(limit int) *Slot {
	once := 1 // with the one to admit
	for _, s := range ho.holders {
		if s.claim.Once {
			once++
		}
	}
	var best *Slot
	least := int64(math.MaxInt64)
	for _, w := range ho.waiters {
		ahead := w.claim.Ahead()
		if w.claim.Once && ahead > 0 && once >= limit {
			continue
		}
		if best == nil || ahead < least {
			best, least = w, ahead
		}
	}
	return best
}

// furthest is the holder to revoke: the one whose turn comes last, never a head.
func furthest(holders []*Slot) *Slot {
	var worst *Slot
	for _, s := range holders {
		if !s.revoked && s.claim.Ahead() > 0 && (worst == nil || s.givesWayBefore(worst)) {
			worst = s
		}
	}
	return worst
}

func (s *Slot) isSpared() bool { return s.claim.Once && s.claim.Ahead() < math.MaxInt64 }

// givesWayBefore reports whether s is to be revoked before o.
func (s *Slot) givesWayBefore(o *Slot) bool {
	if mine, others := s.isSpared(), o.isSpared(); mine != others {
		return others
	}
	return s.claim.Ahead() > o.claim.Ahead()
}
