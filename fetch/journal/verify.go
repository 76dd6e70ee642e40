package journal

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"slices"
)

// Check is how [Verify] looks. The zero value, and nil, mean the defaults.
type Check struct {
	Strict bool          // every range is read
	Sample int           // how many of the durable ranges are read otherwise; 0: 16
	Rand   *rand.Rand    // which of them; nil: others each time
	Read   func(n int64) // is told of each n bytes read, for progress; nil: nobody is
}

const (
	defaultSample = 16
	readSize      = 256 << 10
)

// Verify returns s without the ranges that part does not hold. Ranges that no sync has confirmed are all read again; of
// the durable ones a sample is, the one furthest behind among them. If one of these is wrong, part is not the file that
// the journal is about, or the disk cannot be trusted: then all are read. What is not there (part is too short) is
// wrong; any other error of reading is returned, as is that of ctx.
func Verify(ctx context.Context, part io.ReaderAt, s *State, c *Check) (*State, error) {
	if c == nil {
		c = new(Check)
	}
	v := verifier{part: part, buf: make([]byte, readSize), read: c.Read}
	durable, fresh := split(s.Ranges)
	good, _, err := v.check(ctx, fresh)
	if err != nil {
		return nil, err
	}
	trusted, err := v.trusted(ctx, durable, c)
	if err != nil {
		return nil, err
	}
	left := *s
	left.Ranges = append(good, trusted...)
	slices.SortFunc(left.Ranges, byOffset)
	return &left, nil
}

func split(all []Range) (durable, fresh []Range) {
	for _, r := range all {
		if r.Durable {
			durable = append(durable, r)
		} else {
			fresh = append(fresh, r)
		}
	}
	return durable, fresh
}

type verifier struct {
	part io.ReaderAt
	buf  []byte
	read func(int64)
}

// trusted are those of the durable ranges that count.
func (v *verifier) trusted(ctx context.Context, durable []Range, c *Check) ([]Range, error) {
	if !c.Strict {
		_, bad, err := v.check(ctx, Pick(durable, c.sample(), c.Rand))
		if err != nil || bad == 0 {
			return durable, err
		}
	}
	good, _, err := v.check(ctx, durable)
	return good, err
}

func (c *Check) sample() int {
	if c.Sample <= 0 {
		return defaultSample
	}
	return c.Sample
}

// Pick is n of the ranges, in order: the last one, and others by chance; all where there are no more. A nil rnd means
// others each time.
func Pick(ranges []Range, n int, rnd *rand.Rand) []Range {
	if len(ranges) <= n || n <= 0 {
		return slices.Clone(ranges[:min(len(ranges), max(n, 0))])
	}
	perm := rand.Perm
	if rnd != nil {
		perm = rnd.Perm
	}
	last := len(ranges) - 1
	picked := []Range{ranges[last]}
	for _, i := range perm(last)[:n-1] {
		picked = append(picked, ranges[i])
	}
	slices.SortFunc(picked, byOffset)
	return picked
}

// check reads ranges and returns those that match, and how many do not.
func (v *verifier) check(ctx context.Context, ranges []Range) (good []Range, bad int, err error) {
	for _, r := range ranges {
		ok, err := v.matches(ctx, r)
		if err != nil {
			return nil, 0, err
		}
		if ok {
			good = append(good, r)
		} else {
			bad++
		}
	}
	return good, bad, nil
}

func (v *verifier) matches(ctx context.Context, r Range) (bool, error) {
	var crc uint32
	for off := r.Off; off < r.End; {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		p := v.buf[:min(int64(len(v.buf)), r.End-off)]
		n, err := v.part.ReadAt(p, off)
		if n < len(p) {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return false, nil
			}
			return false, err
		}
		crc = crc32.Update(crc, castagnoli, p)
		off += int64(n)
		if v.read != nil {
			v.read(int64(n))
		}
	}
	return crc == r.CRC, nil
}
