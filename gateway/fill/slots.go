package fill

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// slots bound how many connections there are: in all, to a host, and of an object. Unlike limit.Hosts, which lets the head of a
// stream in beyond its limit so that streams read in turns cannot wait for each other, this is a hard bound: what a stream here
// brings goes into blocks, and no reader holds it up.
//
// Whoever is waited for takes the connection of one that is not. It is safe for concurrent use.
type slots struct {
	all, host, object int

	mu      sync.Mutex
	held    []*slot
	waiting []*slot // in order of arrival
}

// A slot is the right to one connection, or the wish for it.
type slot struct {
	slots  *slots
	host   string
	object any
	prio   atomic.Int32
	revoke func() // called at most once, with no lock of slots held

	ready   chan struct{}
	revoked bool
	victim  *slot // was revoked for this one
}

// acquire waits for a slot. The error is that of ctx.
func (s *slots) acquire(ctx context.Context, w *slot) error {
	w.slots, w.ready = s, make(chan struct{})
	s.mu.Lock()
	s.waiting = append(s.waiting, w)
	revoked := s.grant()
	s.mu.Unlock()
	call(revoked)
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
		w.release()
		return ctx.Err()
	}
}

// release gives the slot back, or stops waiting for it.
func (w *slot) release() {
	s := w.slots
	s.mu.Lock()
	is := func(o *slot) bool { return o == w }
	s.held = slices.DeleteFunc(s.held, is)
	s.waiting = slices.DeleteFunc(s.waiting, is)
	revoked := s.grant()
	s.mu.Unlock()
	call(revoked)
}

// poke is to be called after a priority has changed.
func (s *slots) poke() {
	s.mu.Lock()
	revoked := s.grant()
	s.mu.Unlock()
	call(revoked)
}

func call(fs []func()) {
	for _, f := range fs {
		f()
	}
}

// grant gives out what is free, the first priority first, and takes from whoever is of a later one. It returns what is to be
// called without the lock.
func (s *slots) grant() (revoked []func()) {
	order := slices.Clone(s.waiting)
	slices.SortStableFunc(order, func(a, b *slot) int { return int(a.prio.Load()) - int(b.prio.Load()) })
	for _, w := range order {
		rivals := s.inTheWay(w)
		if rivals == nil {
			s.waiting = slices.DeleteFunc(s.waiting, func(o *slot) bool { return o == w })
			s.held = append(s.held, w)
			close(w.ready)
			continue
		}
		if w.victim != nil && slices.Contains(s.held, w.victim) {
			continue
		}
		if w.victim = worst(rivals, w.prio.Load()); w.victim != nil {
			w.victim.revoked = true
			revoked = append(revoked, w.victim.revoke)
		}
	}
	return revoked
}

// inTheWay are those of whom one has to end before w can be let in; nil if none has.
func (s *slots) inTheWay(w *slot) []*slot {
	for _, bound := range []struct {
		most int
		is   func(*slot) bool
	}{
		{s.object, func(o *slot) bool { return o.object == w.object }},
		{s.host, func(o *slot) bool { return o.host == w.host }},
		{s.all, func(*slot) bool { return true }},
	} {
		var in []*slot
		for _, o := range s.held {
			if bound.is(o) {
				in = append(in, o)
			}
		}
		if len(in) >= bound.most {
			return in
		}
	}
	return nil
}

// worst is the one of the last priority, if that comes after prio.
func worst(in []*slot, prio int32) (w *slot) {
	for _, o := range in {
		if p := o.prio.Load(); !o.revoked && p > prio && (w == nil || p > w.prio.Load()) {
			w = o
		}
	}
	return w
}
