package fill

import (
	"context"
	"errors"
	"io"

	"spate/source"
)

var errOffset = errors.New("fill: a negative offset")

// A Reader reads a range of a File: see [File.Open].
type Reader struct {
	o    *object
	ctx  context.Context
	wake chan struct{}

	// Guarded by o.mu.
	want   *reader
	err    error
	closed bool
}

func (r *Reader) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// fail ends r with err. o.mu is held.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rouse()
}

// Read returns what is there of a block.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	o := r.o
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if err := r.over(); err != nil {
			return 0, err
		}
		mayCross := r.mayCross()
		if mayCross {
			if b, at, end := r.next(); b != nil {
				n := r.hand(p, b.data[at:end])
				b.release()
				return n, nil
			}
			if n := r.read(p); n > 0 {
				return n, nil
			}
		}
		if r.err == nil && (!mayCross || !r.open()) {
			r.await()
		}
	}
}

// hand copies data, or as much as fits, to p. o.mu is held; not meanwhile.
func (r *Reader) hand(p, data []byte) int {
	o := r.o
	if left := r.want.end - r.want.pos; int64(len(data)) > left {
		data = data[:left]
	}
	from := o.core.fillingAt(r.want.pos) // it may be filled anew meanwhile
	o.mu.Unlock()
	n := copy(p, data)
	o.mu.Lock()
	r.moved(n, from)
	return n
}

// moved is told that so many bytes were read of from. o.mu is held.
func (r *Reader) moved(n int, from filling) {
	o := r.o
	o.pool.count.client.Add(int64(n))
	if r.want.waits = false; o.core.move(r.want, int64(n), from) {
		o.planFor(r.want)
	}
}

// read reads from the cache to p, past the memory: a block is opened by strips, as they are taken, and a thousand slow readers hold none.
// 0: the block is not there, or was changed meanwhile, or p is too small. o.mu is held; not meanwhile.
func (r *Reader) read(p []byte) int {
	o, b := r.o, r.o.core.index(r.want.pos)
	if int64(len(p)) < min(strip, o.core.block) || r.err != nil || o.store == nil || o.core.parts[b] != nil || !o.store.isOnDisk(b) {
		return 0
	}
	s, was, off := o.store, o.core.fillingAt(r.want.pos), int(r.want.pos-o.core.from(b))
	o.mu.Unlock()
	n, ok := s.get(b, off, p)
	o.mu.Lock()
	if !ok || o.core.fillingAt(r.want.pos).made != was.made || r.over() != nil {
		return 0
	}
	n = int(min(int64(n), r.want.end-r.want.pos))
	r.moved(n, was)
	return n
}

// over is why there is nothing more to be read. o.mu is held.
func (r *Reader) over() error {
	o := r.o
	switch {
	case r.closed:
		return ErrClosed
	case r.want.pos >= r.want.end, o.core.size >= 0 && r.want.pos >= o.core.size:
		return io.EOF
	case r.err != nil:
		return r.err
	case o.dead != nil:
		return o.dead
	}
	return r.ctx.Err()
}

// next are the bytes at r, as far as they are there: [at, end) of what is there of a block, for one user. Nobody changes them any more.
// nil: there are none. o.mu is held.
func (r *Reader) next() (b *slab, at, end int64) {
	o := r.o
	index := o.core.index(r.want.pos)
	at = r.want.pos - o.core.from(index)
	if part := o.core.parts[index]; part != nil && (o.hashes == nil || !o.hashes.Known(index)) {
		if end = part.n; end > at {
			b = o.bufs[index].use()
		}
	} else if o.store != nil {
		if b = o.store.mem.get(o.store, index); b != nil {
			end = int64(len(b.data))
		}
	}
	if b != nil && end <= at {
		b.release()
		b = nil
	}
	return b, at, end
}

// mayCross reports whether the next byte may be handed on, once it is there. o.mu is held.
func (r *Reader) mayCross() bool {
	o := r.o
	crossing := o.core.crosses(r.want)
	if crossing == mayCross || !o.core.begunAny(o.core.index(r.want.pos)) {
		return true
	}
	if crossing == torn {
		r.err = wrong("read", o.mirrors[o.core.founder], source.KindChanged, errUnproved)
	}
	return false
}

// open sees that the block at r is in memory, if the cache has it. It reports false if there is nothing to be read. o.mu is held; not
// meanwhile.
func (r *Reader) open() bool {
	o, b := r.o, r.o.core.index(r.want.pos)
	if o.store == nil || o.core.parts[b] != nil || !o.store.has(b) {
		return false
	}
	o.mu.Unlock()
	if is := o.find(b); is != nil {
		is.release()
	}
	o.mu.Lock()
	return true
}

// await waits until something has happened. o.mu is held; not meanwhile.
func (r *Reader) await() {
	o := r.o
	if r.want.waits = true; !o.core.isSettled(r.want) {
		o.planFor(r.want)
	}
	o.mu.Unlock()
	select {
	case <-r.wake:
	case <-r.ctx.Done():
	}
	o.mu.Lock()
}

// learn waits until an origin has told what the file is.
func (r *Reader) learn() error {
	o := r.o
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		switch {
		case o.dead != nil:
			return o.dead
		case o.core.known:
			return nil
		case r.err != nil:
			return r.err
		case r.ctx.Err() != nil:
			return r.ctx.Err()
		}
		r.await()
	}
}

// Close gives up interest.
func (r *Reader) Close() error {
	o := r.o
	o.mu.Lock()
	if r.closed {
		o.mu.Unlock()
		return nil
	}
	r.closed = true
	r.rouse()
	o.core.detach(r.want)
	delete(o.readers, r.want)
	o.settle()
	o.mu.Unlock()
	o.pool.leave(o)
	return nil
}

// block is what find finds. It is not used for another block.
func (o *object) block(b int64) []byte {
	if is := o.find(b); is != nil {
		return is.data
	}
	return nil
}

// find is a block that is there, for one user, read from the cache where it is not in memory; nil if it is gone. Who wants one that is
// being read waits for that.
func (o *object) find(b int64) *slab {
	for {
		o.mu.Lock()
		s, reads := o.store, o.opening[b]
		if s == nil {
			o.mu.Unlock()
			return nil
		}
		if data := s.mem.get(s, b); data != nil {
			o.mu.Unlock()
			return data
		}
		if reads == nil {
			reads = make(chan struct{})
			o.opening[b] = reads
			o.mu.Unlock()
			return o.readBlock(s, b, reads)
		}
		o.mu.Unlock()
		<-reads
	}
}

// readBlock reads a block from the cache, and tells those who wait for it by closing done.
func (o *object) readBlock(s *store, b int64, done chan struct{}) *slab {
	data := s.open(b)
	o.mu.Lock()
	delete(o.opening, b)
	o.mu.Unlock()
	close(done)
	return data
}

// begunBlock is what is there of a block.
func (o *object) begunBlock(b int64) []byte {
	o.mu.Lock()
	if part := o.core.parts[b]; part != nil {
		var data []byte
		if part.n > 0 {
			data = o.bufs[b].use().data[:part.n] // which is not used for another block
		}
		o.mu.Unlock()
		return data
	}
	o.mu.Unlock()
	return o.block(b)
}
