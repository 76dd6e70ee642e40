package fill

import (
	"bytes"
	"context"
	"io"
	"time"

	"spate/source"
)

// vouch compares a block that is there with the mirror's, before anything is asked of that.
func (r *running) vouch() error {
	o := r.o
	was := o.block(r.act.check)
	if was == nil {
		return nil // it has gone meanwhile; the seam is compared in any case
	}
	o.mu.Lock()
	o.core.asked(o.now(), r.stream)
	o.arm()
	o.mu.Unlock()
	return r.same(o.core.from(r.act.check), was)
}

// join compares what is on either side of where the stream begins with one answer across it.
func (r *running) join() error {
	o, s := r.o, r.stream
	o.mu.Lock()
	b := o.core.index(s.off)
	was := o.core.seamAt(b)
	o.mu.Unlock()
	before, behind := o.block(b-1), o.begunBlock(b)
	o.mu.Lock()
	o.core.asked(o.now(), s)
	o.arm()
	o.mu.Unlock()
	before = before[max(0, len(before)-overlap):]
	behind = behind[:min(len(behind), overlap)]
	if len(before) == 0 || len(behind) == 0 {
		return errHalted // a reader that wants to cross it will see to it
	}
	if err := r.same(s.off-int64(len(before)), bytes.Join([][]byte{before, behind}, nil)); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.core.joined(s, was)
	o.wakeAll()
	return nil
}

// same compares was, which is there from off on, with what the mirror has.
func (r *running) same(off int64, was []byte) error {
	o := r.o
	res, err := r.open(source.Range{Off: off, Len: int64(len(was))})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	o.mu.Lock()
	err = o.judge(r.stream.mirror, off, res)
	o.mu.Unlock()
	if err != nil {
		return err
	}
	now, err := bytesAt(res, off, len(was))
	r.pool().count.origin.Add(int64(len(now)))
	r.pool().count.duplicate.Add(int64(len(now)))
	if err != nil {
		return err
	}
	if !bytes.Equal(was, now) {
		return r.tears()
	}
	return nil
}

// bytesAt reads n bytes at off of an answer that may begin before.
func bytesAt(res *source.Resource, off int64, n int) ([]byte, error) {
	if _, err := io.CopyN(io.Discard, res.Body, off-res.Off); err != nil {
		return nil, cutShort(err)
	}
	now := make([]byte, n)
	if n, err := io.ReadFull(res.Body, now); err != nil {
		return now[:n], cutShort(err)
	}
	return now, nil
}

func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A check asks whether an object is still what its mirrors have.
type check struct {
	done chan struct{}
	err  error
}

// confirm asks that, once for all who want to know.
func (o *object) confirm(ctx context.Context) error {
	o.mu.Lock()
	c := o.checking
	if c == nil && o.dead == nil {
		c = &check{done: make(chan struct{})}
		o.checking = c
		o.wg.Go(func() { o.check(c) })
	}
	o.mu.Unlock()
	if c == nil {
		return errReplaced
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// check asks one mirror after the other, until one has answered.
func (o *object) check(c *check) {
	var errs []error
	for i := range o.mirrors {
		o.mu.Lock()
		aside := o.core.mirrors[i].aside
		o.mu.Unlock()
		if aside {
			continue
		}
		if c.err = o.checkOne(i); c.err == nil {
			break
		}
		errs = append(errs, c.err)
		c.err = joined(errs)
	}
	o.mu.Lock()
	o.checking = nil
	if o.isReplaced() {
		c.err = errReplaced
	}
	o.mu.Unlock()
	close(c.done)
}

// isReplaced reports whether the next Open begins anew. o.mu is held.
func (o *object) isReplaced() bool {
	if o.dead != nil {
		return true
	}
	o.pool.mu.Lock()
	defer o.pool.mu.Unlock()
	return o.pool.objects[o.key] != o
}

// checkOne asks a mirror for a byte; where a validator does not name the bytes, for some that are there.
func (o *object) checkOne(mirror int) error {
	ctx, cancel := context.WithCancelCause(o.ctx)
	defer cancel(nil)
	r := &running{o: o, stream: &stream{mirror: mirror}, ctx: ctx, cancel: cancel}
	r.slot.host, r.slot.object = o.core.mirrors[mirror].host, o
	r.slot.revoke = func() {}
	if err := r.pool().slots.acquire(ctx, &r.slot); err != nil {
		return err
	}
	defer r.slot.release()
	o.mu.Lock()
	off, at := int64(0), o.core.checked(0)
	compares := o.core.vague && at >= 0
	size := o.core.size
	o.mu.Unlock()
	if compares {
		if was := o.block(at); len(was) > 0 {
			return r.same(o.core.from(at), was[:min(len(was), overlap)])
		}
	}
	res, err := r.open(source.Range{Off: off, Len: min(1, max(size, 1))})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.judge(mirror, off, res)
}

// fresh reports whether o was confirmed within d. o.mu is held.
func (o *object) isFresh(d time.Duration) bool {
	return d < 0 || time.Since(o.confirmed) <= d
}
