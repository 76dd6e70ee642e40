package checksum

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// A Sum is the digest of some bytes, as somebody promised it or as it was computed.
type Sum struct {
	Algorithm string // one of Names
	Value     []byte // as long as Size of it
}

var errNoAlgorithm = errors.New("no algorithm in front: ALGORITHM=HEX")

// Parse reads "sha-256=HEX". The algorithm is spelt as [Name] has it, HEX is in upper or lower case, a colon may stand
// for "=", and blanks around either are ignored. An algorithm is never guessed: a digest of 64 digits may be
// that of several.
func Parse(text string) (Sum, error) {
	i := strings.IndexAny(text, "=:")
	if i < 0 {
		return Sum{}, fmt.Errorf("checksum: %w", errNoAlgorithm)
	}
	s, err := parse(text[:i], text[i+1:])
	if err != nil {
		return Sum{}, fmt.Errorf("checksum: %w", err)
	}
	return s, nil
}

func parse(spelling, digits string) (Sum, error) {
	name, err := Name(strings.TrimSpace(spelling))
	if err != nil {
		return Sum{}, err
	}
	digits = strings.TrimSpace(digits)
	if want := hex.EncodedLen(Size(name)); len(digits) != want {
		return Sum{}, fmt.Errorf("%s: %d digits where %d are due", name, len(digits), want)
	}
	value, err := hex.DecodeString(digits)
	if err != nil {
		return Sum{}, fmt.Errorf("%s: not hexadecimal", name)
	}
	return Sum{name, value}, nil
}

// String is "sha-256=HEX", in lower case: the inverse of [Parse].
func (s Sum) String() string { return s.Algorithm + "=" + hex.EncodeToString(s.Value) }

// Equal reports whether both are of the same algorithm and have the same value.
func (s Sum) Equal(o Sum) bool { return s.Algorithm == o.Algorithm && bytes.Equal(s.Value, o.Value) }

// check tells why s is no sum of an algorithm that there is.
func (s Sum) check() error {
	switch want := Size(s.Algorithm); want {
	case 0:
		return &UnknownError{s.Algorithm}
	case len(s.Value):
		return nil
	default:
		return fmt.Errorf("%s: %d bytes where %d are due", s.Algorithm, len(s.Value), want)
	}
}

// Strongest returns the sum of the strongest algorithm, the first of several; false where there is no sum.
func Strongest(sums []Sum) (Sum, bool) {
	var best Sum
	for i, s := range sums {
		if i == 0 || Strength(s.Algorithm) > Strength(best.Algorithm) {
			best = s
		}
	}
	return best, len(sums) > 0
}
