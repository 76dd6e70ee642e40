package blockcache

import (
	"container/list"
	"encoding/binary"
	"encoding/hex"
	"os"
	"sync/atomic"
	"time"

	"spate/internal/seal"
)

// What an object and a block take on disk besides their bytes, at most: a name in the folder, a place in the index, which
// is there twice while it is written, what a file system notes of extents.
const (
	blockExtra  = 128
	objectExtra = 1 << 10
)

// An object is what is known of an ID, for all who have it open.
type object struct {
	id    ID
	salt  []byte
	bound []byte // what its blocks are bound to
	name  string // of its file, if it has one

	file atomic.Pointer[os.File] // of sparseFiles: open while ops or handles are there

	// Guarded by Cache.mu:
	blocks  map[int64]*entry
	handles int   // Objects that are open
	ops     int   // what is under way and needs the file
	est     int64 // what it takes on disk by our count
	extra   int64 // what the file system says beyond that
	stale   bool  // blocks of earlier runs are not to be given out
	since   time.Time
	idle    *list.Element // in Cache.idle, since then
}

func newObject(id ID, salt []byte, k *keys) *object {
	bound := k.object(id, salt)
	return &object{id: id, salt: salt, bound: bound, name: hex.EncodeToString(bound[:nameSize]), blocks: map[int64]*entry{}}
}

// closeFile closes the file, if it is open. Nobody uses it.
func (o *object) closeFile() error {
	if f := o.file.Swap(nil); f != nil {
		return f.Close()
	}
	return nil
}

// visible is whether e may be given out.
func (o *object) visible(e *entry) bool {
	return e != nil && e.state == live && !e.bad && !(o.stale && e.run != 0)
}

// scratch is what it takes to read or write a block.
type scratch struct {
	buf   []byte
	place [8 + 32 + 8 + 4 + 4]byte
}

// sized returns buf with room for n bytes.
func (s *scratch) sized(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	return s.buf[:n]
}

// bind is what a strip is sealed for: the format, the object and its version, the block's index and length, and where in it it begins.
func (s *scratch) bind(o *object, index int64, size, at int) []byte {
	p := append(s.place[:0], "spate 1\n"...)
	p = append(p, o.bound...)
	p = binary.BigEndian.AppendUint64(p, uint64(index))
	p = binary.BigEndian.AppendUint32(p, uint32(size))
	return binary.BigEndian.AppendUint32(p, uint32(at))
}

// sealedSize is what the first size bytes of a block take, if they are whole strips or all of it.
func sealedSize(size int) int { return size + (size+StripSize-1)/StripSize*seal.Overhead }

// cost is what a block of size bytes takes on disk.
func (c *Cache) cost(size int) int64 { return pages(int64(sealedSize(size)), c.page) + blockExtra }

// objectCost is what an object takes on disk besides its blocks.
func (c *Cache) objectCost(id ID) int64 {
	return c.page + objectExtra + 2*int64(len(id.Name)+len(id.Version))
}

// count changes what o takes by our count. c.mu is held.
func (c *Cache) count(o *object, n int64) {
	o.est += n
	c.used += n
}

// measured notes what the file system says that o takes. c.mu is held.
func (c *Cache) measured(o *object, disk int64) {
	extra := max(0, disk-o.est)
	c.used += extra - o.extra
	o.extra = extra
}

// touched notes that o is in use, or has not been since that time. c.mu is held.
func (c *Cache) touched(o *object, since time.Time) {
	switch {
	case o.handles > 0 && o.idle != nil:
		c.idle.Remove(o.idle)
		o.idle = nil
	case o.handles == 0 && o.idle == nil:
		o.since = since
		before := c.idle.Back()
		for before != nil && before.Value.(*object).since.After(since) {
			before = before.Prev()
		}
		if before != nil {
			o.idle = c.idle.InsertAfter(o, before)
			return
		}
		o.idle = c.idle.PushFront(o)
		select {
		case c.first <- struct{}{}:
		default:
		}
	}
}

// release ends an operation on o. Without another, and nobody who has it open, its file is closed, and removed if it has no
// blocks. c.mu is held, and given up meanwhile.
func (c *Cache) release(o *object) {
	defer c.ops.Done()
	o.ops--
	if o.ops > 0 || o.handles > 0 {
		return
	}
	if len(o.blocks) == 0 && c.objects[o.id] == o {
		c.forget(o)
		c.remove(o, nil)
		return
	}
	f := o.file.Swap(nil)
	if f == nil {
		return
	}
	c.mu.Unlock()
	err := f.Close()
	c.mu.Lock()
	c.complain("close", err)
}

// forget takes o out of the table, for good: whoever opens its ID from now on has another object. c.mu is held.
func (c *Cache) forget(o *object) {
	delete(c.objects, o.id)
	if o.idle != nil {
		c.idle.Remove(o.idle)
		o.idle = nil
	}
	c.changed = true
}

// complain says what failed on disk, once until something succeeds.
func (c *Cache) complain(op string, err error) {
	if err != nil && !c.said {
		c.said = true
		c.log.Warn("the block cache's disk fails", "op", op, "err", err)
	}
}
