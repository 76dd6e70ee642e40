package sequence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrTooLong is the error of a file that has more bytes than was announced.
var ErrTooLong = errors.New("more bytes than announced")

// A Writer writes a sequence. It holds none of the files.
//
// A Writer must not be used by several goroutines at once.
type Writer struct {
	w      io.Writer
	index  int // of the last file, from 1
	header [headerLen]byte
	err    error
}

// NewWriter returns a Writer that writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// WriteFile appends a file: its size in bytes, then what r holds, which must be just as much. It reads r to its end.
//
// If r has fewer bytes, the error is an [io.ErrUnexpectedEOF], and the sequence is cut. If it has more, the error is
// [ErrTooLong], and the sequence holds the first size bytes. Errors of r and of the underlying writer are
// wrapped; all tell the index of the file. What was written cannot be taken back, so after an error every call
// returns that error again.
func (w *Writer) WriteFile(size uint32, r io.Reader) error {
	if w.err != nil {
		return w.err
	}
	w.index++
	if err := w.write(size, r); err != nil {
		w.err = fmt.Errorf("write sequence file %d: %w", w.index, err)
	}
	return w.err
}

func (w *Writer) write(size uint32, r io.Reader) error {
	binary.BigEndian.PutUint32(w.header[:], size)
	if _, err := w.w.Write(w.header[:]); err != nil {
		return err
	}
	n, err := io.CopyN(w.w, r, int64(size))
	if err == io.EOF {
		return fmt.Errorf("%d of %d bytes: %w", n, size, io.ErrUnexpectedEOF)
	}
	if err != nil {
		return err
	}
	return atEnd(r)
}

// atEnd tells whether r has ended, as it must.
func atEnd(r io.Reader) error {
	var one [1]byte
	switch _, err := io.ReadFull(r, one[:]); err {
	case io.EOF:
		return nil
	case nil:
		return ErrTooLong
	default:
		return err
	}
}
