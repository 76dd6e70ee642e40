package fetch

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"sync"

	"spate/format/checksum"
)

var (
	errOtherNow = errors.New("what it gives now is not what was handed on before")
	errShorter  = errors.New("it ends before what was handed on of it")
)

// A handing hands a stream on, each byte once. When it begins anew, what was handed on is compared, and not handed on again.
type handing struct {
	ctx    context.Context
	w      io.Writer
	sums   *checksum.Set           // of what was handed on
	pieces *PieceChecker           // nil: none are to be checked on the way
	wrong  func(cause error) error // is the error of bytes that are not what they should be
	high   int64                   // all before it was handed on
	at     int64                   // all before it has come, this time

	was, now maphash.Hash // of what was handed on, and of what has come again
}

func newHanding(ctx context.Context, w io.Writer, sums *checksum.Set) *handing {
	h := &handing{ctx: ctx, w: w, sums: sums, wrong: func(cause error) error { return cause }}
	h.now.SetSeed(h.was.Seed())
	return h
}

// Reset begins anew.
func (h *handing) Reset() {
	h.at = 0
	h.now.Reset()
}

// Write takes the next bytes. Its errors are those of who they are handed on to, and of bytes that are wrong.
func (h *handing) Write(p []byte) (int, error) {
	n := int(min(h.high-h.at, int64(len(p))))
	if n > 0 {
		h.now.Write(p[:n])
		if h.at += int64(n); h.at == h.high && h.now.Sum64() != h.was.Sum64() {
			return n, h.wrong(errOtherNow)
		}
	}
	m, err := h.handOn(p[n:])
	return n + m, err
}

func (h *handing) handOn(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := context.Cause(h.ctx); err != nil {
		return 0, err
	}
	if h.pieces != nil {
		if _, err := h.pieces.Write(p); err != nil {
			return 0, h.wrong(err)
		}
	}
	var sums sync.WaitGroup
	sums.Go(func() {
		h.sums.Write(p)
		h.was.Write(p)
	})
	n, err := h.w.Write(p)
	sums.Wait()
	h.high += int64(n)
	h.at = h.high
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}

// end compares the whole with what was handed on, and with what was promised of its pieces.
func (h *handing) end() error {
	if h.at < h.high {
		return h.wrong(errShorter)
	}
	if h.pieces == nil {
		return nil
	}
	if err := h.pieces.End(); err != nil {
		return h.wrong(err)
	}
	return nil
}
