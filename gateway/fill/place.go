package fill

// What an origin brings is read to where it belongs, so that it need not be copied: behind what is there of a block, or to the beginning of
// what will be one. One stream at a time has that place. Another one that brings the same, as the first is slow, takes what is there
// along to a slab of its own, which is the block's from then on: nobody writes to where another does.

// place is where the next bytes of the stream are read to, n at most. o.mu is held.
func (r *running) place(n int64) []byte {
	r.leave()
	o, off := r.o, r.stream.off
	b := o.core.index(off)
	at, size := off-o.core.from(b), o.core.to(b)-o.core.from(b)
	n = min(n, chunk, size-at)
	part, buf := o.core.parts[b], o.bufs[b]
	if part != nil && !part.whole && part.n == at && buf != nil && buf.writer == nil {
		buf.writer, r.into = r, buf.use()
		return buf.data[at:][:n]
	}
	if r.own != nil && int64(len(r.own.data)) != size {
		r.own.release()
		r.own = nil
	}
	if r.own == nil {
		r.own = o.pool.slabs.get(size)
	}
	return r.own.data[:n]
}

// leave gives up the place behind what is there. o.mu is held.
func (r *running) leave() {
	if r.into != nil {
		r.into.writer = nil
		r.into.release()
		r.into = nil
	}
}

// clear gives up all places.
func (r *running) clear() {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	r.leave()
	if r.own != nil {
		r.own.release()
		r.own = nil
	}
}

// put puts what is new of p, which was read to where place said, to its block, and returns that. o.mu is held.
func (r *running) put(t taken, p []byte) *slab {
	o, b := r.o, t.index
	is := o.bufs[b]
	switch {
	case is != nil && is == r.into: // it is there
		return is
	case is == nil && r.into == nil && t.at == 0 && t.skip == 0:
		is, r.own = r.own, nil
		o.bufs[b] = is
		return is
	case is == nil:
		is = o.pool.slabs.get(o.core.to(b) - o.core.from(b))
	case is.writer != nil:
		was := is
		is = o.pool.slabs.get(o.core.to(b) - o.core.from(b))
		copy(is.data[:t.at], was.data)
		was.release()
	}
	o.bufs[b] = is
	copy(is.data[t.at:], p[t.skip:t.skip+t.n])
	return is
}
