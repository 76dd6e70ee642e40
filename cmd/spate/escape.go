package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"
)

// escapable returns a writer to w whose writes end with ctx, with its cause as the error: whoever reads a pipe may
// sleep. A write that is left behind goes on, with a copy of its bytes, until w takes them or the program ends. A file
// that takes what it is given at once is returned as it is.
func escapable(ctx context.Context, w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && !mayBlock(f) {
		return w
	}
	return &escape{ctx: ctx, w: w}
}

// mayBlock reports whether somebody else has to read what is written to f.
func mayBlock(f *os.File) bool {
	info, err := f.Stat()
	return err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0 || term.IsTerminal(int(f.Fd()))
}

type escape struct {
	ctx context.Context
	w   io.Writer
	buf []byte
}

type written struct {
	n   int
	err error
}

func (e *escape) Write(p []byte) (int, error) {
	if e.ctx.Err() != nil {
		return 0, context.Cause(e.ctx)
	}
	done := make(chan written, 1)
	e.buf = append(e.buf[:0], p...)
	go func() {
		n, err := e.w.Write(e.buf)
		done <- written{n, err}
	}()
	select {
	case res := <-done:
		return res.n, res.err
	case <-e.ctx.Done():
		return 0, context.Cause(e.ctx)
	}
}
