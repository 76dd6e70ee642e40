package fill

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// shelf is a Cache in memory. It loses blocks, and has no room, as often as it is told to.
type shelf struct {
	mu      sync.Mutex
	all     map[ID]map[int64][]byte
	open    int
	rnd     *rand.Rand
	losing  float64       // of Puts, that another block goes
	lying   float64       // of Gets, that a block which is there cannot be read
	refuses float64       // of Puts, that there is no room
	changed chan struct{} // closed at the next Put
}

var errFull = errors.New("no room")

func newShelf(seed uint64) *shelf {
	return &shelf{changed: make(chan struct{}), all: map[ID]map[int64][]byte{}, rnd: rand.New(rand.NewPCG(seed, 1))}
}

func (s *shelf) Object(id ID) (Blocks, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[id] == nil {
		s.all[id] = map[int64][]byte{}
	}
	s.open++
	return &shelved{s, s.all[id]}, nil
}

func (s *shelf) blocks() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count()
}

// inUse is how many objects are open.
func (s *shelf) inUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open
}

func (s *shelf) count() (n int) {
	for _, o := range s.all {
		n += len(o)
	}
	return n
}

// wait waits until there are n blocks.
func (s *shelf) wait(ctx context.Context, n int) error {
	for {
		s.mu.Lock()
		have, changed := s.count(), s.changed
		s.mu.Unlock()
		if have >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d blocks: %w", have, ctx.Err())
		}
	}
}

type shelved struct {
	*shelf
	has map[int64][]byte
}

func (s *shelved) Has(index int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.has[index] != nil
}

func (s *shelved) Indexes() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.has))
}

func (s *shelved) Get(index int64, off int, p []byte) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := s.has[index]
	if data == nil || off >= len(data) {
		return 0, false
	}
	if s.rnd.Float64() < s.lying {
		return 0, false // and Has goes on saying that it is there
	}
	if len(p) < len(data) { // as much as whole strips have room for
		data = data[:min(len(data), off-off%strip+len(p)-len(p)%strip)]
	}
	return copy(p, data[min(off, len(data)):]), true
}

func (s *shelved) Put(index int64, data []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rnd.Float64() < s.refuses {
		return errFull
	}
	if s.rnd.Float64() < s.losing {
		for i := range s.has {
			delete(s.has, i)
			break
		}
	}
	s.has[index] = bytes.Clone(data)
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

func (s *shelved) Drop(first, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.has {
		if i >= first && i-first < n {
			delete(s.has, i)
		}
	}
}

func (s *shelved) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	return nil
}
