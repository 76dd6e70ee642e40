package fetch

import (
	"io"
	"sync"
	"time"

	"spate/format/checksum"
	"spate/format/span"
)

// maxHeld bounds the memory that a digester keeps for what came before its turn, and how far ahead that may be; the rest it reads
// back from the file. It is little, so that what is hashed is still in a cache of the processor.
const maxHeld = 8 << 20

// A digester hashes a file in order while its bytes are written in any order. What comes in its turn, or a little ahead
// of it, is hashed from memory, where it is warm; what comes far ahead is read back.
//
// add and seal may be called from any goroutine. run ends when all is hashed, or after stop.
type digester struct {
	h    *checksum.Set
	file io.ReaderAt
	told func(off int64) // all before off is hashed
	free func(b []byte)  // takes back a buffer
	gate *gate           // holds up who reads too far ahead

	mu      sync.Mutex
	changed *sync.Cond
	next    int64            // all before it is hashed
	size    int64            // of the whole; -1: not known yet
	held    map[int64][]byte // what is written and not hashed, by offset
	came    int64            // bytes that were added, ever
	bytes   int64            // that the blocks in held take, full or not: where bytes come slowly there are few in each
	dropped span.Set         // what is written, not hashed, and not held
	lap     int              // how often it was begun
	stopped bool
	err     error
}

func newDigester(h *checksum.Set) *digester {
	d := &digester{h: h, size: -1, held: make(map[int64][]byte), gate: newGate()}
	d.changed = sync.NewCond(&d.mu)
	return d
}

// add is told that b was written at off. It owns b from then on.
func (d *digester) add(off int64, b []byte) {
	d.mu.Lock()
	d.came += int64(len(b))
	keep := d.bytes+int64(cap(b)) <= maxHeld && off < d.next+maxHeld
	if keep {
		d.held[off] = b
		d.bytes += int64(cap(b))
	} else {
		d.dropped.Add(span.Span{Off: off, End: off + int64(len(b))})
	}
	d.changed.Signal()
	d.mu.Unlock()
	if !keep {
		d.free(b)
	}
}

// written is told that the bytes of x are in the file, to be read back.
func (d *digester) written(x span.Span) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.came += x.Len()
	d.dropped.Add(x)
	d.changed.Signal()
}

// restart makes what was added void.
func (d *digester) restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lap++
	d.next, d.bytes, d.dropped = 0, 0, span.Set{}
	clear(d.held)
}

// seal tells how long the whole is.
func (d *digester) seal(size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.size = size
	d.changed.Signal()
}

// stop ends the digester early.
func (d *digester) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	d.changed.Signal()
}

func (d *digester) run() {
	defer d.gate.end()
	var back []byte // for what is read back, if anything is
	lap := 0
	for {
		p, ok := d.wait(maxBlock)
		if !ok {
			return
		}
		if p.lap != lap {
			lap = p.lap
			d.h.Reset()
		}
		begin := time.Now()
		if p.b != nil {
			d.h.Write(p.b)
			d.free(p.b)
		} else {
			if back == nil {
				back = make([]byte, maxBlock)
			}
			if _, d.err = d.file.ReadAt(back[:p.n], p.off); d.err != nil {
				return
			}
			d.h.Write(back[:p.n])
		}
		if came, ok := d.moveOn(p); ok {
			d.gate.moves(p.off+int64(p.n), came, time.Since(begin), p.b != nil)
			d.told(p.off + int64(p.n))
		}
	}
}

// moveOn counts a piece as hashed, unless all has begun anew meanwhile, and says how many bytes have come.
func (d *digester) moveOn(p piece) (came int64, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.lap != d.lap {
		return 0, false
	}
	d.next += int64(p.n)
	return d.came, true
}

// A piece is what is hashed next: b, or, where that is nil, n bytes that are to be read back.
type piece struct {
	b   []byte
	off int64
	n   int
	lap int
}

// wait waits for the bytes whose turn it is; at most limit are to be read back. It reports false at the end.
func (d *digester) wait(limit int) (p piece, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.stopped && d.next != d.size {
		if b, ok := d.held[d.next]; ok {
			delete(d.held, d.next)
			d.bytes -= int64(cap(b))
			return piece{b, d.next, len(b), d.lap}, true
		}
		end := d.dropped.NextGap(span.Span{Off: d.next, End: d.next + int64(limit)}).Off
		if n := int(end - d.next); n > 0 {
			d.dropped.Remove(span.Span{Off: d.next, End: end})
			return piece{nil, d.next, n, d.lap}, true
		}
		d.gate.idles()
		d.changed.Wait()
		d.gate.works()
	}
	return piece{}, false
}
