package fill

import (
	"sync"
	"sync/atomic"
)

// A slab is the memory of a block. Whoever has it says when he needs it no more; once nobody does it is used for another block, as to
// get, to clear and to collect as much as is read costs more than to read it. Who never says so costs no more than that.
type slab struct {
	data []byte
	uses atomic.Int32
	home *sync.Pool // nil: it is not used again

	// writer reads from its origin right behind what is there; nil: nobody does. It is guarded by mu of the object whose part it is.
	writer *running
}

// slabs are those of a Pool, for blocks of full size: what is smaller takes no more than it needs.
type slabs struct {
	size int64
	free sync.Pool // of *slab
}

// get is a slab of n bytes, which may have any content, for one user.
func (s *slabs) get(n int64) *slab {
	if n != s.size {
		return newSlab(make([]byte, n))
	}
	b, ok := s.free.Get().(*slab)
	if !ok {
		b = &slab{data: make([]byte, n), home: &s.free}
	}
	b.uses.Store(1)
	return b
}

// newSlab is one of data, for one user.
func newSlab(data []byte) *slab {
	b := &slab{data: data}
	b.uses.Store(1)
	return b
}

// use is for one more user. Somebody uses b.
func (b *slab) use() *slab {
	b.uses.Add(1)
	return b
}

// release is for a user who needs b no more.
func (b *slab) release() {
	if b.uses.Add(-1) == 0 && b.home != nil {
		b.home.Put(b)
	}
}
