package assemble

import (
	"bytes"
	"context"
	"io"
	"slices"

	"spate/source"
)

// joined reads a fill from an offset on, for one part.
type joined struct {
	f    *fill
	t    *tally
	spot *spot
	off  int64 // guarded by f.mu

	size    int64 // of the whole, as far as it is known or promised, else -1
	adopted bool  // the fill is this part's, or is now: whoever it was begun for did not get it
}

// answered waits for the answer to the fill's request and reports whether that is kept. The error is that of ctx, or
// why the request failed.
func (j *joined) answered(ctx context.Context) (kept bool, err error) {
	f := j.f
	select {
	case <-f.answered:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	return f.kept, f.refusal
}

// own makes the fill that of the part it was asked for. The error is that of an answer of another size than promised.
func (j *joined) own(to target) error {
	known := j.f.info.Size
	if to.size >= 0 && known >= 0 && to.size != known {
		return &source.Error{Op: "open", URL: to.url, Kind: source.KindCorrupt, Err: errPromised}
	}
	j.size, j.adopted = max(known, to.size), true
	return nil
}

// serve makes the fill serve to, for l. It reports false if the fill cannot.
func (j *joined) serve(to target, l *Leaf) bool {
	f := j.f
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.holds(to, l.size, j.off) {
		return false
	}
	j.size = max(f.size(), to.size, l.size)
	if f.owner.unread.Load() {
		f.owner = l.spot
	}
	j.adopted = f.owner == l.spot
	return true
}

// read waits for the next bytes of the fill and counts them in the part's tally.
func (j *joined) read(ctx context.Context, b []byte) (int, error) {
	if err := j.await(ctx); err != nil {
		return 0, err
	}
	n, err := j.f.readAt(b, j.off)
	if err != nil {
		return 0, err
	}
	if j.size >= 0 && j.off+int64(n) > j.size {
		return 0, j.fault(source.KindCorrupt, errPromised)
	}
	if !j.moveOn(n) {
		return 0, errNotKept
	}
	j.t.add(b[:n])
	return n, nil
}

// moveOn counts n bytes as read. It reports false if the fill no longer serves the reader: what was read may be of
// another fill then.
func (j *joined) moveOn(n int) bool {
	j.f.mu.Lock()
	defer j.f.mu.Unlock()
	j.off += int64(n)
	j.f.cond.Broadcast()
	return j.f.serves(j)
}

func (j *joined) await(ctx context.Context) error {
	f := j.f
	stop := context.AfterFunc(ctx, f.wake)
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cond.Broadcast() // the reader may be the head by now, for whom the fill goes on
	for f.n <= j.off && !f.over && f.serves(j) && ctx.Err() == nil {
		f.cond.Wait()
	}
	switch {
	case !f.serves(j):
		return errNotKept
	case f.n > j.off:
		return ctx.Err()
	case ctx.Err() != nil:
		return ctx.Err()
	case f.err != nil:
		return f.err
	case f.n < max(j.off, j.size):
		return j.fault(source.KindChanged, errShrunk)
	}
	return io.EOF
}

// mayBe reports whether the fill may have the digest; nil is any. Of a fill that is not over, that is not known, and
// the part's own tally finds out.
func (j *joined) mayBe(digest []byte) bool {
	if digest == nil || bytes.Equal(digest, j.f.to.digest) {
		return true
	}
	j.f.mu.Lock()
	whole := j.f.over && j.f.err == nil && !j.f.passing
	j.f.mu.Unlock()
	return !whole || bytes.Equal(digest, j.f.sum())
}

// check is called before the first byte is read, once the part is the head: what was fetched may be known by now not
// to be whole, or not to be what was promised.
func (j *joined) check(digest []byte) error {
	j.f.mu.Lock()
	err := j.f.err
	j.f.mu.Unlock()
	switch {
	case err != nil:
		return err
	case !j.mayBe(digest):
		return errOtherDigest
	}
	return nil
}

func (j *joined) fault(kind source.Kind, err error) error {
	return &source.Error{Op: "read", URL: j.f.to.url, Kind: kind, Err: err}
}

func (j *joined) info() source.Info { return j.f.info }

// Close leaves the fill, which goes on without.
func (j *joined) Close() {
	f := j.f
	f.mu.Lock()
	f.readers = slices.DeleteFunc(f.readers, func(o *joined) bool { return o == j })
	f.freeIfUnused()
	f.mu.Unlock()
}
