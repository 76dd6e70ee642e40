package fetch

import (
	"errors"
	"fmt"

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

var errPieces = errors.New("pieces of an impossible length")

func (p *Pieces) check() error {
	if p.Length <= 0 || p.Length > maxPiece {
		return errPieces
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
