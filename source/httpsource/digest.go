package httpsource

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"spate/format/checksum"
	"spate/source"
)

// Digests are asked for where a request begins at 0: they are about the whole, and who goes on has been told. Some
// origins compute them for the occasion.
const (
	wantReprDigest = "sha-256=9, sha-512=8"
	wantDigest     = "sha-256;q=1, sha-512;q=0.8"
)

// maxDigests is how many bytes of header are read for digests; a SHA-512 has 88 characters.
const maxDigests = 4 << 10

// digests are those of the whole: of Repr-Digest, then of Content-Digest, which is of the body and counts where that is
// the whole, then of the older Digest (RFC 3230), the first of each algorithm. What is malformed is ignored.
func digests(h http.Header, bodyIsWhole bool) []checksum.Sum {
	all := reprDigests(h, "Repr-Digest")
	if bodyIsWhole {
		all = mergeDigests(all, reprDigests(h, "Content-Digest"))
	}
	return mergeDigests(all, oldDigests(h))
}

// promises are what the answers that redirected told of what they redirected to.
type promises struct {
	links   []source.Link
	digests []checksum.Sum
}

// add notes what an answer of u that redirects tells: its links, and where there is a duplicate among them the digests
// of Digest as well, as in RFC 6249 §6. Of any other redirect, Digest may be that of its page.
func (p *promises) add(h http.Header, u *url.URL) {
	before := len(p.links)
	p.links = appendLinks(p.links, h, u)
	for _, l := range p.links[before:] {
		if l.Rel == source.RelDuplicate {
			p.digests = mergeDigests(p.digests, oldDigests(h))
			return
		}
	}
}

// reprDigests reads a field of RFC 9530: a dictionary of byte sequences. One that is malformed anywhere is ignored as a
// whole (RFC 9651 §4.2); so is a sum that does not have the length of its algorithm, alone.
func reprDigests(h http.Header, field string) []checksum.Sum {
	text := bounded(h, field)
	if text == "" {
		return nil
	}
	dict, ok := parseDictionary(text)
	if !ok {
		return nil
	}
	var all []checksum.Sum
	for _, m := range dict {
		if isSum(m.key, m.value) {
			all = append(all, checksum.Sum{Algorithm: m.key, Value: m.value})
		}
	}
	return all
}

// oldDigests reads Digest (RFC 3230 §4.3.2), in which each member stands for itself.
func oldDigests(h http.Header) []checksum.Sum {
	text := bounded(h, "Digest")
	if text == "" {
		return nil
	}
	var all []checksum.Sum
	for member := range strings.SplitSeq(text, ",") {
		alg, text, _ := strings.Cut(strings.TrimSpace(member), "=")
		alg = strings.ToLower(alg)
		sum := oldSum(alg, text)
		if isSum(alg, sum) {
			all = mergeDigests(all, []checksum.Sum{{Algorithm: alg, Value: sum}})
		}
	}
	return all
}

// isSum tells whether a digest is kept: one of an algorithm that nobody here can compute is of no use.
func isSum(name string, value []byte) bool {
	return len(value) > 0 && len(value) == checksum.Size(name)
}

// oldSum decodes base64; crc32c also as one to eight hexadecimal digits, which is how RFC 5843 has it. What is four
// bytes in base64 ends in "==" and is no number.
func oldSum(alg, text string) []byte {
	if alg == "crc32c" && len(text) <= 8 {
		if sum, err := hex.DecodeString(strings.Repeat("0", 8-len(text)) + text); err == nil && text != "" {
			return sum
		}
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil
	}
	return sum
}

// mergeDigests adds those of more whose algorithm all does not have.
func mergeDigests(all, more []checksum.Sum) []checksum.Sum {
	for _, d := range more {
		if !has(all, d.Algorithm) {
			all = append(all, d)
		}
	}
	return all
}

func has(all []checksum.Sum, name string) bool {
	for _, d := range all {
		if d.Algorithm == name {
			return true
		}
	}
	return false
}

// bounded is the value of a field, its lines joined; "" where it is longer than is read.
func bounded(h http.Header, field string) string {
	text := strings.Join(h.Values(field), ", ")
	if len(text) > maxDigests {
		return ""
	}
	return text
}
