package fetch

import (
	"io"
	"sync"
	"time"

	"spate/format/span"
)

// maxHeld bounds the memory that a digester keeps for what came before its turn, and how far ahead that may be; the rest it reads
// back from the file. It is little, so that what is hashed is still in a cache of the processor.
const maxHeld = 8 << 20

// A taker takes bytes in order, to hash them or to hand them on.
type taker interface {
	io.Writer
	Reset() // all begins anew
}

// A digester has a taker take in order what is written in any order: it hashes a file, or hands on a stream. What comes in its
// turn, or a little ahead of it, is taken from memory, where it is warm; what comes far ahead is read back.
//
// add and seal may be called from any goroutine. run ends when all is taken, or after stop.
type digester struct {
	h    taker
	file io.ReaderAt
	hold int64                    // at most so much is taken from memory that is not its turn
	told func(off int64, lap int) // all before off is taken
	free func(b []byte)           // takes back a buffer
	gate *gate                    // holds up who reads too far ahead

	final   bool // what is taken cannot be taken back
	mu      sync.Mutex
	changed *sync.Cond
	next    int64            // all before it is hashed
	taking  int64            // so many bytes behind that are being
	size    int64            // of the whole; -1: not known yet
	held    map[int64][]byte // what is written and not hashed, by offset
	came    int64            // bytes that were added, ever
	bytes   int64            // that the blocks in held take, full or not: where bytes come slowly there are few in each
	dropped span.Set         // what is written, not hashed, and not held
	lap     int              // how often it was begun
	turn    int              // how often what was taken was void, for whatever reason
	stopped bool
	err     error
}

func newDigester(h taker) *digester {
	d := &digester{h: h, hold: maxHeld, size: -1, held: make(map[int64][]byte), gate: newGate()}
	d.changed = sync.NewCond(&d.mu)
	return d
}

// add is told that b was written at off. It owns b from then on.
func (d *digester) add(off int64, b []byte) {
	d.mu.Lock()
	d.came += int64(len(b))
	keep := d.bytes+int64(cap(b)) <= d.hold && off < d.next+d.hold
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
	d.turn++
	d.next, d.taking, d.bytes, d.dropped = 0, 0, 0, span.Set{}
	clear(d.held)
	d.gate.restarts(0)
}

// retract is told that of what was added x is void. Where some of that was taken all is taken once more, what is right read back; it
// is false, and nothing is done, where that cannot be.
func (d *digester) retract(x *span.Set) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := d.next + d.taking
	late := x.Len() > 0 && x.Bounds().Off < taken
	if late && d.final {
		return false
	}
	if late {
		d.turn++
		d.dropped.Add(span.Span{End: taken})
		d.next, d.taking = 0, 0
		d.gate.restarts(taken)
	}
	for y := range x.All() {
		d.dropped.Remove(y)
	}
	for off, b := range d.held {
		if x.Overlaps(span.Span{Off: off, End: off + int64(len(b))}) {
			delete(d.held, off)
			d.bytes -= int64(cap(b))
			d.free(b)
		}
	}
	d.changed.Signal()
	return true
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
	turn := 0
	for {
		p, ok := d.wait(maxBlock)
		if !ok {
			return
		}
		if p.turn != turn {
			turn = p.turn
			d.h.Reset()
		}
		begin := time.Now()
		b := p.b
		if b == nil {
			if back == nil {
				back = make([]byte, maxBlock)
			}
			b = back[:p.n]
			_, err := d.file.ReadAt(b, p.off)
			if d.isVoid(p.turn) {
				continue // and so is what was read
			}
			if d.err = err; err != nil {
				return
			}
		}
		if _, d.err = d.h.Write(b); d.err != nil {
			return
		}
		if p.b != nil {
			d.free(b)
		}
		if d.moveOn(p, begin) {
			d.told(p.off+int64(p.n), p.lap)
		}
	}
}

func (d *digester) isVoid(turn int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return turn != d.turn
}

// moveOn counts a piece as taken, unless all has begun anew meanwhile.
func (d *digester) moveOn(p piece, begin time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.turn != d.turn {
		return false
	}
	d.next += int64(p.n)
	d.taking = 0
	d.gate.moves(d.next, d.came, time.Since(begin), p.b != nil)
	return true
}

// A piece is what is hashed next: b, or, where that is nil, n bytes that are to be read back.
type piece struct {
	b   []byte
	off int64
	n   int

	lap, turn int
}

// wait waits for the bytes whose turn it is; at most limit are to be read back. It reports false at the end.
func (d *digester) wait(limit int) (p piece, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.stopped && d.next != d.size {
		p = piece{off: d.next, lap: d.lap, turn: d.turn}
		if b, ok := d.held[d.next]; ok {
			delete(d.held, d.next)
			d.bytes -= int64(cap(b))
			p.b, p.n = b, len(b)
			d.taking = int64(p.n)
			return p, true
		}
		end := d.dropped.NextGap(span.Span{Off: d.next, End: d.next + int64(limit)}).Off
		if p.n = int(end - d.next); p.n > 0 {
			d.dropped.Remove(span.Span{Off: d.next, End: end})
			d.taking = int64(p.n)
			return p, true
		}
		d.gate.idles()
		d.changed.Wait()
		d.gate.works()
	}
	return piece{}, false
}
