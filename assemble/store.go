package assemble

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"

	"spate/internal/seal"
	"spate/source"
)

const storeBlock = 64 << 10

var errStoreFull = errors.New("the cache is full")

// A store keeps blocks of up to storeBlock bytes: in memory up to a bound, then in an unlinked temporary file, each
// sealed under a key that is gone with the store. It is safe for concurrent use.
type store struct {
	memLeft, diskLeft int64 // guarded by mu

	mu   sync.Mutex
	file *os.File
	box  *seal.Box
	free []int64 // places in file that are not in use
	end  int64   // places in file
}

// A stored block is in memory, or at a place of the store's file.
type stored struct {
	mem   []byte // nil: on disk
	place int64
	size  int
}

// put keeps a copy of p, at most storeBlock bytes.
func (s *store) put(p []byte) (stored, error) {
	s.mu.Lock()
	if s.memLeft >= int64(len(p)) {
		s.memLeft -= int64(len(p))
		s.mu.Unlock()
		return stored{mem: append(make([]byte, 0, len(p)), p...), size: len(p)}, nil
	}
	file, place, err := s.reserve()
	s.mu.Unlock()
	if err != nil {
		return stored{}, err
	}
	sealed := s.box.Seal(make([]byte, 0, storeBlock+seal.Overhead), p, bind(place))
	if _, err := file.WriteAt(sealed, place*(storeBlock+seal.Overhead)); err != nil {
		s.drop(stored{place: place})
		return stored{}, err
	}
	return stored{place: place, size: len(p)}, nil
}

// reserve finds a place on disk. s.mu is held.
func (s *store) reserve() (*os.File, int64, error) {
	if s.diskLeft < storeBlock {
		return nil, 0, errStoreFull
	}
	if s.file == nil {
		if err := s.create(); err != nil {
			return nil, 0, err
		}
	}
	s.diskLeft -= storeBlock
	if n := len(s.free); n > 0 {
		place := s.free[n-1]
		s.free = s.free[:n-1]
		return s.file, place, nil
	}
	s.end++
	return s.file, s.end - 1, nil
}

func (s *store) create() error {
	box, err := seal.New()
	if err != nil {
		return err
	}
	file, err := os.CreateTemp("", "spate-cache-*")
	if err != nil {
		return err
	}
	if err := os.Remove(file.Name()); err != nil {
		return errors.Join(err, file.Close())
	}
	s.file, s.box = file, box
	return nil
}

// get reads the block b into p, which has room for it.
func (s *store) get(b stored, p []byte) error {
	if b.mem != nil || b.size == 0 {
		copy(p, b.mem)
		return nil
	}
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	sealed := make([]byte, b.size+seal.Overhead)
	if _, err := file.ReadAt(sealed, b.place*(storeBlock+seal.Overhead)); err != nil {
		return err
	}
	if _, err := s.box.Open(p[:0], sealed, bind(b.place)); err != nil {
		return fmt.Errorf("%w: %w", source.ErrCorrupt, err)
	}
	return nil
}

// bind is what a sealed block is bound to: its place.
func bind(place int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(place)) }

// drop forgets a block.
func (s *store) drop(b stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.mem != nil {
		s.memLeft += int64(len(b.mem))
		return
	}
	s.free = append(s.free, b.place)
	s.diskLeft += storeBlock
}

func (s *store) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	return file.Close()
}
