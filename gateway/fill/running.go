package fill

import (
	"bytes"
	"context"
	"errors"
	"io"

	"spate/internal/redact"
	"spate/source"
)

// chunk is how much is read at once.
const chunk = 64 << 10

// running is a stream at work: a goroutine.
type running struct {
	o      *object
	stream *stream // guarded by o.mu
	act    action
	ctx    context.Context
	cancel context.CancelCauseFunc
	slot   slot
	wake   chan struct{}
	end    int64 // of the answer; endless: not known
	into   *slab // is read into, behind what is there; nil: own is, or nothing
	own    *slab // for what has no place yet; nil: none
}

func (r *running) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// run works until the stream has come to its end, has failed, or is not needed.
func (r *running) run() {
	defer r.cancel(nil)
	defer r.clear()
	err := r.pool().slots.acquire(r.ctx, &r.slot)
	if err == nil {
		err = r.work()
		r.slot.release()
	}
	r.finish(err)
}

func (r *running) pool() *Pool { return r.o.pool }

func (r *running) url() string { return r.o.mirrors[r.stream.mirror] }

func (r *running) work() error {
	if r.act.check >= 0 {
		if err := r.vouch(); err != nil {
			return err
		}
	}
	if r.stream.probe {
		return r.join()
	}
	res, err := r.ask()
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return r.read(res)
}

// finish tells the core what has become of the stream.
func (r *running) finish(err error) {
	o, s := r.o, r.stream
	o.mu.Lock()
	defer o.mu.Unlock()
	cause := context.Cause(r.ctx)
	delete(o.running, s)
	switch {
	case o.dead != nil:
		return
	case err == nil, err == errHalted, errors.Is(cause, errRevoked), errors.Is(cause, errHalted), o.core.mirrors[s.mirror].aside:
		o.core.remove(s) // it has done what it was for, or that is no fault of it
	default:
		r.pool().count.failures.Add(1)
		r.pool().opts.Log.Debug("stream failed", "url", redact.URL(r.url()), "error", err)
		o.errs[s.mirror] = err
		o.core.failed(o.now(), s, judged(err))
	}
	o.plan()
}

// await waits until somebody wants what comes next, and says where that may be read to; nil: nothing is left to be read.
func (r *running) await() ([]byte, error) {
	o, s := r.o, r.stream
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		if r.ctx.Err() != nil {
			return nil, context.Cause(r.ctx)
		}
		if o.core.over(s) {
			return nil, nil
		}
		if limit := o.core.quota(s); limit > s.off {
			if !s.waits {
				o.core.awaits(o.now(), s)
				o.arm()
			}
			return r.place(limit - s.off), nil
		}
		s.waits = false
		if !s.idle {
			o.plan() // which sees that it is not needed
			if o.core.quota(s) > s.off {
				continue
			}
		}
		o.mu.Unlock()
		select {
		case <-r.wake:
		case <-r.ctx.Done():
		}
		o.mu.Lock()
	}
}

// read takes what the answer brings, as long as it is wanted.
func (r *running) read(res *source.Resource) error {
	for {
		buf, err := r.await()
		if err != nil {
			return err
		}
		if buf == nil {
			return r.drained(res)
		}
		got, err := res.Body.Read(buf)
		if got > 0 {
			r.pool().count.origin.Add(int64(got))
			if err := r.take(buf[:got]); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return r.ended()
		case err != nil:
			return err
		}
	}
}

// drained sees that an answer which was read to its end says so: its connection can be used again then.
func (r *running) drained(res *source.Resource) error {
	r.o.mu.Lock()
	atEnd := r.stream.off >= r.end
	r.stream.waits = false
	r.o.mu.Unlock()
	if !atEnd {
		return nil
	}
	if n, err := res.Body.Read(make([]byte, 1)); n > 0 || err != nil && err != io.EOF {
		return wrong("read", r.url(), source.KindProtocol, errEarly)
	}
	return nil
}

// take puts bytes where they belong.
func (r *running) take(p []byte) error {
	o, s := r.o, r.stream
	sure, err := r.compared(p)
	if err != nil {
		return err
	}
	t := o.core.take(o.now(), s, int64(len(p)))
	if !sure {
		s.sure = s.off
	}
	b := t.index
	r.pool().count.duplicate.Add(int64(len(p)) - t.n)
	if t.n == 0 {
		r.leave()
		o.mu.Unlock()
		return nil
	}
	data := r.put(t, p).use()
	r.leave()
	if o.hashes == nil || !o.hashes.Known(b) {
		o.wakeReaders(b)
	}
	o.mu.Unlock()
	defer data.release()
	if t.whole {
		return r.complete(b, data)
	}
	return nil
}

