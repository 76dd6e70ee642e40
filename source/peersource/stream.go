package peersource

import (
	"context"
	"io"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// A stream is the chunks of a target in order, or a range of them: a [driver.Stream]. One chunk is open at a time. Whoever
// wants more at once opens more ranges, which is the scheduler's business.
type stream struct {
	src   *Source
	ctx   context.Context // of Open: it governs the body, too
	watch *driver.Watch
	t     target

	index  int    // of the chunk that is read
	last   int    // the last one that the range needs
	cur    *chunk // nil: not opened yet
	skip   int64  // bytes of it that are before the range
	common int64  // see chunk
	ahead  ahead
	isOver bool
}

// open asks for the first byte of rng, if there is one.
func (x *stream) open(rng source.Range) (*source.Resource, error) {
	size := x.t.length()
	res := &source.Resource{Info: source.Info{URL: conn.WithoutFragment(x.t.rawURL), Size: size, Seekable: x.t.isSized()}, Len: -1}
	left := driver.EndOf(rng)
	x.index, x.last, x.common = x.t.first, x.t.last, -1
	if x.t.isSized() {
		left = max(min(left, size)-rng.Off, 0)
		res.Off, res.Len = rng.Off, left
		x.isOver = left == 0
	}
	if x.t.isSized() && !x.isOver {
		x.index, x.skip = x.t.at(rng.Off)
		x.last, _ = x.t.at(rng.Off + left - 1)
	}
	res.Body = driver.NewBody(x, x.watch, x.t.rawURL, -1).Expect(left, x.t.isSized()) // each giver has its own time
	if e := x.watch.Interrupted(); e != nil {
		return nil, e
	}
	if x.isOver {
		return res, nil
	}
	x.begin()
	if err := x.cur.ready(); err != nil {
		return nil, failure(err)
	}
	x.lookAhead()
	res.Conn.Addr = x.cur.now.remote
	return res, nil
}

// begin begins with the chunk at index.
func (x *stream) begin() {
	x.cur = &chunk{src: x.src, ctx: x.ctx, tracker: x.t.tracker, index: x.index, size: x.t.sizeOf(x.index), common: x.common,
		causes: causes{chunk: x.index}}
	x.cur.isDone = x.cur.size == 0
}

// lookAhead asks for the chunks behind the one that is read.
func (x *stream) lookAhead() {
	if x.index == x.last {
		return
	}
	x.ahead.ask(x.ctx, x.index+1, x.last, func(ctx context.Context, chunk int) ([]giver, error) {
		return x.src.trackers.locate(ctx, x.t.tracker, chunk)
	})
}

// Read reads what is in the range.
func (x *stream) Read(p []byte) (int, error) {
	for !x.isOver {
		if x.cur == nil {
			x.begin()
			x.cur.found = x.ahead.take(x.ctx, x.index)
			x.lookAhead()
		}
		n, err := x.read(p)
		if err == io.EOF {
			x.end()
			continue
		}
		if err != nil {
			return n, cut(failure(err))
		}
		return n, nil
	}
	return 0, io.EOF
}

func (x *stream) read(p []byte) (int, error) {
	if x.skip > 0 {
		n, err := io.CopyN(io.Discard, x.cur, x.skip)
		x.skip -= n
		if err != nil {
			return 0, err
		}
	}
	return x.cur.Read(p)
}

// end ends a chunk that was read. Those of the same size need no second delivery then.
func (x *stream) end() {
	if x.cur.isConfirmed {
		x.common = x.cur.pos
	}
	x.drop()
	x.isOver = x.index == x.last
	x.index++
}

func (x *stream) drop() {
	if x.cur != nil {
		x.cur.leave()
		x.cur = nil
	}
}

// Finish makes sure that a chunk of which all bytes were read has no more.
func (x *stream) Finish() error {
	if x.cur == nil || x.cur.pos != x.cur.size {
		return nil
	}
	var none [1]byte
	if _, err := x.cur.Read(none[:]); err != io.EOF {
		return cut(failure(err))
	}
	return nil
}

// Release ends it. No connection to a peer carries a second chunk.
func (x *stream) Release(bool) {
	x.drop()
	x.watch.Kill()
	x.watch.End()
	x.ahead.close()
}
