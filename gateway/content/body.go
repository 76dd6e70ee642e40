package content

import (
	"errors"
	"io"
)

var errTooMany = errors.New("more bytes than were asked for")

// A body reads an answer: texts, and between them the bytes of an object. It ends with io.EOF behind exactly these, fails
// otherwise, and returns the last bytes of a part once its reader has ended there.
type body struct {
	open  func(off, n int64) (io.ReadCloser, error)
	parts []part // that have not been begun
	after string

	text  string        // comes next
	r     io.ReadCloser // behind text; nil: none
	left  int64         // of r; below 0: until it ends
	probe [1]byte
}

// Read fills p as far as one read of the object can, and begins with what stands before that.
func (b *body) Read(p []byte) (n int, err error) {
	for {
		c := copy(p[n:], b.text)
		b.text, n = b.text[c:], n+c
		switch {
		case n == len(p):
			return n, nil
		case b.r != nil:
			c, err = b.readPart(p[n:])
			if n += c; c > 0 || err != nil {
				return n, err
			}
		case len(b.parts) > 0:
			if err := b.begin(); err != nil {
				return n, err
			}
		case n > 0:
			return n, nil
		default:
			return 0, io.EOF
		}
	}
}

// begin opens the next part.
func (b *body) begin() (err error) {
	next := b.parts[0]
	b.left = next.Len()
	if next.End < 0 {
		b.left = -1
	}
	if b.r, err = b.open(next.Off, b.left); err != nil {
		b.r = nil
		return notEOF(err)
	}
	b.parts, b.text = b.parts[1:], next.before
	return nil
}

// readPart reads from the part that was begun. Nothing and no error means that it has ended.
func (b *body) readPart(p []byte) (n int, err error) {
	n, err = readSome(b.r, p) // with all the room that there is: some readers want it, for no more than is left
	if b.left >= 0 {
		if int64(n) > b.left {
			return 0, errTooMany
		}
		b.left -= int64(n)
	}
	switch {
	case b.left > 0:
		return n, notEOF(err)
	case b.left == 0 && err == nil:
		if err = b.probeEnd(); err == nil {
			return 0, errTooMany
		}
	}
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		b.end()
		return n, nil
	}
	if b.left == 0 {
		n = 0 // with them the answer would pass for whole
	}
	return n, err
}

// probeEnd is io.EOF if the part ends here, nil if it does not.
func (b *body) probeEnd() error {
	if n, err := readSome(b.r, b.probe[:]); n == 0 {
		return err
	}
	return nil
}

// end closes the part, all of which has been read.
func (b *body) end() {
	b.close()
	if len(b.parts) == 0 {
		b.text = b.after
	}
}

// close closes what is open of the object. That it fails tells nothing: either all has been read, or it does not matter any more.
func (b *body) close() {
	if b.r != nil {
		_ = b.r.Close()
		b.r = nil
	}
}

// readSome reads until there is a byte or an error.
func readSome(r io.Reader, p []byte) (n int, err error) {
	for range 100 {
		if n, err = r.Read(p); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// notEOF is err of what has not ended yet.
func notEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
