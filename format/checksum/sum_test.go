package checksum_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"spate/format/checksum"
)

// Digests of "abc", as RFC 1321, FIPS 180-2, the authors of BLAKE3 and iSCSI's CRC have them.
var ofABC = map[string]string{
	checksum.MD5:    "900150983cd24fb0d6963f7d28e17f72",
	checksum.SHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	checksum.SHA512: "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	checksum.BLAKE3: "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
	checksum.CRC32C: "364b3fb7",
}

func TestNew(t *testing.T) {
	if len(ofABC) != len(checksum.Names()) {
		t.Errorf("names %q", checksum.Names())
	}
	for _, name := range checksum.Names() {
		h, err := checksum.New(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(h, "abc")
		if got := hex.EncodeToString(h.Sum(nil)); got != ofABC[name] || h.Size() != checksum.Size(name) {
			t.Errorf("%s: %s, %d bytes, Size %d", name, got, h.Size(), checksum.Size(name))
		}
	}
}

// BLAKE3 is a tree of blocks of 1 KiB: the vectors of its authors about where a second one begins, over bytes that count
// from 0 to 250 again and again.
func TestBLAKE3(t *testing.T) {
	tests := []struct {
		size int
		want string
	}{
		{0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
		{1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
		{1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
		{1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
	}
	for _, test := range tests {
		h, err := checksum.New(checksum.BLAKE3)
		if err != nil {
			t.Fatal(err)
		}
		for i := range test.size {
			_, _ = h.Write([]byte{byte(i % 251)})
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != test.want {
			t.Errorf("%d bytes: %s", test.size, got)
		}
	}
}

func TestName(t *testing.T) {
	spellings := map[string][]string{
		checksum.SHA256: {"sha-256", "sha256", "SHA256", "SHA-256", "Sha2-256"},
		checksum.SHA512: {"sha-512", "sha512", "SHA512", "SHA2-512"},
		checksum.BLAKE3: {"blake3", "BLAKE3", "b3", "BLAKE-3"},
		checksum.MD5:    {"md5", "MD5", "MD-5"},
		checksum.CRC32C: {"crc32c", "CRC32C", "crc-32c"},
	}
	for want, list := range spellings {
		for _, spelling := range list {
			if got, err := checksum.Name(spelling); got != want || err != nil {
				t.Errorf("%s: %q, %v", spelling, got, err)
			}
		}
	}
	for _, spelling := range []string{"", "-", "sha", "sha1", "SHA-1", "sha384", "SHA512/256", "sha3-256", "crc32", "blake2b", "sha 256"} {
		got, err := checksum.Name(spelling)
		unknown, ok := errors.AsType[*checksum.UnknownError](err)
		if got != "" || !ok || unknown.Algorithm != spelling || !strings.HasSuffix(err.Error(), "there are sha-512, sha-256, blake3, md5, crc32c") {
			t.Errorf("%s: %q, %v", spelling, got, err)
		}
	}
}

// A name that is made up is not told in full.
func TestUnknownErrorIsShort(t *testing.T) {
	_, err := checksum.Name(strings.Repeat("\x1b", 1<<20))
	if err == nil || len(err.Error()) > 250 || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("%.999v", err)
	}
}

// Where a name is taken as it is, no other spelling is known.
func TestNamesAsTheyAre(t *testing.T) {
	for _, name := range []string{"", "sha256", "SHA-256", "sha-1"} {
		h, err := checksum.New(name)
		if _, ok := errors.AsType[*checksum.UnknownError](err); !ok || h != nil {
			t.Errorf("%q: %v, %v", name, h, err)
		}
		if checksum.Size(name) != 0 || checksum.Strength(name) != 0 || checksum.IsSecure(name) {
			t.Errorf("%q is known", name)
		}
	}
}

func TestStrength(t *testing.T) {
	names := checksum.Names()
	sorted := slices.SortedFunc(slices.Values(names), func(a, b string) int { return checksum.Strength(b) - checksum.Strength(a) })
	if !slices.Equal(names, sorted) {
		t.Errorf("names %q, by strength %q", names, sorted)
	}
	for i, name := range names {
		if checksum.Strength(name) <= 0 || checksum.IsSecure(name) != (i < 3) {
			t.Errorf("%s: strength %d, secure %v", name, checksum.Strength(name), checksum.IsSecure(name))
		}
	}
}

func TestStrongest(t *testing.T) {
	if s, ok := checksum.Strongest(nil); ok || s.Algorithm != "" {
		t.Errorf("of none: %v, %v", s, ok)
	}
	sum := func(name, value string) checksum.Sum { return checksum.Sum{Algorithm: name, Value: []byte(value)} }
	all := []checksum.Sum{sum("sha-1", ""), sum(checksum.MD5, ""), sum(checksum.SHA256, "a"), sum(checksum.CRC32C, ""), sum(checksum.SHA256, "b")}
	if s, ok := checksum.Strongest(all); !ok || !s.Equal(all[2]) {
		t.Errorf("got %v, %v", s, ok)
	}
	if s, ok := checksum.Strongest(all[:1]); !ok || s.Algorithm != "sha-1" {
		t.Errorf("of one: %v, %v", s, ok)
	}
}

func TestParse(t *testing.T) {
	hex256 := ofABC[checksum.SHA256]
	tests := []struct{ name, in, want string }{
		{"sha-256", "sha-256=" + hex256, ""},
		{"sha-512", "sha-512=" + ofABC[checksum.SHA512], ""},
		{"blake3", "blake3=" + ofABC[checksum.BLAKE3], ""},
		{"md5", "md5=" + ofABC[checksum.MD5], ""},
		{"crc32c", "crc32c=364b3fb7", ""},
		{"zeros in front stay", "crc32c=00000007", ""},
		{"spelt otherwise", "SHA256=" + hex256, "sha-256=" + hex256},
		{"colon", "sha256:" + hex256, "sha-256=" + hex256},
		{"upper case", "sha-256=" + strings.ToUpper(hex256), "sha-256=" + hex256},
		{"blanks", " sha-256 = " + hex256 + "\n", "sha-256=" + hex256},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.want == "" {
				test.want = test.in
			}
			got, err := checksum.Parse(test.in)
			if got.String() != test.want || err != nil {
				t.Fatalf("got %v, %v", got, err)
			}
			if again, err := checksum.Parse(got.String()); !again.Equal(got) || err != nil {
				t.Errorf("again: %v, %v", again, err)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	hex256 := ofABC[checksum.SHA256]
	tests := []struct{ name, in, want string }{
		{"empty", "", "no algorithm in front"},
		{"digest alone", hex256, "no algorithm in front"},
		{"algorithm alone", "sha-256", "no algorithm in front"},
		{"algorithm empty", "=" + hex256, `algorithm "" is not known`},
		{"unknown", "sha-1=" + hex256[:40], `algorithm "sha-1" is not known: there are sha-512, sha-256, blake3, md5, crc32c`},
		{"digest empty", "md5=", "md5: 0 digits where 32 are due"},
		{"n-1", "sha-256=" + hex256[1:], "63 digits where 64"},
		{"n+1", "sha-256=" + hex256 + "0", "65 digits where 64"},
		{"not hexadecimal", "sha-256=" + hex256[1:] + "g", "sha-256: not hexadecimal"},
		{"blank within", "sha-256=" + hex256[:31] + " " + hex256[32:], "not hexadecimal"},
		{"base64", "sha-256=ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "44 digits where 64"},
		{"two", "crc32c=364b3fb7,crc32c=364b3fb7", "digits where 8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := checksum.Parse(test.in)
			if err == nil || !strings.HasPrefix(err.Error(), "checksum: ") || !strings.Contains(err.Error(), test.want) || got.Value != nil {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	a := checksum.Sum{Algorithm: checksum.SHA256, Value: bytes.Repeat([]byte{1}, 32)}
	same, otherValue, otherAlgorithm := a, a, a
	otherValue.Value = bytes.Repeat([]byte{2}, 32)
	otherAlgorithm.Algorithm = checksum.BLAKE3
	if !a.Equal(same) || a.Equal(otherValue) || a.Equal(otherAlgorithm) || a.Equal(checksum.Sum{}) {
		t.Error("equality is of algorithm and value")
	}
}
