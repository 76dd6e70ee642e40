package driver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"spate/source"
)

// A Stream is what a Body reads.
type Stream interface {
	// Read reads into p, which is never empty, and never reaches beyond the end of what was asked for.
	Read(p []byte) (int, error)
	// Finish is called once, after the last byte: of what was asked for, or before an io.EOF of Read where the length is
	// not known. An error says that what was read is not certainly all.
	Finish() error
	// Release ends the exchange; it is called once and not beside the others. idle tells that no Read has failed or
	// still waits: where little is left, and Release may wait a little for it, the connection can be used again.
	Release(idle bool)
}

// A Body is the bytes of a Resource: those of a Stream, under the eye of a Watch. Close may be called while a Read waits,
// and ends it.
type Body struct {
	stream Stream
	watch  *Watch
	url    string
	idle   time.Duration
	add    func(error) error // to what an error says; or nil

	left  int64 // bytes until the end of what was asked for
	sized bool  // left is a promise, not a bound
	err   error // of the last Read, and of all that follow

	reading      sync.Mutex
	busy, closed atomic.Bool
}

// NewBody makes the body of what was opened at rawURL: left bytes, or as many at most if it is not sized.
func NewBody(s Stream, w *Watch, rawURL string, idle time.Duration) *Body {
	return &Body{stream: s, watch: w, url: rawURL, idle: idle}
}

// Expect tells how many bytes there are: exactly n if sized, else n at most.
func (b *Body) Expect(n int64, sized bool) *Body {
	b.left, b.sized = n, sized
	return b
}

// Explain has f add to each error, an *source.Error, what the URL does not tell.
func (b *Body) Explain(f func(error) error) *Body {
	b.add = f
	return b
}

// Read fails with an *source.Error, or with fs.ErrClosed after Close.
func (b *Body) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	b.busy.Store(true)
	defer b.busy.Store(false)
	switch {
	case b.closed.Load():
		return 0, fs.ErrClosed
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	}
	n, err := b.next(p)
	b.err = err
	return n, err
}

func (b *Body) next(p []byte) (int, error) {
	if e := b.watch.Interrupted(); e != nil {
		return 0, b.fail(e)
	}
	if b.left == 0 {
		return 0, b.end()
	}
	b.watch.Wait("silent for", b.idle)
	n, err := b.stream.Read(p[:min(int64(len(p)), b.left)])
	b.watch.Done()
	b.left -= int64(n)
	switch {
	case err == io.EOF && !b.sized:
		return n, b.end()
	case err == io.EOF && b.left == 0:
		return n, nil // the end comes with the next Read
	case err == io.EOF:
		return n, b.judge(Classed(source.KindNetwork, fmt.Errorf("%w: %d bytes are missing", io.ErrUnexpectedEOF, b.left)))
	}
	return n, b.judge(err)
}

func (b *Body) end() error {
	err := b.stream.Finish()
	if err == nil {
		return io.EOF
	}
	return b.judge(err)
}

// judge says what err of the Stream means for the caller.
func (b *Body) judge(err error) error {
	if err == nil {
		return nil
	}
	if b.closed.Load() {
		return fs.ErrClosed
	}
	if e := b.watch.Interrupted(); e != nil {
		return b.fail(e)
	}
	if e, ok := errors.AsType[*source.Error](err); ok {
		return b.fail(e)
	}
	if IsTimeout(err) {
		return b.fail(Classed(source.KindTimeout, err))
	}
	return b.fail(Classed(source.KindNetwork, Cut(err)))
}

func (b *Body) fail(e *source.Error) error {
	err := Failed("read", b.url, e)
	if b.add != nil {
		err = b.add(err)
	}
	return err
}

// Close ends the exchange. It never fails.
func (b *Body) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	idle := !b.busy.Load() && (b.err == nil || b.err == io.EOF) && b.watch.Interrupted() == nil
	if !idle {
		b.watch.Kill()
	}
	b.reading.Lock() // a Read that waited has ended, or is about to
	defer b.reading.Unlock()
	b.stream.Release(idle)
	return nil
}
