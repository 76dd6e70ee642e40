package sftpsource

import (
	"cmp"
	"io"
	"sync"
)

const (
	pieceSize   = 32 << 10 // what every server answers at once
	firstWindow = 4        // pieces that are asked for ahead in the beginning
	maxWindow   = 64       // and at most: as much as a channel of SSH takes
)

// An ahead reads a file in order, with several requests under way. There are as many as it takes never to wait:
// twice as many each time it had to.
type ahead struct {
	file   io.ReaderAt
	asked  int64 // from here on nothing is asked for
	end    int64
	window int
	queue  []*piece // in order; the first is read from
	spare  [][]byte
	under  sync.WaitGroup
}

// A piece is one request. n and err are there when done is closed.
type piece struct {
	buf  []byte
	n    int
	err  error
	read int
	done chan struct{}
}

func newAhead(file io.ReaderAt, off, end int64) *ahead {
	return &ahead{file: file, asked: off, end: end, window: firstWindow}
}

// Read reads what there is of the first piece.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.queue) == 0 {
		a.ask(min(len(p), pieceSize)) // the first bytes do not wait for others
	}
	if len(a.queue) == 0 {
		return 0, io.EOF
	}
	first := a.queue[0]
	a.await(first)
	n := copy(p, first.buf[first.read:first.n])
	first.read += n
	if first.read < first.n {
		return n, nil
	}
	if first.n < len(first.buf) {
		return n, cmp.Or(first.err, io.ErrUnexpectedEOF)
	}
	a.queue = a.queue[1:]
	a.spare = append(a.spare, first.buf)
	a.fill()
	return n, nil
}

// await waits for p, the first piece.
func (a *ahead) await(p *piece) {
	select {
	case <-p.done:
		return
	default:
	}
	if len(a.queue) > 1 {
		a.window = min(2*a.window, maxWindow)
		a.fill()
	}
	<-p.done
}

// fill asks for as many pieces as the window allows.
func (a *ahead) fill() {
	for len(a.queue) < a.window && a.asked < a.end {
		a.ask(pieceSize)
	}
}

// ask asks for the next n bytes, or those that are left.
func (a *ahead) ask(n int) {
	if a.asked >= a.end {
		return
	}
	p := &piece{buf: a.buffer(min(a.end-a.asked, int64(n))), done: make(chan struct{})}
	off := a.asked
	a.asked += int64(len(p.buf))
	a.queue = append(a.queue, p)
	a.under.Go(func() {
		p.n, p.err = a.file.ReadAt(p.buf, off)
		close(p.done)
	})
}

func (a *ahead) buffer(n int64) []byte {
	if len(a.spare) == 0 {
		return make([]byte, n, pieceSize)
	}
	last := len(a.spare) - 1
	buf := a.spare[last][:n]
	a.spare = a.spare[:last]
	return buf
}

// left is how many bytes were asked for and have not come.
func (a *ahead) left() int {
	n := 0
	for _, p := range a.queue {
		select {
		case <-p.done:
		default:
			n += len(p.buf)
		}
	}
	return n
}

// wait waits for what was asked for. Nothing is read afterwards.
func (a *ahead) wait() { a.under.Wait() }
