// Package lines reads text that others wrote line by line, in bounded memory, and tells a text that ends from one that
// was cut.
package lines

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Max is how many bytes a line has at most, without its line end (LF or CRLF) and a BOM in front of it.
const Max = 64 << 10

const (
	bom     = "\uFEFF"
	longest = len(bom) + Max + len("\r\n")
)

// ErrTooLong is what [Reader.Next] returns for a line of more than Max bytes.
var ErrTooLong = fmt.Errorf("line of more than %d bytes", Max)

// A Reader reads lines. They end in LF or CRLF, the last one needs no end; a BOM is ignored at the very start alone. It
// is lazy: a line is returned as soon as its end was read, and no more is asked of the underlying reader than that takes,
// other than what a single Read happens to return. It holds no more than one line of Max bytes and a few.
//
// A Reader must not be used by several goroutines at once.
type Reader struct {
	scan *bufio.Scanner
	num  int
	err  error // what every Next to come returns
}

// NewReader returns a Reader of the text that r holds.
func NewReader(r io.Reader) *Reader {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 4<<10), longest+1)
	scan.Split(withEnd)
	return &Reader{scan: scan}
}

// Next returns the next line without its line end, valid until the next call. At the end of the text, and only if the
// underlying reader ended with [io.EOF] itself, it returns io.EOF. Other errors of the reader are returned as they are; what
// was read of the line they came in is dropped, so a cut line never passes for a shorter one. After an error every call
// returns that error again.
func (r *Reader) Next() ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	r.num++
	line, err := r.read()
	r.err = err
	return line, err
}

// Num is the number, from 1, of the line that Next returned or failed in; 0 before the first.
func (r *Reader) Num() int { return r.num }

func (r *Reader) read() ([]byte, error) {
	if !r.scan.Scan() {
		return nil, r.end()
	}
	line, isWhole := bytes.CutSuffix(r.scan.Bytes(), []byte("\n"))
	if !isWhole && r.scan.Err() != nil {
		return nil, r.scan.Err()
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	if r.num == 1 {
		line = bytes.TrimPrefix(line, []byte(bom))
	}
	if len(line) > Max {
		return nil, ErrTooLong
	}
	return line, nil
}

// end is why there is no further line.
func (r *Reader) end() error {
	err := r.scan.Err()
	switch {
	case err == nil:
		return io.EOF
	case errors.Is(err, bufio.ErrTooLong):
		return ErrTooLong
	}
	return err
}

// withEnd is bufio.ScanLines, but leaves the LF: a line without is the last one, whole only if the end was clean.
func withEnd(data []byte, atEOF bool) (int, []byte, error) {
	n := bytes.IndexByte(data, '\n') + 1
	if n == 0 && atEOF {
		n = len(data)
	}
	if n == 0 {
		return 0, nil, nil
	}
	return n, data[:n], nil
}
