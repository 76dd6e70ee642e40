package fetch

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
)

// Whatever was written and taken back, the digest is that of the bytes that are there.
func TestDigestAgainstHashingAtOnce(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		d := newDigest()
		d.step = 1 + rnd.Int64N(64)
		var content []byte
		for range 200 {
			if rnd.IntN(4) > 0 {
				p := make([]byte, rnd.IntN(3000))
				for i := range p {
					p[i] = byte(rnd.Uint32())
				}
				d.add(p)
				content = append(content, p...)
				continue
			}
			off := rnd.IntN(len(content) + 1)
			content = content[:off]
			must(t, d.rewind(bytes.NewReader(content), int64(off)))
		}
		if want := sha256.Sum256(content); !bytes.Equal(d.sum(), want[:]) {
			t.Fatalf("digest of %d bytes is wrong", len(content))
		}
		if len(d.marks) > maxMarks {
			t.Errorf("%d marks", len(d.marks))
		}
	}
}

// Little is read again, and what is remembered stays small.
func TestDigestRewindReadsLittle(t *testing.T) {
	const total = 10_000 * 100
	d := newDigest()
	d.step = 1
	for range total / 100 {
		d.add(make([]byte, 100))
	}
	if len(d.marks) > maxMarks || len(d.marks) < maxMarks/2-1 {
		t.Errorf("%d marks", len(d.marks))
	}
	r := &countingReader{Reader: bytes.NewReader(make([]byte, total))}
	must(t, d.rewind(r, total-1))
	if r.n > total/(maxMarks/2) {
		t.Errorf("%d bytes of %d were read again", r.n, total)
	}
}

func TestDigestOfAFileThatShrank(t *testing.T) {
	d := newDigest()
	d.add(make([]byte, 10))
	if err := d.rewind(bytes.NewReader(make([]byte, 4)), 8); err == nil {
		t.Error("no error although bytes are missing")
	}
}

type countingReader struct {
	*bytes.Reader
	n int64
}

func (r *countingReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.Reader.ReadAt(p, off)
	r.n += int64(n)
	return n, err
}
