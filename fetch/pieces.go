package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"spate/format/checksum"
	"spate/format/span"
)

// Pieces are the digests of an object piece by piece.
type Pieces struct {
	Length    int64    // of each in bytes, above 0; the last one may be shorter
	Algorithm string   // of checksum.Names
	Sums      [][]byte // in the order of the pieces, all that the object has
}

// maxPiece bounds what Length may be.
const maxPiece = 1 << 40

var (
	// ErrPieces is the error of an object that has not the size that its pieces make.
	ErrPieces = errors.New("not the size of the pieces that were promised")

	errLength = errors.New("pieces of an impossible length")
)

func (p *Pieces) check() error {
	if p.Length <= 0 || p.Length > maxPiece {
		return errLength
	}
	if _, err := checksum.New(p.Algorithm); err != nil {
		return fmt.Errorf("pieces: %w", err)
	}
	for i, sum := range p.Sums {
		if n := checksum.Size(p.Algorithm); len(sum) != n {
			return fmt.Errorf("pieces: %s of number %d has %d bytes where %d are due", p.Algorithm, i, len(sum), n)
		}
	}
	return nil
}

// Verify compares a file of size bytes with the digests. A piece that has another one, and a size that is not that of the pieces, is
// an error that is [checksum.ErrMismatch] or [ErrPieces].
func (p *Pieces) Verify(file io.ReaderAt, size int64) error {
	if err := p.check(); err != nil {
		return err
	}
	if !p.fit(size) {
		return p.misfit(size)
	}
	for i, want := range p.Sums {
		x := p.at(int64(i), size)
		h, err := checksum.New(p.Algorithm)
		if err != nil {
			return err
		}
		if _, err := io.Copy(h, io.NewSectionReader(file, x.Off, x.Len())); err != nil {
			return err
		}
		if got := h.Sum(nil); !bytes.Equal(got, want) {
			return p.mismatch(int64(i), x, got)
		}
	}
	return nil
}

// misfit is the error of a size that is not that of the pieces.
func (p *Pieces) misfit(size int64) error {
	return fmt.Errorf("%w: %d bytes", ErrPieces, size)
}

// mismatch is the error of piece i, which is at x and has another digest than it should.
func (p *Pieces) mismatch(i int64, x span.Span, got []byte) error {
	return fmt.Errorf("bytes %d to %d: %w", x.Off, x.End-1, &checksum.MismatchError{Algorithm: p.Algorithm, Want: p.Sums[i], Got: got})
}

// fit reports whether there are as many as an object of that size has.
func (p *Pieces) fit(size int64) bool { return p.count(size) == int64(len(p.Sums)) }

// count is how many pieces that many bytes are.
func (p *Pieces) count(size int64) int64 { return size/p.Length + min(size%p.Length, 1) }

// at is where piece i of an object of that size is.
func (p *Pieces) at(i, size int64) span.Span {
	return span.Span{Off: i * p.Length, End: min((i+1)*p.Length, size)}
}

// of are the numbers of the pieces that have a byte of x.
func (p *Pieces) of(x span.Span) span.Span {
	return span.Span{Off: x.Off / p.Length, End: p.count(x.End)}
}
