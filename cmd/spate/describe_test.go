package main

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"spate/format/metalink"
)

func TestPieceLength(t *testing.T) {
	const mi = 1 << 20
	tests := []struct {
		name             string
		size, want, flag int64
	}{
		{"empty", 0, mi, 0},
		{"small", 1, mi, 0},
		{"few of the shortest", fewPieces * mi, mi, 0},
		{"one byte more", fewPieces*mi + 1, 2 * mi, 0},
		{"few of the longest", fewPieces * 16 * mi, 16 * mi, 0},
		{"one byte more than those", fewPieces*16*mi + 1, 16 * mi, 0},
		{"all that fit", maxPieces * 16 * mi, 16 * mi, 0},
		{"more than fit", maxPieces*16*mi + 1, 32 * mi, 0},
		{"the largest", math.MaxInt64, 1 << 47, 0},
		{"not known", -1, 16 * mi, 0},
		{"asked for", 100, 4, 4},
		{"asked for, not known", -1, 4, 4},
		{"asked for, all that fit", 4 * maxPieces, 4, 4},
		{"asked for, more than fit", 4*maxPieces + 1, 0, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := packCmd{pieceSize: test.flag}
			got, err := c.pieceLength(test.size)
			if got != test.want || (err != nil) != (test.want == 0) {
				t.Errorf("pieceLength(%d) = %d, %v; want %d", test.size, got, err, test.want)
			}
		})
	}
}

// However a stream is read, the digests are those of its pieces.
func TestFingerprint(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		data := make([]byte, rnd.IntN(300))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		length := int64(1) << rnd.IntN(9)
		for _, r := range []io.Reader{bytes.NewReader(data), iotest.OneByteReader(bytes.NewReader(data)), iotest.HalfReader(bytes.NewReader(data))} {
			checkFingerprint(t, r, data, length)
		}
	}
}

func checkFingerprint(t *testing.T, r io.Reader, data []byte, length int64) {
	t.Helper()
	var f metalink.File
	if err := fingerprint(&f, r, length); err != nil {
		t.Fatal(err)
	}
	whole := sha256.Sum256(data)
	if f.Size != int64(len(data)) || !bytes.Equal(f.Hashes[0].Value, whole[:]) || (f.Pieces == nil) != (len(data) == 0) {
		t.Fatalf("%d bytes: %+v", len(data), f)
	}
	for i := 0; len(data) > 0; i++ {
		n := min(len(data), int(length))
		if sum := sha256.Sum256(data[:n]); i >= len(f.Pieces.Values) || !bytes.Equal(f.Pieces.Values[i], sum[:]) {
			t.Fatalf("%d bytes in pieces of %d: piece %d", f.Size, length, i)
		}
		data = data[n:]
	}
}

// A stream of unknown size ends at as many pieces as a Metalink file holds, and such a file can be written.
func TestFingerprintLimit(t *testing.T) {
	f := metalink.File{Name: "a", URLs: []metalink.URL{{URL: "http://127.0.0.1/a"}}}
	if err := fingerprint(&f, strings.NewReader(strings.Repeat("x", maxPieces)), 1); err != nil {
		t.Fatal(err)
	}
	if err := metalink.Encode(io.Discard, &metalink.Metalink{Files: []metalink.File{f}}); err != nil {
		t.Error(err)
	}
	err := fingerprint(&f, strings.NewReader(strings.Repeat("x", maxPieces+1)), 1)
	if err == nil || hintOf(err) != "a larger --piece-size makes fewer" {
		t.Error(err)
	}
}
