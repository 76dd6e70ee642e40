package spate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"spate/format/sequence"
	"spate/internal/redact"
	"spate/source"
)

var errChunkSize = errors.New("the size of a chunk must be positive")

// Chunks iterates over the stream of url in pieces of exactly size bytes, the last one shorter if need be. Each is
// handed on as soon as it is full. A stream without a byte has no pieces; an endless one never ends.
//
// A piece is valid until the next one is asked for; keep a copy ([bytes.Clone]). An error ends the iteration; beside it
// stand the bytes that came before it and have not filled a piece. Leaving the loop closes the stream. The iterator
// may be used again and then opens url anew.
func (c *Client) Chunks(ctx context.Context, url string, size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if size <= 0 {
			yield(nil, &source.Error{Op: "read", URL: url, Err: errChunkSize})
			return
		}
		s, err := c.Open(ctx, url)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.Close()
		for chunk, err := range chunks(s, size) {
			if !yield(chunk, err) {
				return
			}
		}
	}
}

// chunks iterates over the pieces of r. An error is the last it yields.
func chunks(r io.Reader, size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		buf := make([]byte, size)
		for {
			n, err := fill(r, buf)
			last := err != nil
			if err == io.EOF {
				err = nil
			}
			if (n > 0 || err != nil) && !yield(buf[:n], err) || last {
				return
			}
		}
	}
}

// fill reads until buf is full. Unlike io.ReadFull it leaves the errors of r as they are: a stream that ends in the
// middle of buf is no stream that was cut.
func fill(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}

// Files iterates over the files of the sequence at url (package sequence says how it looks), whatever its name is: a
// "-seq" is not asked for. Each file is handed on as soon as its length has arrived, and read from the stream.
//
// A file is valid until the next one is asked for; what was not read of it is skipped then. An error ends the
// iteration: also [source.ErrCorrupt], where a part proves corrupt whose bytes were handed on. Leaving the loop closes
// the stream. The iterator may be used again and then opens url anew.
func (c *Client) Files(ctx context.Context, url string) iter.Seq2[*sequence.File, error] {
	return func(yield func(*sequence.File, error) bool) {
		s, err := c.Open(ctx, url)
		if err != nil {
			yield(nil, err)
			return
		}
		defer s.Close()
		for f, err := range files(s, url) {
			if !yield(f, err) {
				return
			}
		}
	}
}

// sequenceBuffer makes one read of the lengths and bodies of many small files.
const sequenceBuffer = 32 << 10

// files iterates over the files of the sequence that is the stream r of url. An error is the last it yields.
func files(r io.Reader, url string) iter.Seq2[*sequence.File, error] {
	return func(yield func(*sequence.File, error) bool) {
		seq := sequence.NewReader(bufio.NewReaderSize(r, sequenceBuffer))
		for {
			f, err := seq.Next()
			if err == io.EOF {
				return
			}
			if err = sequenceError(url, err); !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// sequenceError is err, of the sequence at url, which tells in which of its files.
func sequenceError(url string, err error) error {
	if err == nil {
		return nil
	}
	if cut, ok := errors.AsType[*sequence.CutError](err); ok {
		return &source.Error{Op: "read", URL: url, Kind: source.KindProtocol, Err: cut}
	}
	return fmt.Errorf("read %s: %w", redact.URL(url), err)
}
