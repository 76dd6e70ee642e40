package httpsource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"sync/atomic"

	"spate/source"
	"spate/source/driver"
)

// A body is the bytes of a Resource. It hands the caller's slice on to the connection, so that nothing is copied on
// the way. Close may be called while a Read waits, and ends it.
type body struct {
	a       *answer
	rawURL  string
	silence *timeoutError

	wanted    int64 // bytes until the end of the caller's range
	announced int64 // bytes until the end that the origin announced; -1 if it announced none
	err       error // of the last Read, and of all that follow
	ended     bool  // the answer's body has come to its end, or broken off

	busy, closed atomic.Bool
}

// newBody makes the body of res, which a carries.
func newBody(a *answer, rawURL string, res *source.Resource, rng source.Range) *body {
	b := &body{
		a: a, rawURL: rawURL,
		silence:   &timeoutError{"silent for %v", a.watch.opts.IdleTimeout},
		wanted:    math.MaxInt64,
		announced: a.length,
	}
	if rng.Len >= 0 {
		b.wanted = driver.EndOf(rng) - res.Off
	}
	return b
}

// Read fails with an *source.Error, or with fs.ErrClosed after Close.
func (b *body) Read(p []byte) (int, error) {
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

func (b *body) next(p []byte) (int, error) {
	if e := b.a.watch.interrupted(b.a.over()); e != nil {
		return 0, b.fail(e)
	}
	switch {
	case b.wanted == 0:
		return 0, io.EOF
	case b.announced == 0:
		return 0, b.end()
	case b.announced > 0:
		p = p[:min(int64(len(p)), b.announced)]
	}
	p = p[:min(int64(len(p)), b.wanted)]
	n, err := b.wait(p)
	b.wanted -= int64(n)
	if b.announced > 0 {
		b.announced -= int64(n)
	}
	return n, b.judge(err)
}

// wait reads under the eye of the watch.
func (b *body) wait(p []byte) (int, error) {
	b.a.watch.wait(b.silence)
	defer b.a.watch.done()
	n, err := b.a.resp.Body.Read(p)
	b.ended = err != nil
	return n, err
}

// end makes sure that the body ends where it was announced to.
func (b *body) end() error {
	var one [1]byte
	n, err := b.wait(one[:])
	if n > 0 {
		return b.fail(driver.Classed(source.KindProtocol, errors.New("more bytes than announced")))
	}
	return b.judge(err)
}

// judge says what err, the result of reading the answer's body, means for the caller.
func (b *body) judge(err error) error {
	switch {
	case err == nil:
		return nil
	case err == io.EOF && b.announced <= 0:
		return io.EOF
	case b.closed.Load():
		return fs.ErrClosed
	case err == io.EOF:
		return b.fail(driver.Classed(source.KindNetwork, fmt.Errorf("%w: %d bytes are missing", io.ErrUnexpectedEOF, b.announced)))
	}
	if e := b.a.watch.interrupted(b.a.over()); e != nil {
		return b.fail(e)
	}
	if driver.IsTimeout(err) {
		return b.fail(driver.Classed(source.KindTimeout, err))
	}
	return b.fail(driver.Classed(source.KindNetwork, driver.Cut(err)))
}

func (b *body) fail(e *source.Error) error {
	return driver.Failed("read", b.rawURL, b.a.redirected(e))
}

// Close ends the exchange. If little is left of the answer it is read, so that the connection can be used again; that
// takes a quarter of a second at most. Close never fails.
func (b *body) Close() error {
	if b.closed.Swap(true) {
		return nil
	}
	if !b.busy.Load() && b.littleLeft() {
		b.a.drain()
	}
	b.a.close()
	return nil
}

// littleLeft reports whether the rest of the answer, if there is one, is known to be small. Where the caller's range has
// ended the answer may go on, if only with the last, empty chunk.
func (b *body) littleLeft() bool {
	return !b.ended && (b.err == nil || b.err == io.EOF) && b.announced >= 0 && b.announced <= drainBytes &&
		b.a.watch.interrupted(b.a.over()) == nil
}
