package fetch

import (
	"testing"

	"spate/format/checksum"
)

// Where bytes come slowly, a block has few of them: what is held ahead of the digest is bounded by the memory that it takes.
func TestDigesterHoldsLittle(t *testing.T) {
	const pieces = 4 * maxHeld / maxBlock
	freed := 0
	d := newDigester(new(checksum.Set))
	d.free = func([]byte) { freed++ }
	for i := range int64(pieces) {
		d.add(1+i, make([]byte, maxBlock)[:1])
	}
	if held := pieces - freed; held > maxHeld/maxBlock {
		t.Errorf("%d blocks of %d are held, want %d at most", held, pieces, maxHeld/maxBlock)
	}
}
