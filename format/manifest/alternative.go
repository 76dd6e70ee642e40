package manifest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const digestLen = 32 // of SHA-256, in bytes

// An Alternative is an alternative of a part, taken apart: where the bytes are, and what its fragment promises of them.
// Note that a Size of 0 promises an empty part; no promise is -1.
type Alternative struct {
	URL    string // a reference, without fragment
	Digest []byte // SHA-256 of the part's bytes, 32 bytes; nil if none is promised
	Size   int64  // of the part in bytes; -1 if none is promised
}

// ParseAlternative takes an alternative apart that a [Decoder] returned or that [Resolve] made of one.
//
// The fragment (RFC 3986, section 3.5) may hold pairs of key and value in any order:
//
//	http://host/part1#sha256=HEX&size=N
//
// with HEX 64 hexadecimal digits in upper or lower case and N a decimal number without sign. Other keys and anything that is no
// pair are ignored. A fragment is never sent, so readers that do not know this extension are not disturbed.
//
// A promise that could not be checked must not be ignored: a broken value, or a second value for the same key, is an
// error, which means that the alternative fails. So is a missing URL, as in a comment. Errors do not
// quote the URL.
func ParseAlternative(line string) (Alternative, error) {
	ref, fragment, _ := strings.Cut(line, "#")
	if ref == "" {
		return Alternative{}, errNoURL
	}
	a := Alternative{URL: ref, Size: -1}
	for pair := range strings.SplitSeq(fragment, "&") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		if err := a.set(key, value); err != nil {
			return Alternative{}, fmt.Errorf("fragment: %s: %w", key, err)
		}
	}
	return a, nil
}

func (a *Alternative) set(key, value string) error {
	switch key {
	case "sha256":
		return a.setDigest(value)
	case "size":
		return a.setSize(value)
	}
	return nil
}

func (a *Alternative) setDigest(value string) error {
	if a.Digest != nil {
		return errTwice
	}
	if len(value) != hex.EncodedLen(digestLen) {
		return fmt.Errorf("%d digits where %d are due", len(value), hex.EncodedLen(digestLen))
	}
	digest, err := hex.DecodeString(value)
	if err != nil {
		return errors.New("not hexadecimal")
	}
	a.Digest = digest
	return nil
}

func (a *Alternative) setSize(value string) error {
	if a.Size >= 0 {
		return errTwice
	}
	size, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		return errors.New("not a decimal number of at most 63 bits")
	}
	a.Size = int64(size)
	return nil
}

var (
	errNoURL = errors.New("no URL")
	errTwice = errors.New("given twice")
)

// String is the inverse of [ParseAlternative] for every Alternative that it returns: the URL, with a fragment if there
// is a digest or a size.
func (a Alternative) String() string {
	var pairs []string
	if len(a.Digest) > 0 {
		pairs = append(pairs, "sha256="+hex.EncodeToString(a.Digest))
	}
	if a.Size >= 0 {
		pairs = append(pairs, "size="+strconv.FormatInt(a.Size, 10))
	}
	if len(pairs) == 0 {
		return a.URL
	}
	return a.URL + "#" + strings.Join(pairs, "&")
}