// compared compares p, which has come, with what is there in its place, where that has to be. It reports false if something was, and is
// there no more. Where there is no error it returns with o.mu held, and nothing has come in its place meanwhile that was not compared.
func (r *running) compared(p []byte) (sure bool, err error) {
	c, off := r.o.core, r.stream.off
	r.o.mu.Lock()
	for c.vague {
		made, n := c.holds(off, int64(len(p)))
		r.o.mu.Unlock()
		if sure, err = r.compare(p); err != nil {
			return false, err
		}
		r.o.mu.Lock()
		if nowMade, now := c.holds(off, int64(len(p))); nowMade == made && now == n {
			return sure, nil
		}
	}
	return true, nil
}

// compare is one try of that.
func (r *running) compare(p []byte) (sure bool, err error) {
	o, s := r.o, r.stream
	o.mu.Lock()
	b := o.core.index(s.off)
	at := s.off - o.core.from(b)
	part, has := o.core.parts[b], o.core.has(b)
	var is *slab
	n := int64(0) // of is that are there
	if part != nil && !has {
		if n = part.n; n > at {
			is = o.bufs[b].use()
		}
	}
	o.mu.Unlock()
	if has {
		if is = o.find(b); is != nil {
			n = int64(len(is.data))
		}
	}
	if is != nil {
		defer is.release()
	}
	if n <= at {
		return n == at, nil
	}
	n = min(n-at, int64(len(p)))
	if !bytes.Equal(is.data[at:][:n], p[:n]) {
		return false, r.tears()
	}
	return true, nil
}

// tears says that the bytes of the mirror are not those that are there.
func (r *running) tears() error {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	err := wrong("compare", r.url(), source.KindChanged, errBytes)
	r.o.differs(r.stream.mirror, err)
	return err
}

// complete makes a block of a part that has all its bytes.
func (r *running) complete(b int64, data *slab) error {
	o := r.o
	if o.hashes != nil && o.hashes.Known(b) && !o.hashes.Check(b, data.data) {
		return r.corrupt(b)
	}
	o.mu.Lock()
	s, dead := o.store, o.dead
	unsized := o.core.size < 0 && o.core.from(b) >= o.pool.opts.Unknown
	o.mu.Unlock()
	if dead != nil {
		return dead
	}
	if !unsized { // first, while it is a part still: else it may be begun anew before it is in the cache
		if err := s.keep(b, data.data); err != nil {
			o.pool.count.notCached.Add(1)
			o.pool.opts.Log.Debug("not cached", "error", err)
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.dead != nil {
		return o.dead
	}
	s.mem.put(s, b, data)
	o.dropBuf(b)
	o.core.stored(b, r.stream)
	o.wakeReaders(b)
	o.plan()
	return nil
}

// corrupt drops a block that does not have its hash.
func (r *running) corrupt(b int64) error {
	o := r.o
	err := wrong("read", r.url(), source.KindCorrupt, errHash)
	o.pool.count.corrupt.Add(1)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.core.spoiled(b)
	o.dropBuf(b)
	if len(o.mirrors) > 1 {
		o.differs(r.stream.mirror, err)
	}
	return err
}

// ended is told of the clean end of an answer.
func (r *running) ended() error {
	o, s := r.o, r.stream
	o.mu.Lock()
	size, off := o.core.size, s.off
	if size >= 0 || r.end != endless {
		o.mu.Unlock()
		if off < min(r.end, s.end) || size >= 0 && r.end == endless && off != size {
			return wrong("read", r.url(), source.KindProtocol, errEarly)
		}
		return nil
	}
	o.core.sized(off)
	o.info.Size = off
	o.settled.Store(true)
	b := o.core.index(off)
	p := o.core.parts[b]
	if p == nil || o.core.from(b)+p.n != off {
		o.wakeAll()
		o.mu.Unlock()
		return nil
	}
	p.whole = true
	data := newSlab(bytes.Clone(o.bufs[b].data[:p.n]))
	o.wakeAll()
	o.mu.Unlock()
	return r.complete(b, data)
}
