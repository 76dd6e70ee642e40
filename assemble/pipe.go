package assemble

import (
	"context"
	"io"
	"time"

	"spate/source/budget"
)

const (
	maxBlock    = 256 << 10
	minBlock    = 4 << 10
	headReserve = 4 * maxBlock
)

// A pipe hands a leaf's bytes from its fetcher to the reader. Its fields are guarded by the Reader's mu, but for grant.
type pipe struct {
	grant budget.Grant // for the whole of the leaf, the fetcher's alone; empty: block by block

	blocks []*block
	err    error // why there is no more: io.EOF, errFailed or that of the context
	taken  bool  // the reader has seen some of the bytes
}

// A block is a piece of a pipe. The reader takes buf[r:w]; the fetcher, and only it, writes behind w.
type block struct {
	buf   []byte
	r, w  int
	next  int // the leaf's next alternative when this was read
	grant budget.Grant
}

// sizeClass is the size of a buffer for n bytes: a power of two within bounds.
func sizeClass(n int64) int {
	size := minBlock
	for int64(size) < n && size < maxBlock {
		size *= 2
	}
	return size
}

// pump copies from the leaf's stock into its pipe until the stock's end or an error.
func (r *Reader) pump(ctx context.Context, l *Leaf) error {
	if j, ok := l.stock.(*joined); ok {
		// The memo holds the bytes: no need to hold them twice before they are read.
		select {
		case <-l.spot.isHead:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := j.check(l.digest); err != nil {
			return err
		}
	} else if err := r.reserve(ctx, l); err != nil {
		return err
	}
	var probe [1]byte
	for {
		if lent, err := r.lend(ctx, l); err != nil {
			return err
		} else if lent {
			continue
		}
		if l.size >= 0 && l.t.off >= l.size {
			if n, err := l.stock.read(ctx, probe[:]); n == 0 && err != nil {
				return err
			}
			continue
		}
		if l.spot.Ahead() > 0 {
			r.standBack()
		}
		b, err := r.room(ctx, l)
		if err != nil {
			return err
		}
		n, err := l.stock.read(ctx, b.buf[b.w:])
		r.commit(l, b, n)
		if err != nil {
			return err
		}
	}
}

// reserve takes the budget for all of a leaf that is not yet the head, so that what is begun can be finished.
func (r *Reader) reserve(ctx context.Context, l *Leaf) (err error) {
	if l.size > l.t.off && l.pipe.grant.Held() == 0 {
		l.pipe.grant, err = r.account.AcquireWhole(ctx, l.size-l.t.off, l.spot)
	}
	return err
}

// room returns the last block of the pipe, if it is not full, or a new one.
func (r *Reader) room(ctx context.Context, l *Leaf) (*block, error) {
	r.mu.Lock()
	if n := len(l.pipe.blocks); n > 0 {
		if b := l.pipe.blocks[n-1]; b.w < len(b.buf) && b.next == l.next {
			r.mu.Unlock()
			return b, nil
		}
	}
	r.mu.Unlock()
	left := int64(maxBlock)
	if l.size >= 0 {
		left = l.size - l.t.off
	}
	size := sizeClass(left)
	if l.pipe.grant.Held() > 0 {
		return &block{buf: r.o.opts.Budget.Buffer(size), next: l.next, grant: l.pipe.grant.Split(int64(size))}, nil
	}
	grant, err := r.account.Acquire(ctx, int64(size), l.spot)
	if err != nil {
		return nil, err
	}
	return &block{buf: r.o.opts.Budget.Buffer(size), next: l.next, grant: grant}, nil
}

// commit makes n more bytes of b, which room returned, readable.
func (r *Reader) commit(l *Leaf, b *block, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := l.pipe
	fresh := b.w == 0
	b.w += n
	if n == 0 && fresh {
		r.recycle(b)
		return
	}
	if fresh {
		p.blocks = append(p.blocks, b)
	}
	r.wake(p)
}

// wake wakes the reader if it waits for p. Parts that are read ahead end much more often than it has to look.
func (r *Reader) wake(p *pipe) {
	if r.awaited == p {
		r.ready.Signal()
	}
}

func (r *Reader) recycle(b *block) {
	b.grant.Release()
	r.o.opts.Budget.Recycle(b.buf)
	b.buf = nil
}

// endPipe tells the reader that no more will come.
func (r *Reader) endPipe(l *Leaf, err error) {
	l.pipe.grant.Release()
	r.mu.Lock()
	defer r.mu.Unlock()
	l.pipe.err = err
	r.wake(l.pipe)
}

// peek waits for bytes of l, the head, and returns them; they stay valid until consume.
func (r *Reader) peek(l *Leaf) ([]byte, error) {
	for len(r.loan.bytes) == 0 {
		b, read, err := r.await(l)
		if read == nil {
			return b, err
		}
		r.readLent(l, read)
	}
	return r.loan.bytes, nil
}

// await waits for bytes in the pipe of l, or for its stock to be lent.
func (r *Reader) await(l *Leaf) (b []byte, read func([]byte) (int, error), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := l.pipe
	for {
		if len(p.blocks) > 1 && p.blocks[0].r == p.blocks[0].w {
			r.shift(p)
		}
		switch {
		case r.stopped != nil:
			return nil, nil, r.stopped
		case p.err == errFailed && (l.wrong || l.early && !p.taken):
			return nil, nil, p.err // what is buffered is wrong, or will be fetched again
		case len(p.blocks) > 0 && p.blocks[0].r < p.blocks[0].w:
			p.taken = true
			r.headNext = p.blocks[0].next
			return p.blocks[0].buf[p.blocks[0].r:p.blocks[0].w], nil, nil
		case p.err != nil:
			return nil, nil, p.err
		case r.loan.read != nil:
			p.taken = true
			return nil, r.loan.read, nil
		}
		r.borrow(l)
		r.awaited = p
		r.ready.Wait()
		r.awaited = nil
	}
}

// consume frees the first n bytes of what peek returned.
func (r *Reader) consume(l *Leaf, n int) {
	r.loan.left = time.Now()
	if len(r.loan.bytes) > 0 {
		r.loan.bytes = r.loan.bytes[n:]
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := l.pipe
	b := p.blocks[0]
	b.r += n
	if b.r == b.w && (b.w == len(b.buf) || p.err != nil) {
		r.shift(p)
	}
}

// shift frees the first block.
func (r *Reader) shift(p *pipe) {
	r.recycle(p.blocks[0])
	p.blocks[0] = nil
	p.blocks = p.blocks[1:]
}

// rewindPipe drops what is buffered, unless the reader has seen some of it.
func (r *Reader) rewindPipe(l *Leaf) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.pipe.taken {
		return false
	}
	r.drain(l.pipe)
	return true
}

func (r *Reader) drain(p *pipe) {
	for _, b := range p.blocks {
		r.recycle(b)
	}
	p.blocks = nil
}

// end ends a leaf and waits for its goroutine.
func (r *Reader) end(l *Leaf) {
	l.discard()
	if l.pipe == nil {
		return
	}
	if l == r.head {
		r.giveBack(errTakenBack)
		r.loan.bytes = nil
	}
	<-l.stopped
}

// drop ends a leaf that is not read any more, or not to its end, and frees what it holds.
func (r *Reader) drop(l *Leaf) {
	r.end(l)
	if l.pipe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drain(l.pipe)
}

// fetch reads a leaf into its pipe, from one alternative after the other, until it is whole and verified.
func (r *Reader) fetch(ctx context.Context, l *Leaf) {
	for {
		err := r.pump(ctx, l)
		if err == io.EOF {
			err = l.verify()
		}
		if err == nil {
			l.stock.Close()
			r.endPipe(l, io.EOF)
			return
		}
		if ctx.Err() == nil && r.failover(ctx, l, err) {
			continue
		}
		l.close()
		if ctx.Err() != nil {
			r.endPipe(l, ctx.Err())
		} else {
			l.early = l.spot.Ahead() > 0 && mayBeLoad(l.errs)
			r.endPipe(l, errFailed)
		}
		return
	}
}
