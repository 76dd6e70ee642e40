package journal

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/checksum"
)

// Digests are kept as they were promised, also those of algorithms that this version does not know.
func TestDigests(t *testing.T) {
	h := Header{Size: 1, Digests: []checksum.Sum{{Algorithm: checksum.CRC32C, Value: []byte{0xff, 0, 1, 2}}, {Algorithm: "later", Value: []byte{3}}}}
	disk := newDisk()
	_, err := create(disk, name, &State{Header: h})
	must(t, err)
	if want := `"digests":[{"algorithm":"crc32c","value":"ff000102"},{"algorithm":"later","value":"03"}]`; !bytes.Contains(disk.text(), []byte(want)) {
		t.Errorf("%s is not in\n%s", want, disk.text())
	}
	s, err := decode(bytes.NewReader(disk.text()))
	must(t, err)
	if diff := cmp.Diff(h.Digests, s.Header.Digests); diff != "" {
		t.Error(diff)
	}
	if _, err := decode(bytes.NewReader(lines(`{"digests":[{"algorithm":"md5","value":"0g"}]}`))); err == nil {
		t.Error("a digest that is not hexadecimal")
	}
}

// That a journal counts only with the digests of pieces is kept; one that says nothing of it counts without.
func TestPieces(t *testing.T) {
	for _, want := range []bool{true, false} {
		disk := newDisk()
		_, err := create(disk, name, &State{Header: Header{Size: 1, Pieces: want}})
		must(t, err)
		s, err := decode(bytes.NewReader(disk.text()))
		must(t, err)
		if s.Header.Pieces != want || bytes.Contains(disk.text(), []byte(`"pieces":true`)) != want {
			t.Errorf("%v, want %v, of\n%s", s.Header.Pieces, want, disk.text())
		}
	}
}
