package fetch

import (
	"bytes"
	"hash"

	"spate/format/checksum"
)

// A PieceChecker compares the bytes that are written to it, in order, with the digests of pieces: for who cannot hold a piece until
// it is whole.
type PieceChecker struct {
	pieces *Pieces
	hash   hash.Hash
	size   int64
	off    int64 // all before it was written
	wrong  error
}

// Checker checks pieces of an object that has so many bytes; below 0: that is not known.
func (p *Pieces) Checker(size int64) (*PieceChecker, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	h, err := checksum.New(p.Algorithm)
	return &PieceChecker{pieces: p, hash: h, size: size}, err
}

// Write takes the next bytes. It fails with the last of a piece that has another digest, and from then on; the error is that of
// [Pieces.Verify].
func (c *PieceChecker) Write(b []byte) (n int, err error) {
	for n < len(b) && c.wrong == nil {
		m := min(c.pieces.Length-c.off%c.pieces.Length, int64(len(b)-n))
		c.hash.Write(b[n : n+int(m)])
		c.off, n = c.off+m, n+int(m)
		if c.off%c.pieces.Length == 0 || c.off == c.size {
			c.judge()
		}
	}
	return n, c.wrong
}

// End is told that there is no more. Its error is that of Write, or that of what has another size than the pieces make.
func (c *PieceChecker) End() error {
	if c.wrong == nil && c.off%c.pieces.Length != 0 && c.off != c.size {
		c.judge()
	}
	if c.wrong == nil && !c.pieces.fit(c.off) {
		c.wrong = c.pieces.misfit(c.off)
	}
	return c.wrong
}

// judge compares the piece that ends where all was written.
func (c *PieceChecker) judge() {
	i := c.pieces.count(c.off) - 1
	switch sum := c.hash.Sum(nil); {
	case i >= int64(len(c.pieces.Sums)):
		c.wrong = c.pieces.misfit(c.off)
	case !bytes.Equal(sum, c.pieces.Sums[i]):
		c.wrong = c.pieces.mismatch(i, c.pieces.at(i, c.off), sum)
	}
	c.hash.Reset()
}
