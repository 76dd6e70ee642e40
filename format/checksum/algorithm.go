package checksum

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/zeebo/blake3"
)

// The algorithms. Those of RFC 9530 have the names that it gives them.
const (
	SHA512 = "sha-512"
	SHA256 = "sha-256"
	BLAKE3 = "blake3" // of 256 bits
	MD5    = "md5"
	CRC32C = "crc32c" // Castagnoli's polynomial, the most significant byte first
)

// algorithm is what is known of one.
type algorithm struct {
	name    string
	aliases []string // folded, see fold
	size    int      // in bytes
	secure  bool
	new     func() hash.Hash
}

// algorithms returns those that there are, the strongest first.
func algorithms() []algorithm {
	return []algorithm{
		{SHA512, []string{"sha512", "sha2512"}, sha512.Size, true, sha512.New},
		{SHA256, []string{"sha256", "sha2256"}, sha256.Size, true, sha256.New},
		{BLAKE3, []string{"blake3", "b3"}, 32, true, func() hash.Hash { return blake3.New() }},
		{MD5, []string{"md5"}, md5.Size, false, md5.New},
		{CRC32C, []string{"crc32c"}, crc32.Size, false, func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }},
	}
}

// find returns the algorithm of that name; its zero value where there is none.
func find(name string) algorithm {
	for _, a := range algorithms() {
		if a.name == name {
			return a
		}
	}
	return algorithm{}
}

// fold is a name as aliases have it: in lower case, without hyphens.
func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "-", "")) }

// Names returns the names of all algorithms, the strongest first.
func Names() []string {
	var names []string
	for _, a := range algorithms() {
		names = append(names, a.name)
	}
	return names
}

// An UnknownError is about an algorithm that is none of [Names]. It says which there are.
type UnknownError struct{ Algorithm string }

// Error names the algorithm, or its beginning, and those that there are.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("algorithm %.32q is not known: there are %s", e.Algorithm, strings.Join(Names(), ", "))
}

// Name returns the name of an algorithm that others spell "SHA256", "sha-256" or, as openssl does, "SHA2-256": case and
// hyphens do not count. Any other is an [*UnknownError].
func Name(spelling string) (string, error) {
	for _, a := range algorithms() {
		if slices.Contains(a.aliases, fold(spelling)) {
			return a.name, nil
		}
	}
	return "", &UnknownError{spelling}
}

// Size is the length of an algorithm's digests in bytes. It is 0 where name, which is taken as it is, is none of [Names].
func Size(name string) int { return find(name).size }

// Strength orders algorithms by how hard it is to find other bytes with the same digest: the more, the harder. It is 0
// where name, which is taken as it is, is none of [Names].
func Strength(name string) int {
	all := algorithms()
	i := slices.IndexFunc(all, func(a algorithm) bool { return a.name == name })
	if i < 0 {
		return 0
	}
	return len(all) - i
}

// IsSecure reports whether nobody can make other bytes of the same digest. Those of the others, md5 and crc32c, show
// what went wrong by accident, and nothing of what was done on purpose.
func IsSecure(name string) bool { return find(name).secure }

// New returns a hash of the algorithm, or an [*UnknownError] where name, which is taken as it is, is none of [Names].
func New(name string) (hash.Hash, error) {
	a := find(name)
	if a.new == nil {
		return nil, &UnknownError{name}
	}
	return a.new(), nil
}
