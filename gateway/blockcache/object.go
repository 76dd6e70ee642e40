package blockcache

import (
	"errors"
	"fmt"
	"math"
	"syscall"
	"time"

	"spate/internal/seal"
)

// retryAfter is how long nothing is written after the disk was full.
const retryAfter = 10 * time.Second

// maxIndex keeps places in files within an int64.
const maxIndex = math.MaxInt64 / (2 * MaxBlockSize)

// An Object is an open object of a cache. Others may have the same one open. It is safe for concurrent use.
type Object struct {
	c      *Cache
	o      *object
	closed bool // guarded by c.mu
}

// Object opens an object, which keeps it from expiring until it is closed. Its blocks may go at any time nevertheless, to
// make room. Nothing is on disk before the first Put.
func (c *Cache) Object(id ID) (*Object, error) {
	if id.BlockSize == 0 {
		id.BlockSize = DefaultBlockSize
	}
	if id.BlockSize < 0 || id.BlockSize > MaxBlockSize {
		return nil, fmt.Errorf("blockcache: a block size of %d bytes", id.BlockSize)
	}
	id.Size = max(id.Size, -1)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	o := c.objects[id]
	if o == nil {
		o = newObject(id, newSalt(), c.keys)
		c.objects[id] = o
	}
	o.handles++
	c.touched(o, time.Time{})
	return &Object{c: c, o: o}, nil
}

// ID returns what the object is.
func (h *Object) ID() ID { return h.o.id }

// Get opens a block from off on into p, and returns how many bytes of it that are: all, if p has room for what follows the multiple of
// [StripSize] at or before off, else as many as whole strips fit in. So room for one strip is enough to get some. Besides these bytes
// all of p may be written to. False is a miss: the block is not there, it has no byte at off, there is not the room, or it was changed on
// the disk. Then p may hold anything that it held before, or zeros; never bytes that were not Put.
func (h *Object) Get(index int64, off int, p []byte) (n int, ok bool) {
	c := h.c
	e := h.pin(index, off, len(p))
	if e == nil {
		return 0, false
	}
	from, to := e.strips(off, len(p))
	s := c.scratch.Get().(*scratch)
	err := c.open(s, e, p[:to-from], from)
	c.scratch.Put(s)
	c.unpin(e, err == nil)
	if err != nil {
		return 0, false
	}
	return copy(p, p[off-from:to-from]), true
}

// open fills p with the strips of a pinned block that begin at from.
func (c *Cache) open(s *scratch, e *entry, p []byte, from int) error {
	sealed := s.sized(sealedSize(len(p)))
	if err := c.store.read(e.o, e.index, int64(sealedSize(from)), sealed); err != nil {
		return err
	}
	for len(p) > 0 {
		n := min(len(p), StripSize)
		if _, err := c.boxes[e.run].Open(p[:0], sealed[:n+seal.Overhead], s.bind(e.o, e.index, int(e.size), from)); err != nil {
			return err
		}
		p, sealed, from = p[n:], sealed[n+seal.Overhead:], from+n
	}
	return nil
}

// Has is whether a Get would find the block, as far as can be said without reading it.
func (h *Object) Has(index int64) bool {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	return !h.closed && !h.c.closed && h.o.visible(h.o.blocks[index])
}

// Indexes are those of the blocks that Has reports now, in any order.
func (h *Object) Indexes() []int64 {
	h.c.mu.Lock()
	defer h.c.mu.Unlock()
	if h.closed || h.c.closed {
		return nil
	}
	all := make([]int64, 0, len(h.o.blocks))
	for index, e := range h.o.blocks {
		if h.o.visible(e) {
			all = append(all, index)
		}
	}
	return all
}

// pin finds a block of which something at off can be read into room, and keeps it from being dropped.
func (h *Object) pin(index int64, off, room int) *entry {
	c := h.c
	c.mu.Lock()
	defer c.mu.Unlock()
	e := h.o.blocks[index]
	if h.closed || !h.o.visible(e) || !e.isReadable(off, room) || !c.begin() {
		c.stats.Misses++
		return nil
	}
	e.pins++
	h.o.ops++
	c.blocks.touch(e)
	return e
}

// unpin ends the reading of a block. One that did not open goes when nobody reads it any more.
func (c *Cache) unpin(e *entry, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ok {
		c.stats.Hits++
	} else {
		c.stats.Misses++
		c.stats.Corrupt++
		e.bad = true
	}
	e.pins--
	if e.bad && e.pins == 0 {
		c.doom(e)
		c.dropSome(e.o, []*entry{e})
	}
	c.release(e.o)
}

