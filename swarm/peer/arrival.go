package peer

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"spate/format/checksum"
)

// An arrival is a delivery while it comes.
type arrival struct {
	delivery
	create  func() (*Draft, error)
	start   []byte // its first bytes, as far as they are those of notFound
	hash256 hash.Hash
	hash1   hash.Hash // nil: not needed
	sums    checksum.Set
	isSum   bool   // sums expects something
	want    string // the SHA-1 that the tracker told, in hexadecimal; "": none
}

func (p *Peer) newArrival(f *flight) (*arrival, error) {
	a := &arrival{delivery: delivery{chunk: f.Chunk, from: f.From}, hash256: sha256.New()}
	a.create = func() (*Draft, error) { return p.o.Store.Create(f.Chunk) }
	if p.o.SHA1 {
		a.hash1 = sha1.New()
		p.mu.Lock()
		a.want = p.sha1[f.Chunk]
		p.mu.Unlock()
	}
	sum, isPromised, err := p.o.Sum(f.Chunk)
	if err != nil || !isPromised {
		return a, err
	}
	a.isSum = true
	return a, a.sums.Expect(sum)
}

// write adds bytes, and with none makes sure that there is a draft.
func (a *arrival) write(b []byte) (err error) {
	if a.draft == nil {
		if a.draft, err = a.create(); err != nil {
			return err
		}
	}
	a.hash256.Write(b) // hashes take everything
	if a.hash1 != nil {
		a.hash1.Write(b)
	}
	if a.isSum {
		a.sums.Write(b)
	}
	if len(a.start) < len(notFound) {
		a.start = append(a.start, b[:min(len(b), len(notFound)-len(a.start))]...)
	}
	n, err := a.draft.Write(b)
	a.size += int64(n)
	return err
}

// end closes the books.
func (a *arrival) end(isClean bool) error {
	a.clean = isClean
	a.sum = [sha256.Size]byte(a.hash256.Sum(nil))
	if a.hash1 != nil {
		a.sha1 = a.hash1.Sum(nil)
	}
	if a.draft == nil { // of no bytes
		if err := a.write(nil); err != nil {
			return err
		}
	}
	return a.draft.End()
}

var errDigest = errors.New("has not the digest that it must have")

// check compares with the digests that are known. isProven is false where none is.
func (a *arrival) check() (isProven bool, wrong error) {
	if a.isSum {
		if err := a.sums.Verify(); err != nil {
			return false, fmt.Errorf("%w: %w", errDigest, err)
		}
		isProven = true
	}
	if a.want != "" {
		if got := hex.EncodeToString(a.hash1.Sum(nil)); !strings.EqualFold(got, a.want) {
			return false, fmt.Errorf("%w: SHA-1 %s, and the tracker says %s", errDigest, got, a.want)
		}
		isProven = true
	}
	return isProven, nil
}

// isRefusal tells whether what came says that there is no such chunk. A digest may say that it is one.
func (a *arrival) isRefusal() bool {
	isProven, _ := a.check()
	return !isProven && (a.size == 0 || a.size == int64(len(notFound)) && string(a.start) == notFound)
}

// compare says how those that are held compare with what has come. What cannot be read is other.
func (p *Peer) compare(d *delivery, held []*delivery) []relation {
	var all []relation
	for _, h := range held {
		r := other
		switch {
		case h.size == d.size && h.sum == d.sum:
			r = same
		case h.size < d.size && p.begins(d, h):
			r = shorter
		case h.size > d.size && p.begins(h, d):
			r = longer
		}
		all = append(all, r)
	}
	return all
}

// begins tells whether long begins with short.
func (p *Peer) begins(long, short *delivery) bool {
	r, err := p.reader(long)
	if err != nil {
		return false
	}
	defer r.Close()
	h := sha256.New()
	_, err = io.CopyN(h, r, short.size)
	return err == nil && [sha256.Size]byte(h.Sum(nil)) == short.sum
}

func (p *Peer) reader(d *delivery) (io.ReadCloser, error) {
	if d.draft != nil {
		return d.draft.Open()
	}
	sec, err := p.o.Store.Open(d.chunk)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{sec.Reader(), sec}, nil
}
