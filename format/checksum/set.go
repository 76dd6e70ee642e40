package checksum

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
)

// ErrMismatch is what every [*MismatchError] is.
var ErrMismatch = errors.New("the bytes do not have the promised digest")

// A MismatchError tells that bytes have another digest than was promised.
type MismatchError struct {
	Algorithm string
	Want, Got []byte
}

// Error names both digests.
func (e *MismatchError) Error() string {
	return fmt.Sprintf("%v: %s is %x, promised was %x", ErrMismatch, e.Algorithm, e.Got, e.Want)
}

// Is reports whether target is [ErrMismatch].
func (e *MismatchError) Is(target error) bool { return target == ErrMismatch }

// A Set computes several digests of the bytes that are written to it, and compares them with what was promised. Its
// zero value computes none; [Set.Compute] and [Set.Expect] add algorithms to it, before the first byte.
//
// A Set must not be used by several goroutines at once.
type Set struct {
	members []member // one for each algorithm
	begun   bool
}

type member struct {
	name string
	hash hash.Hash
	want []byte // nil where nothing was promised
}

var errBegun = errors.New("bytes have been written already")

// Compute adds an algorithm, one of [Names], whose digest is wanted. Adding it twice changes nothing.
func (s *Set) Compute(name string) error {
	if _, err := s.member(name); err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	return nil
}

// Expect adds a digest that was promised; of an algorithm that is computed already, also behind the first byte. The same
// one may be added again; two that differ, of one algorithm, are an error, as no bytes have both. So is a sum that is of
// no known algorithm or of another length.
func (s *Set) Expect(sum Sum) error {
	if err := sum.check(); err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	m, err := s.member(sum.Algorithm)
	if err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	if m.want != nil && !sum.Equal(Sum{m.name, m.want}) {
		return fmt.Errorf("checksum: %s is promised to be %x, and to be %x", m.name, m.want, sum.Value)
	}
	m.want = bytes.Clone(sum.Value)
	return nil
}

// member returns that of an algorithm, a new one where there is none.
func (s *Set) member(name string) (*member, error) {
	for i := range s.members {
		if s.members[i].name == name {
			return &s.members[i], nil
		}
	}
	if s.begun {
		return nil, errBegun
	}
	h, err := New(name)
	if err != nil {
		return nil, err
	}
	s.members = append(s.members, member{name: name, hash: h})
	return &s.members[len(s.members)-1], nil
}

// Write hashes p with each algorithm. It never fails.
func (s *Set) Write(p []byte) (int, error) {
	s.begun = true
	for _, m := range s.members {
		_, _ = m.hash.Write(p) // a hash never fails
	}
	return len(p), nil
}

// Sum is the digest of the bytes written so far; false where the algorithm was not added.
func (s *Set) Sum(name string) (Sum, bool) {
	for _, m := range s.members {
		if m.name == name {
			return Sum{name, m.hash.Sum(nil)}, true
		}
	}
	return Sum{}, false
}

// Sums are the digests of the bytes written so far, in the order in which their algorithms were added.
func (s *Set) Sums() []Sum {
	var sums []Sum
	for _, m := range s.members {
		sums = append(sums, Sum{m.name, m.hash.Sum(nil)})
	}
	return sums
}

// Promised are the digests that were promised, in the order in which their algorithms were added.
func (s *Set) Promised() []Sum {
	var sums []Sum
	for _, m := range s.members {
		if m.want != nil {
			sums = append(sums, Sum{m.name, bytes.Clone(m.want)})
		}
	}
	return sums
}

// Reset takes back what was written. The algorithms, and what was promised, stay.
func (s *Set) Reset() {
	s.begun = false
	for _, m := range s.members {
		m.hash.Reset()
	}
}

// Verify compares the digests of the bytes written so far with what was promised. Where some differ, the strongest of
// them is the [*MismatchError] that it returns. Where nothing was promised, nothing differs.
func (s *Set) Verify() error {
	var worst *MismatchError
	for _, m := range s.members {
		got := Sum{m.name, m.hash.Sum(nil)}
		isStronger := worst == nil || Strength(m.name) > Strength(worst.Algorithm)
		if m.want != nil && isStronger && !got.Equal(Sum{m.name, m.want}) {
			worst = &MismatchError{m.name, m.want, got.Value}
		}
	}
	if worst == nil {
		return nil // not a nil *MismatchError, which is no nil error
	}
	return worst
}
