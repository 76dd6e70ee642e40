package fill

import (
	"context"
	"io"
	"sync"
	"time"

	"spate/source"
)

// A File is one version of what a set of mirrors has. It is safe for concurrent use.
type File struct {
	o    *object
	once sync.Once
}

// Info is what the first answer told. Size is -1 as long as it is not known.
func (f *File) Info() source.Info {
	f.o.mu.Lock()
	defer f.o.mu.Unlock()
	return f.o.info
}

// Close gives up the File. Its readers go on.
func (f *File) Close() error {
	f.once.Do(func() {
		f.o.pool.release(f.o)
		if f.o.pool.opts.Fill {
			f.o.tick() // what nobody uses is not filled any more
		}
	})
	return nil
}

// Condemn says that bytes of the File are wrong, and why: a digest of the whole does not match. Its readers fail with err, its blocks
// are not used any more, and the next [Pool.Open] does without the mirrors that have given some of them, where there are others.
func (f *File) Condemn(err error) { f.o.condemn(err) }

// Open returns a reader of the n bytes from off on; n below 0: to the end. What is beyond the end is not there: the reader ends
// before.
//
// The reader has bytes as they come, and fails where they cannot be had, with an error that keeps why each mirror has failed; where
// the file has changed that is [source.ErrChanged]. It never ends early. It holds up nobody but itself, and is not
// safe for concurrent use, but that Close may be called beside Read, and ends it. ctx governs it.
func (f *File) Open(ctx context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 {
		return nil, errOffset
	}
	end := int64(endless)
	if n >= 0 && n < endless-off {
		end = off + n
	}
	return f.o.newReader(ctx, &reader{pos: off, end: end, bounded: end != endless}), nil
}

// newReader adds a reader.
func (o *object) newReader(ctx context.Context, want *reader) *Reader {
	o.pool.use(o)
	o.mu.Lock()
	defer o.mu.Unlock()
	r := &Reader{o: o, ctx: ctx, wake: make(chan struct{}, 1), want: want}
	o.core.attach(want)
	o.readers[want] = r
	return r
}

// learn returns once o is known to be what the mirrors have now.
func (o *object) learn(ctx context.Context, what What) error {
	o.mu.Lock()
	known, dead := o.core.known, o.dead
	stale := known && (!o.isJoinable() || o.isReplaced())
	fresh := o.isFresh(freshness(what.Fresh, o.pool.opts.Fresh))
	if stale {
		o.pool.replace(o)
	}
	o.mu.Unlock()
	switch {
	case dead != nil, stale:
		return errReplaced
	case known && fresh:
		return nil
	case known:
		return o.confirm(ctx)
	}
	want := &reader{pos: max(what.At, -1), end: endless, asks: true}
	if want.bounded = what.End > want.pos; want.bounded {
		want.end = what.End
	}
	r := o.newReader(ctx, want)
	defer r.Close()
	return r.learn()
}

func freshness(own, common time.Duration) time.Duration {
	if own != 0 {
		return own
	}
	return common
}

// isJoinable reports whether somebody new can have all of what has no known end: nothing of it is gone. o.mu is held.
func (o *object) isJoinable() bool {
	if o.core.size >= 0 {
		return true
	}
	most := int64(-1)
	for _, s := range o.core.streams {
		most = max(most, s.off)
	}
	for b := int64(0); o.core.from(b+1) <= most; b++ {
		if !o.core.there(b) {
			return false
		}
	}
	return most >= 0
}
