package assemble

import (
	"math"
	"sync"
	"sync/atomic"
)

// An order knows which of the parts that were begun, and are not finished, is the first in the stream: the head.
// Every wait of this package is granted by it.
type order struct {
	mu      sync.Mutex
	next    int64
	live    []*spot // in stream order
	promote func()  // called, without the lock, when another spot has become the head
}

// A spot is the place in the stream of one part that was begun. It is a limit.Position.
type spot struct {
	o      *order
	seq    int64
	ended  bool
	unread atomic.Bool   // it ended without the reader having got there
	isHead chan struct{} // closed once the spot is the head
}

// begin adds a spot behind all others.
func (o *order) begin() *spot {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &spot{o: o, seq: o.next, isHead: make(chan struct{})}
	o.next++
	o.live = append(o.live, s)
	if len(o.live) == 1 {
		close(s.isHead)
	}
	return s
}

// end takes the spot out: its part was read, or will not be. Ending it again does nothing.
func (s *spot) end() {
	o := s.o
	o.mu.Lock()
	if s.ended {
		o.mu.Unlock()
		return
	}
	s.ended = true
	changed := false
	for len(o.live) > 0 && o.live[0].ended {
		o.live[0] = nil
		o.live = o.live[1:]
		changed = true
	}
	if changed && len(o.live) > 0 {
		close(o.live[0].isHead)
	}
	o.mu.Unlock()
	if changed {
		o.promote()
	}
}

// Ahead is how many places before the spot are still to be read. Nobody waits for one that has ended.
func (s *spot) Ahead() int64 {
	s.o.mu.Lock()
	defer s.o.mu.Unlock()
	if s.ended {
		return math.MaxInt64
	}
	return s.seq - s.o.live[0].seq
}
