package content

import (
	"encoding/base64"
	"hash"
	"net/http"
	"strconv"
	"strings"

	"spate/format/checksum"
)

// reprDigest is Repr-Digest (RFC 9530 §3) of what is known, "" for nothing. An algorithm that is not registered for it is left out.
func reprDigest(sums []checksum.Sum) string {
	var members []string
	for _, s := range sums {
		if s.Algorithm != checksum.BLAKE3 {
			members = append(members, member(s.Algorithm, s.Value))
		}
	}
	return strings.Join(members, ", ")
}

// member is one of a dictionary of byte sequences (RFC 9651 §3.2 and §3.3.5).
func member(key string, value []byte) string {
	return key + "=:" + base64.StdEncoding.EncodeToString(value) + ":"
}

// A contentDigest computes Content-Digest (RFC 9530 §2) as the content passes. nil is one that nobody wants.
type contentDigest struct {
	algorithm string
	hash      hash.Hash
}

// wantedDigest is what Want-Content-Digest (RFC 9530 §4) prefers of what is secure and registered.
func wantedDigest(h http.Header) *contentDigest {
	want := parseWant(strings.Join(h.Values("Want-Content-Digest"), ","))
	best := checksum.SHA256
	if want[checksum.SHA512] > want[best] {
		best = checksum.SHA512
	}
	if want[best] == 0 {
		return nil
	}
	sum, err := checksum.New(best)
	if err != nil {
		return nil // it knows both
	}
	return &contentDigest{best, sum}
}

// parseWant reads a dictionary of integers from 0 to 10. One that is malformed is empty: a preference is a hint. Parameters are
// read over.
func parseWant(text string) map[string]int {
	want := make(map[string]int)
	if strings.TrimSpace(text) == "" {
		return want
	}
	for member := range strings.SplitSeq(text, ",") {
		member, _, _ = strings.Cut(member, ";")
		key, value, _ := strings.Cut(strings.Trim(member, " \t"), "=")
		n, err := strconv.ParseUint(value, 10, 8)
		if err != nil || n > 10 || key == "" {
			return nil
		}
		want[key] = int(n)
	}
	return want
}

func (d *contentDigest) write(p []byte) {
	if d != nil {
		d.hash.Write(p) // never fails
	}
}

func (d *contentDigest) field() string { return member(d.algorithm, d.hash.Sum(nil)) }

// takesTrailers reports whether whoever asked says that it keeps the fields of a trailer (RFC 9110 §10.1.4).
func takesTrailers(r *http.Request) bool {
	if !r.ProtoAtLeast(1, 1) {
		return false
	}
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Te"), ","), ",") {
		if strings.EqualFold(strings.Trim(coding, " \t"), "trailers") {
			return true
		}
	}
	return false
}
