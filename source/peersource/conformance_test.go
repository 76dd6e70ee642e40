package peersource

import (
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"spate/source/sourcetest"
)

// A shelf is a tracker and two peers that have all that is put into it, or one that breaks.
type shelf struct {
	*fakeTracker
	peers [2]*desk
	bad   *desk

	mu     sync.Mutex
	chunks [][]byte
	at     map[int]int // where it breaks
	stalls map[int]bool
}

func newShelf(t *testing.T) *shelf {
	s := &shelf{fakeTracker: newTracker(t), at: map[int]int{}, stalls: map[int]bool{}}
	for i := range s.peers {
		s.peers[i] = newPeer(t, s.send)
	}
	s.bad = newPeer(t, s.send)
	return s
}

func (s *shelf) send(c net.Conn, chunk int) bool {
	s.mu.Lock()
	text := s.chunks[chunk-1]
	at, breaks := s.at[chunk]
	stalls := s.stalls[chunk]
	s.mu.Unlock()
	if breaks {
		text = text[:at]
	}
	_, _ = c.Write(text)
	return !stalls
}

// add cuts content into chunks, and returns the number of the first.
func (s *shelf) add(content []byte, size int, holders ...*desk) (first, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first = len(s.chunks) + 1
	for rest := content; len(rest) > 0 || n == 0; n++ {
		part := rest[:min(size, len(rest))]
		rest = rest[len(part):]
		s.chunks = append(s.chunks, part)
		for _, h := range holders {
			s.register(first+n, at(h.addr()))
		}
	}
	return first, n
}

// put is content as one chunk.
func (s *shelf) put(_ *testing.T, _ string, content []byte) string {
	first, _ := s.add(content, len(content)+1, s.peers[:]...)
	return s.sized(first, len(content))
}

func (s *shelf) sized(chunk, size int) string {
	return s.url("%d?chunk=%d&size=%d", chunk, size+1, (chunk-1)*(size+1)+size)
}

func (s *shelf) breakAt(content []byte, at int, stalls bool) string {
	first, _ := s.add(content, len(content)+1, s.bad)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[first], s.stalls[first] = at, stalls
	return s.sized(first, len(content))
}

var malformedURLs = []string{
	"peer:", "peer:7", "peer:///7", "peer://h", "peer://h/", "peer://h/0", "peer://h/x", "peer://h/07", "peer://h/+7", "peer://h/7/8",
	"peer://h/1-0", "peer://h/1-", "peer://h/-3", "peer://h/2-3", "peer://h/1-2147483648", "peer://h/2147483648", "peer://h:99999/1",
	"peer://user@h/1", "peer://h/1 ", "peer://h/1?", "peer://h/1?chunk=1", "peer://h/1?size=1", "peer://h/1?chunk=0&size=1",
	"peer://h/1?chunk=1&size=-1", "peer://h/1?chunk=1&size=1&x=1", "peer://h/1?chunk=1&chunk=1&size=1", "peer://h/1?chunk=1K&size=1",
	"peer://h/1-3?chunk=3&size=10", "peer://h/1?chunk=9223372036854775807&size=1", "peer://h/1?chunk=%zz&size=1", "http://h/1",
}

func TestConformance(t *testing.T) {
	s := newShelf(t)
	src := fresh(t, &Options{HeaderTimeout: time.Second})
	missing := fresh(t, short)
	sourcetest.Run(t, sourcetest.Harness{
		Source: src, Put: s.put, Seekable: true, Malformed: malformedURLs, Settle: src.CloseIdleConnections,
		Cut:   func(_ *testing.T, _ string, content []byte, at int) string { return s.breakAt(content, at, false) },
		Stall: func(_ *testing.T, _ string, content []byte, at int) string { return s.breakAt(content, at, true) },
	})
	t.Run("missing", func(t *testing.T) {
		sourcetest.Run(t, sourcetest.Harness{Source: missing, Put: s.put, Seekable: true, Settle: missing.CloseIdleConnections,
			Missing: func(*testing.T) string { return s.url("%d", 1<<30) }})
	})
}

// TestConformanceOfSets: the same of many chunks, each from another peer.
func TestConformanceOfSets(t *testing.T) {
	for _, chunk := range []int{1 << 14, 1 << 18} {
		t.Run(fmt.Sprint(chunk), func(t *testing.T) {
			src := fresh(t, nil)
			sourcetest.Run(t, sourcetest.Harness{Source: src, Seekable: true, Put: func(_ *testing.T, _ string, content []byte) string {
				s := newShelf(t) // a set begins at 1
				_, n := s.add(content, chunk, s.peers[:]...)
				return s.url("1-%d?chunk=%d&size=%d", n, chunk, len(content))
			}})
		})
	}
}

// TestConformanceWithoutSizes: where nobody says how large it is.
func TestConformanceWithoutSizes(t *testing.T) {
	s := newShelf(t)
	src := fresh(t, nil)
	sourcetest.Run(t, sourcetest.Harness{Source: src, Put: func(t *testing.T, name string, content []byte) string {
		if len(content) == 0 {
			return s.put(t, name, content) // it cannot be told from none
		}
		first, _ := s.add(content, len(content)+1, s.peers[:]...)
		return s.url("%d", first)
	}})
}
