package assemble

import (
	"context"
	"io"
	"slices"

	"spate/source"
)

// joined reads a fill from an offset on, for one part.
type joined struct {
	f   *fill
	t   *tally
	pos *spot
	off int64 // guarded by f.mu
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
	j.f.mu.Lock()
	j.off += int64(n)
	j.f.cond.Broadcast()
	j.f.mu.Unlock()
	j.t.add(b[:n])
	return n, nil
}

func (j *joined) await(ctx context.Context) error {
	f := j.f
	stop := context.AfterFunc(ctx, f.wake)
	defer stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.n <= j.off && !f.over && ctx.Err() == nil {
		f.cond.Wait()
	}
	switch {
	case f.n > j.off:
		return ctx.Err()
	case ctx.Err() != nil:
		return ctx.Err()
	case f.err != nil:
		return f.err
	}
	return io.EOF
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
