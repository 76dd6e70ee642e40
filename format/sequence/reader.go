package sequence

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// headerLen is the length of a file's length, in bytes.
const headerLen = 4

// A CutError tells that a sequence ended within a file.
type CutError struct {
	Index   int   // of the file, from 1
	Missing int64 // bytes of the body that did not come; -1 if not even its length came whole
	Err     error // io.ErrUnexpectedEOF
}

// Error tells where the sequence is cut.
func (e *CutError) Error() string {
	if e.Missing < 0 {
		return fmt.Sprintf("sequence file %d: cut in its length: %v", e.Index, e.Err)
	}
	return fmt.Sprintf("sequence file %d: %d bytes missing: %v", e.Index, e.Missing, e.Err)
}

// Unwrap returns Err.
func (e *CutError) Unwrap() error { return e.Err }

// A Reader reads the files of a sequence one after the other. It holds none of them, allocates nothing by what a
// length claims, and reads nothing ahead: once a file was read, the underlying reader is exactly behind it. A
// length is read by itself, so where a Read is dear and files are small a [bufio.Reader] should be put underneath.
//
// A Reader and its files must not be used by several goroutines at once.
type Reader struct {
	r      io.Reader
	file   *File // the one that may be read
	next   int   // index of the one behind it
	header [headerLen]byte
	err    error // what every Next to come returns
}

// NewReader returns a Reader of the sequence that r holds.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, next: 1} }

// Next returns the next file as soon as its length was read, having skipped what was left unread of the last one. At
// the end of the sequence it returns io.EOF.
//
// An end within a file, and an [io.ErrUnexpectedEOF] of the underlying reader, is a [*CutError]; its other errors are
// wrapped together with the index of the file. After an error every call returns that error again.
func (r *Reader) Next() (*File, error) {
	if r.skip(); r.err != nil {
		return nil, r.err
	}
	n, err := io.ReadFull(r.r, r.header[:])
	if err != nil {
		r.fail(err, n)
		return nil, r.err
	}
	size := int64(binary.BigEndian.Uint32(r.header[:]))
	r.file = &File{Index: r.next, Size: size, r: r, left: size}
	r.next++
	return r.file, nil
}

// skip reads what is left of the last file and ends it.
func (r *Reader) skip() {
	if r.file != nil {
		_, _ = r.file.WriteTo(io.Discard) // only reading can fail, and that stays in r.err
		r.file = nil
	}
}

// fail keeps an error that came n bytes behind the last file: an end there is the end of the sequence if n is 0.
func (r *Reader) fail(err error, n int) {
	switch {
	case err == io.EOF && n == 0:
		r.err = io.EOF
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		r.err = &CutError{r.next, -1, io.ErrUnexpectedEOF}
	default:
		r.err = fmt.Errorf("sequence file %d: %w", r.next, err)
	}
}

// A File is one file of a sequence. It can be read until the next call of [Reader.Next].
type File struct {
	Index int   // from 1
	Size  int64 // in bytes, as the sequence claims; from 0 to 4 GiB - 1

	r    *Reader
	left int64 // bytes not yet read
}

var errPassed = errors.New("read after the next file was asked for")

// Read reads the file's bytes. It returns io.EOF only where all Size bytes were read; other errors are those of
// [Reader.Next].
func (f *File) Read(p []byte) (int, error) {
	switch {
	case f.r.file != f:
		return 0, fmt.Errorf("sequence file %d: %w", f.Index, errPassed)
	case f.left == 0:
		return 0, io.EOF
	case f.r.err != nil:
		return 0, f.r.err
	case len(p) == 0: // not every reader takes that well
		return 0, nil
	}
	n, err := f.r.r.Read(p[:min(int64(len(p)), f.left)])
	f.left -= int64(n)
	if err == nil {
		return n, nil
	}
	if f.left == 0 { // the file is whole: what the error is about comes behind it
		f.r.fail(err, 0)
		return n, nil
	}
	f.fail(err)
	return n, f.r.err
}

// fail keeps an error that came within the file.
func (f *File) fail(err error) {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		f.r.err = &CutError{f.Index, f.left, io.ErrUnexpectedEOF}
		return
	}
	f.r.err = fmt.Errorf("sequence file %d: %w", f.Index, err)
}

// WriteTo writes what is left of the file to w, with a buffer no larger than that. Where w fails, what was read but not
// written is lost, and the sequence can be taken up at the next file.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, &io.LimitedReader{R: unread{f}, N: f.left})
}

// unread is a File without its WriteTo, which would call itself.
type unread struct{ f *File }

func (u unread) Read(p []byte) (int, error) { return u.f.Read(p) }
