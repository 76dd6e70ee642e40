package fetch

import (
	"bytes"
	"hash"
	"io"
	"sync"

	"spate/format/checksum"
	"spate/format/span"
)

// A verifier compares the pieces of a file with their digests, each once all of its bytes were written: it reads them back.
//
// add, seal, restart and stop may be called from any goroutine. run ends after stop.
type verifier struct {
	pieces *Pieces
	file   io.ReaderAt
	free   func(b []byte)    // takes back a buffer
	right  func(x span.Span) // is told of pieces that are; mu is held, so that none of them is void
	voided func()            // is told that they are void after all; mu is held
	judged func(verdict)     // is told of every piece after that
	failed func(err error)

	mu      sync.Mutex
	changed *sync.Cond
	size    int64    // of the whole; -1: not known yet, so nothing is checked
	there   span.Set // what is written, but for pieces that were wrong
	ready   span.Set // the numbers of pieces that are to be checked
	lap     int      // how often it was begun
	stopped bool
}

// A verdict is the outcome of one check.
type verdict struct {
	span.Span
	number int64
	lap    int
	got    []byte
	right  bool
}

func newVerifier(p *Pieces, size int64) *verifier {
	v := &verifier{pieces: p, size: size}
	v.changed = sync.NewCond(&v.mu)
	return v
}

// add is told that b was written. It owns its bytes from then on.
func (v *verifier) add(b block) {
	v.mu.Lock()
	v.put(b.where())
	v.mu.Unlock()
	v.free(b.b)
}

// addLeft is told of what an earlier download has written.
func (v *verifier) addLeft(left *span.Set) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for x := range left.All() {
		v.put(x)
	}
}

// put is add for who holds mu.
func (v *verifier) put(x span.Span) {
	v.there.Add(x)
	v.look(v.pieces.of(x))
}

// look finds what can be checked of the pieces that have these numbers. mu is held.
func (v *verifier) look(numbers span.Span) {
	if v.size < 0 {
		return
	}
	for i := numbers.Off; i < numbers.End; i++ {
		if v.there.Covers(v.pieces.at(i, v.size)) {
			v.ready.Add(span.Span{Off: i, End: i + 1})
		}
	}
	v.changed.Signal()
}

// seal tells how long the whole is.
func (v *verifier) seal(size int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.size >= 0 {
		return
	}
	v.size = size
	v.look(span.Span{End: v.pieces.count(size)})
}

// restart makes what was added void.
func (v *verifier) restart() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lap++
	v.there, v.ready = span.Set{}, span.Set{}
	v.voided()
}

func (v *verifier) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopped = true
	v.changed.Signal()
}

func (v *verifier) run() {
	buf := make([]byte, maxBlock)
	h, err := checksum.New(v.pieces.Algorithm)
	for err == nil {
		p, ok := v.wait()
		if !ok {
			return
		}
		if p.got, err = v.hash(h, p.Span, p.lap, buf); err == nil && p.got != nil {
			v.judge(p)
		}
	}
	v.failed(err)
}

// wait waits for the first piece that is to be checked. It reports false at the end.
func (v *verifier) wait() (p verdict, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for ; !v.stopped; v.changed.Wait() {
		if v.ready.Len() == 0 {
			continue
		}
		i := v.ready.Bounds().Off
		v.ready.Remove(span.Span{Off: i, End: i + 1})
		p = verdict{Span: v.pieces.at(i, v.size), number: i, lap: v.lap}
		return p, true
	}
	return p, false
}

// hash is the digest of x; nil where nobody wants to know any more.
func (v *verifier) hash(h hash.Hash, x span.Span, lap int, buf []byte) ([]byte, error) {
	h.Reset()
	for off := x.Off; off < x.End; {
		b := buf[:min(int64(len(buf)), x.End-off)]
		if n, err := v.file.ReadAt(b, off); v.isVoid(lap) {
			return nil, nil
		} else if n < len(b) {
			return nil, err
		}
		h.Write(b)
		off += int64(len(b))
	}
	return h.Sum(nil), nil
}

// isVoid reports whether nobody wants to know of what was read.
func (v *verifier) isVoid(lap int) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.stopped || lap != v.lap
}

// judge tells of a piece that was hashed, unless all has begun anew meanwhile.
func (v *verifier) judge(p verdict) {
	p.right = bytes.Equal(p.got, v.pieces.Sums[p.number])
	if v.settle(p) {
		v.judged(p)
	}
}

func (v *verifier) settle(p verdict) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case p.lap != v.lap:
		return false
	case p.right:
		v.right(p.Span)
	default:
		v.there.Remove(p.Span)
	}
	return true
}
