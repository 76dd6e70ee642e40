package fetch

import (
	"crypto/sha256"
	"encoding"
	"hash"
	"io"
	"sort"
)

const (
	maxMarks  = 256     // each about 110 bytes
	firstStep = 1 << 20 // bytes between marks, doubled whenever there are maxMarks
)

// A digest is a SHA-256 that can be taken back. It remembers its state at marks, so that little is read again: less
// than 1 MiB, or 1/128 of what was hashed where that is more.
type digest struct {
	h     hash.Hash
	off   int64
	step  int64
	marks []mark // at multiples of step, in order
}

type mark struct {
	off   int64
	state []byte
}

func newDigest() *digest { return &digest{h: sha256.New(), step: firstStep} }

func (d *digest) add(p []byte) {
	for len(p) > 0 {
		n := min(int64(len(p)), d.step-d.off%d.step)
		d.h.Write(p[:n])
		d.off += n
		p = p[n:]
		if d.off%d.step == 0 {
			d.mark()
		}
	}
}

func (d *digest) mark() {
	if len(d.marks) == maxMarks {
		d.thin()
		if d.off%d.step != 0 {
			return
		}
	}
	state, err := d.h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return // without a mark here there is more to read again, no more than that
	}
	d.marks = append(d.marks, mark{d.off, state})
}

// thin doubles the step.
func (d *digest) thin() {
	d.step *= 2
	kept := d.marks[:0]
	for _, m := range d.marks {
		if m.off%d.step == 0 {
			kept = append(kept, m)
		}
	}
	clear(d.marks[len(kept):])
	d.marks = kept
}

// rewind makes d the digest of the first off bytes, which r has.
func (d *digest) rewind(r io.ReaderAt, off int64) error {
	n := sort.Search(len(d.marks), func(i int) bool { return d.marks[i].off > off })
	clear(d.marks[n:])
	d.marks = d.marks[:n]
	d.off = 0
	d.h.Reset()
	if n > 0 {
		last := d.marks[n-1]
		if err := d.h.(encoding.BinaryUnmarshaler).UnmarshalBinary(last.state); err != nil {
			return err
		}
		d.off = last.off
	}
	return d.reread(r, off)
}

func (d *digest) reread(r io.ReaderAt, off int64) error {
	_, err := io.Copy(adder{d}, io.NewSectionReader(r, d.off, off-d.off))
	if err == nil && d.off != off {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (d *digest) sum() []byte { return d.h.Sum(nil) }

// An adder is a digest as an io.Writer.
type adder struct{ *digest }

func (a adder) Write(p []byte) (int, error) {
	a.add(p)
	return len(p), nil
}
