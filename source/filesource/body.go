package filesource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"spate/source"
	"spate/source/driver"
)

// A body reads an open file, up to the end of what was asked for. It is no io.Seeker, as nobody may move it.
type body struct {
	f      *os.File
	rawURL string
	over   func() error // the error of the caller's context
	stop   func() bool  // ends the watch over that context

	left  int64  // bytes to its end
	sized bool   // left is a promise, not a bound
	first []byte // read already, to find out whether somebody writes
	err   error  // of the last Read, and of all that follow
}

// newBody makes reads of f end when ctx does, where the system can do that: a regular file does not wait for
// anybody, and has no deadlines.
func newBody(ctx context.Context, f *os.File) *body {
	b := &body{f: f, over: func() error { return driver.CtxError(ctx) }, stop: func() bool { return true }}
	if f.SetReadDeadline(time.Time{}) == nil {
		b.stop = context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	}
	return b
}

// Read fails with an *source.Error.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := b.next(p)
	b.left -= int64(n)
	if err != nil && err != io.EOF {
		err = failed("read", b.rawURL, err)
	}
	b.err = err
	return n, err
}

func (b *body) next(p []byte) (int, error) {
	if err := b.over(); err != nil {
		return 0, err
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), b.left)]
	if len(b.first) > 0 {
		n := copy(p, b.first)
		b.first = b.first[n:]
		return n, nil
	}
	n, err := b.f.Read(p)
	switch over := b.over(); {
	case err == io.EOF && b.sized:
		return n, fmt.Errorf("%w: the file has shrunk by %d bytes", io.ErrUnexpectedEOF, b.left)
	case err != nil && err != io.EOF && over != nil:
		return n, over
	}
	return n, err
}

// Close closes the file, and ends a Read that waits.
func (b *body) Close() error {
	b.stop()
	err := b.f.Close()
	if err != nil && !errors.Is(err, fs.ErrClosed) {
		return failed("close", b.rawURL, err)
	}
	return nil
}

// failed is err, the result of doing op with the URL that the caller gave.
func failed(op, rawURL string, err error) error {
	kind := source.KindLocal
	switch {
	case errors.Is(err, context.Canceled):
		kind = source.KindOther
	case errors.Is(err, context.DeadlineExceeded):
		kind = source.KindTimeout
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err // the URL names the file
	}
	return &source.Error{Op: op, URL: rawURL, Kind: kind, Err: err}
}
