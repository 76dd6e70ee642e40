package fetch

import (
	"errors"
	"io"
	"sync"

	"spate/format/span"
	"spate/source/budget"
)

// keptBehind is how much of what was handed on is kept, to compare mirrors with.
const keptBehind = 1 << 20

// cellSize is that of the memory of a window, which is taken as it is needed: whoever keeps up holds little.
const cellSize = maxBlock

// errGone is why bytes cannot be read any more, or not yet.
var errGone = errors.New("not in the window")

// A window is the [target] of a stream: it has in memory what has come and was not handed on, and the last of what was. How far
// ahead anybody writes is for others to bound, by the gate and the scheduler.
type window struct {
	memory *budget.Budget
	pass   func(block) // takes the bytes on
	voided func()      // is told that those passed on before are void

	retract func(x *span.Set) bool // is told that of those x is void, and reports whether that was in time
	drop    func(b []byte)         // takes back a buffer

	passing  sync.Mutex   // held while bytes are passed on, or taken back; before mu
	disowned map[int]bool // whose bytes are void

	mu    sync.Mutex
	cells map[int64][]byte // by their number
	free  [][]byte         // to be used again: what a window has had once it may need again, and it must not become garbage
}

func newWindow(memory *budget.Budget) *window {
	return &window{memory: memory, cells: make(map[int64][]byte), disowned: make(map[int]bool)}
}

// put copies b: a block may be much larger than what is in it.
func (w *window) put(b block, joins func() error) error {
	for off, rest := b.off, b.b; len(rest) > 0; {
		n := copy(w.cell(off)[off%cellSize:], rest)
		off, rest = off+int64(n), rest[n:]
	}
	if err := joins(); err != nil {
		return err
	}
	w.passing.Lock()
	defer w.passing.Unlock()
	if w.disowned[b.giver] {
		w.drop(b.b)
	} else {
		w.pass(b)
	}
	return nil
}

// disown takes back x, all that giver gave and that is there, unless some of it was handed on.
func (w *window) disown(giver int, x *span.Set) error {
	w.passing.Lock()
	defer w.passing.Unlock()
	w.disowned[giver] = true
	if !w.retract(x) {
		return errHandedOn
	}
	return nil
}

// cell is that of the byte at off.
func (w *window) cell(off int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cells[off/cellSize]
	if c != nil {
		return c
	}
	if last := len(w.free) - 1; last >= 0 {
		c, w.free = w.free[last], w.free[:last]
	} else {
		c = w.memory.Buffer(cellSize)
	}
	w.cells[off/cellSize] = c
	return c
}

// ReadAt reads what was put, is not void and was not handed on long ago.
func (w *window) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		w.mu.Lock()
		c := w.cells[off/cellSize]
		w.mu.Unlock()
		if c == nil {
			return n, errGone
		}
		m := copy(p[n:], c[off%cellSize:])
		n, off = n+m, off+int64(m)
	}
	return n, nil
}

// passed is told that all before off was handed on.
func (w *window) passed(off int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, c := range w.cells {
		if (i+1)*cellSize <= off-keptBehind {
			delete(w.cells, i)
			w.free = append(w.free, c)
		}
	}
}

// pin copies x.
func (w *window) pin(x span.Span) io.ReaderAt {
	b := make([]byte, x.Len())
	n, _ := w.ReadAt(b, x.Off)
	return &pinned{x.Off, b[:n]}
}

// A pinned is bytes of a stream, from an offset on.
type pinned struct {
	off int64
	b   []byte
}

// ReadAt reads some of these bytes.
func (p *pinned) ReadAt(b []byte, off int64) (int, error) {
	if off < p.off || off-p.off > int64(len(p.b)) {
		return 0, errGone
	}
	n := copy(b, p.b[off-p.off:])
	if n < len(b) {
		return n, errGone
	}
	return n, nil
}

// restart makes void what was put. Somebody may be reading it: no cell is used again.
func (w *window) restart() {
	w.voided() // before it is gone, so that whoever misses it knows why
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.cells)
}

// forget has nothing to do: what was wrong was not handed on, and is put again.
func (w *window) forget(span.Span) error { return nil }

// end gives the memory back.
func (w *window) end(bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cells {
		w.free = append(w.free, c)
	}
	for _, c := range w.free {
		w.memory.Recycle(c)
	}
	clear(w.cells)
	w.free = nil
	return nil
}
