package fill

import (
	"bytes"
	"io"
	"math"
	"slices"
	"sync"
)

// An ID says what a Cache is to keep: see blockcache.ID.
type ID struct {
	Name, Version string
	Size          int64 // -1: not known
	BlockSize     int
}

// A Cache keeps blocks of files: blockcache does.
type Cache interface {
	Object(ID) (Blocks, error)
}

// Blocks are those of one version of a file. What one Put has kept another Get may not find: any block may go at any time.
// They are safe for concurrent use.
type Blocks interface {
	Lookup
	Keeper
	io.Closer
}

// Keeper keeps blocks.
type Keeper interface {
	Put(index int64, data []byte) error // an error: it was not kept
	Drop(first, n int64)                // these are wrong: they are not to be found again, nor by who has the same version later
}

// Lookup finds blocks.
type Lookup interface {
	Has(index int64) bool // quick, without I/O
	Indexes() []int64     // those that Has reports now, in any order; without I/O, too

	// Get reads what the block has from off on, and returns how much of it: some where there is room for a strip, all where there
	// is room for all of the block. It may write to all of p.
	Get(index int64, off int, p []byte) (n int, ok bool)
}

// strip is what there has to be room for to read some of a block from a Cache: blockcache.StripSize.
const strip = 16 << 10

// A store has the blocks of one version of a file: the last ones in memory, all that there is room for in the cache.
type store struct {
	mem   *memory
	slabs *slabs
	disk  Blocks // nil: none

	mu     sync.Mutex
	lost   map[int64]bool // the cache said it had them, and had not
	closed bool
	full   bool // the cache did not keep the last one
}

func (s *store) has(index int64) bool {
	if s.mem.has(s, index) {
		return true
	}
	return s.disk != nil && !s.isLost(index) && s.disk.Has(index)
}

// indexes are those of all blocks that are there, in any order; some may come twice.
func (s *store) indexes() []int64 {
	all := s.mem.indexes(s)
	if s.disk == nil {
		return all
	}
	kept := s.disk.Indexes()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	return append(all, slices.DeleteFunc(kept, func(index int64) bool { return s.lost[index] })...)
}

func (s *store) isLost(index int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || s.lost[index]
}

// open reads a block into memory, for one user; nil if the cache does not have it.
func (s *store) open(index int64) *slab {
	if s.disk == nil || s.isLost(index) {
		return nil
	}
	b := s.slabs.get(s.slabs.size)
	n, ok := s.get(index, 0, b.data)
	if !ok {
		b.release()
		return nil
	}
	if n < len(b.data) { // what is short takes no more than it needs
		short := newSlab(bytes.Clone(b.data[:n:n]))
		b.release()
		b = short
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.mem.put(s, index, b)
	}
	return b
}

// get reads some of a block from the cache, if that has it.
func (s *store) get(index int64, off int, p []byte) (n int, ok bool) {
	if n, ok = s.disk.Get(index, off, p); !ok {
		s.mu.Lock()
		s.lost[index] = true
		s.mu.Unlock()
	}
	return n, ok
}

// isOnDisk reports whether the cache has a block, and memory has not.
func (s *store) isOnDisk(index int64) bool {
	return s.disk != nil && !s.mem.has(s, index) && !s.isLost(index) && s.disk.Has(index)
}

// keep puts a block, which is in memory, into the cache.
func (s *store) keep(index int64, data []byte) error {
	if s.disk == nil {
		return nil
	}
	err := s.disk.Put(index, data)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = err != nil
	if err == nil {
		delete(s.lost, index)
	}
	return err
}

// drop has the cache lose all of it: bytes of it are wrong. Nobody keeps any more.
func (s *store) drop() {
	if s.disk != nil {
		s.disk.Drop(0, math.MaxInt64)
	}
}

// isBounded reports whether there is little room, so that what is read ahead may be gone before it is wanted.
func (s *store) isBounded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.disk == nil || s.full
}

// close lets the cache age what it has.
func (s *store) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.mem.drop(s)
	if s.disk == nil {
		return nil
	}
	return s.disk.Close()
}
