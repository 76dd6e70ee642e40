package budget

import "sync"

// buffers are kept for use again: there are as many as the Budget allows, and they must not become garbage.
type buffers struct {
	mu   sync.Mutex
	held int64
	bufs map[int][][]byte // by size
}

// Buffer returns a buffer of so many bytes, a used one if there is one of that size. What is in it is undefined. It
// is for whoever holds a Grant of that many bytes.
func (b *Budget) Buffer(size int) []byte {
	f := &b.free
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.bufs[size])
	if n == 0 {
		return make([]byte, size)
	}
	buf := f.bufs[size][n-1]
	f.bufs[size][n-1] = nil
	f.bufs[size] = f.bufs[size][:n-1]
	f.held -= int64(size)
	return buf
}

// Recycle takes back what Buffer returned. No more is kept than the Budget has bytes.
func (b *Budget) Recycle(buf []byte) {
	f := &b.free
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held+int64(len(buf)) > b.Limit() {
		return
	}
	if f.bufs == nil {
		f.bufs = make(map[int][][]byte)
	}
	f.held += int64(len(buf))
	f.bufs[len(buf)] = append(f.bufs[len(buf)], buf)
}
