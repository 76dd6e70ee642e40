package fill

import (
	"container/list"
	"sync"
)

// A memory has the blocks that came, or were opened, last: as many as its bytes allow. What is in it is not changed any more, as long as
// somebody uses it, so that it can be copied from without a lock. It is safe for concurrent use.
type memory struct {
	max int64

	mu   sync.Mutex
	used int64
	last list.List // of *kept, the one that was wanted last first
	all  map[place]*list.Element
}

type place struct {
	store *store
	index int64
}

type kept struct {
	place
	*slab
}

func newMemory(max int64) *memory { return &memory{max: max, all: map[place]*list.Element{}} }

func (m *memory) has(s *store, index int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.all[place{s, index}] != nil
}

// indexes are those of the blocks of s.
func (m *memory) indexes(s *store) (all []int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at := range m.all {
		if at.store == s {
			all = append(all, at.index)
		}
	}
	return all
}

// get is a block that is there, for one more user, else nil.
func (m *memory) get(s *store, index int64) *slab {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.all[place{s, index}]
	if e == nil {
		return nil
	}
	m.last.MoveToFront(e)
	return e.Value.(*kept).use()
}

// put keeps b, which nobody may change any more, as one more user.
func (m *memory) put(s *store, index int64, b *slab) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at := place{s, index}
	if e := m.all[at]; e != nil {
		m.remove(e)
	}
	m.all[at] = m.last.PushFront(&kept{at, b.use()})
	m.used += int64(cap(b.data))
	for m.used > m.max && m.last.Len() > 1 {
		m.remove(m.last.Back())
	}
}

func (m *memory) remove(e *list.Element) {
	k := m.last.Remove(e).(*kept)
	delete(m.all, k.place)
	m.used -= int64(cap(k.data))
	k.release()
}

// drop forgets all blocks of s.
func (m *memory) drop(s *store) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, e := range m.all {
		if at.store == s {
			m.remove(e)
		}
	}
}