// Put keeps a copy of a block, for which room is made first. A block that is there, or is just being written, stays as it is.
// It need not be there any more when Put returns. The error is [ErrNoRoom], or that of the disk; then nothing was kept, and
// whoever has the bytes passes them on. Where the size of the object is known that of the block must fit it.
func (h *Object) Put(index int64, data []byte) error {
	if err := h.o.id.check(index, len(data)); err != nil {
		return err
	}
	e, err := h.claim(index, len(data))
	if e == nil {
		return err
	}
	c := h.c
	s := c.scratch.Get().(*scratch)
	sealed := s.sized(sealedSize(len(data)))[:0]
	for at := 0; at < len(data); at += StripSize {
		sealed = c.boxes[0].Seal(sealed, data[at:min(at+StripSize, len(data))], s.bind(h.o, index, len(data), at))
	}
	disk, err := c.store.write(h.o, index, sealed)
	c.scratch.Put(s)
	return c.written(e, disk, err)
}

// check is an error for a block that the object cannot have.
func (id *ID) check(index int64, size int) error {
	want := int64(id.BlockSize)
	switch {
	case index < 0 || index > maxIndex || id.Size >= 0 && index > id.Size/want:
		want = 0
	case id.Size >= 0:
		want = min(want, id.Size-index*want)
	}
	if size > 0 && (int64(size) == want || id.Size < 0 && int64(size) < want) {
		return nil
	}
	return fmt.Errorf("blockcache: block %d of %d bytes does not fit an object of %d bytes in blocks of %d", index, size, id.Size, id.BlockSize)
}

// claim enters a block that is to be written, and makes room for it. Nil without an error: there is nothing to write.
func (h *Object) claim(index int64, size int) (*entry, error) {
	c, o := h.c, h.o
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.closed || !c.begin() {
		return nil, ErrClosed
	}
	o.ops++
	e, err := c.enter(o, index, size)
	if err == nil && e == nil {
		c.release(o)
		return nil, nil
	}
	if err == nil {
		err = c.reserve(o, size)
		if err == nil {
			return e, nil
		}
		delete(o.blocks, index)
		c.settled.Broadcast()
	}
	c.stats.NoRoom++
	c.release(o)
	return nil, err
}

// enter puts a block into the table as one that is written. Nil without an error: it is there. c.mu is held, and given up
// meanwhile.
func (c *Cache) enter(o *object, index int64, size int) (*entry, error) {
	for {
		e := o.blocks[index]
		switch {
		case e == nil:
			if time.Now().Before(c.full) {
				return nil, ErrNoRoom
			}
			e = &entry{o: o, index: index, size: int32(size)}
			o.blocks[index] = e
			return e, nil
		case e.state == dying:
			c.settled.Wait()
		case e.state == writing, e.pins > 0:
			return nil, nil
		case o.visible(e):
			c.blocks.touch(e)
			return nil, nil
		default:
			c.doom(e)
			c.dropSome(o, []*entry{e})
		}
	}
}

// reserve makes room for a block of o and takes it. c.mu is held, and given up meanwhile.
func (c *Cache) reserve(o *object, size int) error {
	for o.est == 0 && len(c.objects) > c.most && c.dropIdlest() { // o is one of them
	}
	for {
		n := c.cost(size)
		if o.est == 0 {
			n += c.objectCost(o.id)
		}
		if c.used+n <= c.max {
			c.count(o, n)
			return nil
		}
		if err := c.makeRoom(n); err != nil {
			return err
		}
	}
}

// written ends a Put.
func (c *Cache) written(e *entry, disk int64, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.release(e.o)
	if err != nil {
		c.complain("write", err)
		e.state = dying
		c.dropSome(e.o, []*entry{e})
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			c.full = time.Now().Add(retryAfter)
			c.stats.NoRoom++
			return ErrNoRoom
		}
		return err
	}
	c.said = false
	if e.bad { // dropped while it was written
		e.state = dying
		c.dropSome(e.o, []*entry{e})
		return nil
	}
	e.state, c.changed = live, true
	c.blocks.add(e)
	c.stats.Puts++
	c.measured(e.o, disk)
	c.settled.Broadcast()
	if c.used > c.max { // by what only the file system could tell
		_ = c.makeRoom(0) // if all is in use the next Put makes it
	}
	return nil
}
