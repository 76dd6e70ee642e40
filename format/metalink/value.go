package metalink

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errNoName    = errors.New("a file without a name")
	errName      = errors.New("a name that leads out of its folder, or that no file can have")
	errTwice     = errors.New("given twice")
	errNoURL     = errors.New("no URL")
	errMalformed = errors.New("malformed URL")
	errRelative  = errors.New("relative URL: a metalink has no base")
	errSize      = errors.New("size: no decimal number of at most 63 bits")
	errPriority  = errors.New("priority: no number from 1 to 999999")
	errHex       = errors.New("hash: not hexadecimal")
	errNoType    = errors.New("hash without a type")
	errLength    = errors.New("pieces: length is no positive number of at most 63 bits")
	errNoPieces  = errors.New("pieces without a hash")
	errOrder     = errors.New("pieces: not in order")
	errNoSource  = errors.New("a file without a URL")
	errNoFile    = errors.New("a metalink without a file")
	errNoMedia   = errors.New("metaurl without a mediatype")
)

// checkName tells why name is not as [File] promises. RFC 5854 §4.1.2.1 forbids paths that are absolute or lead up; what
// other systems take for such a path is forbidden as well.
func checkName(name string) error {
	switch {
	case name == "":
		return errNoName
	case len(name) > MaxName, !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl), strings.ContainsRune(name, '\\'), hasDrive(name):
		return errName
	}
	for element := range strings.SplitSeq(name, "/") {
		if strings.Trim(element, ". ") == "" { // Windows drops dots and blanks at the end
			return errName
		}
	}
	return nil
}

func hasDrive(name string) bool {
	return len(name) >= 2 && name[1] == ':' && unicode.IsLetter(rune(name[0]))
}

// checkURL tells why raw is no absolute URL. Its errors do not quote it, as it may hold secrets.
func checkURL(raw string) error {
	if raw == "" {
		return errNoURL
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errMalformed
	case !u.IsAbs():
		return errRelative
	}
	return nil
}

func parseSize(text string) (int64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return -1, errSize
	}
	return int64(n), nil
}

// parsePriority reads the attribute; "" is none.
func parsePriority(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > maxPriority {
		return 0, errPriority
	}
	return int(n), nil
}

// location is the attribute in lower case, "" where it is no country: nothing depends on it.
func location(text string) string {
	text = strings.ToLower(text)
	if len(text) != 2 || strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return text
}

// algorithm is the name that IANA has for what a Metalink file calls name. Those of Metalink 3, without a hyphen, stand in
// files of version 4 too.
func algorithm(name string) string {
	name = strings.ToLower(name)
	switch name {
	case "sha1", "sha224", "sha256", "sha384", "sha512":
		return "sha-" + name[len("sha"):]
	}
	return name
}

// digestLen is how many bytes a digest has; 0 for an algorithm that nobody knows.
func digestLen(algorithm string) int {
	switch algorithm {
	case "md5":
		return 16
	case "sha-1":
		return 20
	case "sha-224":
		return 28
	case "sha-256":
		return 32
	case "sha-384":
		return 48
	case "sha-512":
		return 64
	}
	return 0
}

func parseDigest(algorithm, text string) ([]byte, error) {
	value, err := hex.DecodeString(text)
	want := digestLen(algorithm)
	switch {
	case err != nil, len(value) == 0:
		return nil, errHex
	case want > 0 && len(value) != want:
		return nil, fmt.Errorf("hash: %d digits where %d are due", len(text), hex.EncodedLen(want))
	}
	return value, nil
}

// checkPieces tells why the pieces are not those of a file of that size, if it is known.
func checkPieces(p *Pieces, size int64) error {
	if p == nil || size < 0 {
		return nil
	}
	want := size / p.Length
	if size%p.Length > 0 {
		want++
	}
	if int64(len(p.Values)) != want {
		return fmt.Errorf("%d pieces where the size makes %d", len(p.Values), want)
	}
	return nil
}
