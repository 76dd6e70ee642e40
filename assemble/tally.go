package assemble

import (
	"crypto/sha256"
	"hash"
	"hash/crc64"
)

var crcTable = crc64.MakeTable(crc64.ECMA)

// A tally follows the bytes of one part, whichever alternative they come from.
type tally struct {
	off int64     // of the next byte
	crc uint64    // of the bytes before off, where hasCRC
	sha hash.Hash // of the bytes before off; nil where no digest was promised

	hasCRC bool // crc covers all bytes before off
}

func (t *tally) add(p []byte) {
	t.off += int64(len(p))
	if t.hasCRC {
		t.crc = crc64.Update(t.crc, crcTable, p)
	}
	if t.sha != nil {
		t.sha.Write(p)
	}
}

// restart makes t the tally of a part of which nothing was read.
func (t *tally) restart(withCRC, withSHA bool) {
	*t = tally{hasCRC: withCRC}
	if withSHA {
		t.sha = sha256.New()
	}
}
