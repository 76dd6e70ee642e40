package assemble

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A reader that is faster than the network has nothing to gain from a fetcher: each block would cost a wake-up of
// another thread, and a cold cache. So a reader that finds the pipe of the head empty asks for the stock itself; the
// fetcher lends it, and waits. It gets it back where it is needed: at the stock's end, and where it fails. A reader
// that takes its time between two reads does not ask: the fetcher then reads ahead meanwhile.

// rushRead is how long reading a full buffer may take that was there to be had. A head that comes so fast, over a
// gigabyte a second, leaves nothing for those who read ahead but to take the cores away: they stand back meanwhile.
const rushRead = 200 * time.Microsecond

// slowReader is how long a reader may be away between two reads, and still read by itself.
const slowReader = 150 * time.Microsecond

var errTakenBack = errors.New("the leaf was ended while its stock was lent")

// A loan is the reader's access to the stock of the head. Its fields are guarded by the Reader's mu, and bytes is the
// reading goroutine's.
type loan struct {
	asked *pipe                       // whose stock the reader wants; nil: none
	read  func(b []byte) (int, error) // nil: nothing is lent
	err   error                       // what read returned last, as it was given back
	back  *sync.Cond                  // given back

	bytes []byte // read and not yet consumed
	buf   []byte
	left  time.Time // when the reader was last given bytes

	rush bool       // the head comes as fast as it can be read
	calm *sync.Cond // rush has ended
}

// lend gives the leaf's stock to the reader, if it has asked, and waits to get it back. It reports whether it was
// lent, and the error that reading ended with.
func (r *Reader) lend(ctx context.Context, l *Leaf) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	loan := &r.loan
	if loan.asked != l.pipe {
		return false, nil
	}
	loan.asked, loan.err = nil, nil
	loan.read = func(b []byte) (int, error) { return l.stock.read(ctx, b) }
	r.ready.Signal()
	for loan.read != nil {
		loan.back.Wait()
	}
	return true, loan.err
}

// borrow asks for the stock of l, whose pipe is empty, unless that is a block or less: it is read before it could change
// hands twice. r.mu is held.
func (r *Reader) borrow(l *Leaf) {
	if a := &l.answer; a.size >= 0 && a.size-a.off <= maxBlock {
		return
	}
	if time.Since(r.loan.left) < slowReader {
		r.loan.asked = l.pipe
	}
}

// giveBack ends a loan, if there is one; err is for the fetcher.
func (r *Reader) giveBack(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.loan.asked, r.loan.rush = nil, false
	r.loan.calm.Broadcast()
	if r.loan.read != nil {
		r.loan.read, r.loan.err = nil, err
		r.loan.back.Signal()
	}
}

// readLent reads from the stock that was lent. Without bytes, the stock is given back.
func (r *Reader) readLent(l *Leaf, read func([]byte) (int, error)) []byte {
	if time.Since(r.loan.left) > slowReader {
		r.giveBack(nil)
		return nil
	}
	if r.loan.buf == nil {
		r.loan.buf = make([]byte, maxBlock)
	}
	r.headNext = l.next
	begin := time.Now()
	n, err := read(r.loan.buf)
	r.loan.bytes = r.loan.buf[:n]
	if n == 0 {
		r.giveBack(err)
	} else {
		r.setRush(n == len(r.loan.buf) && time.Since(begin) < rushRead)
	}
	return r.loan.bytes
}

func (r *Reader) setRush(rush bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loan.rush = rush && r.stopped == nil; !r.loan.rush {
		r.loan.calm.Broadcast()
	}
}

// standBack lets the head go first, while it comes as fast as it can be read. Whoever ends the head ends that.
func (r *Reader) standBack() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.loan.rush {
		r.loan.calm.Wait()
	}
}
