package checksum_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"spate/format/checksum"
)

var (
	a256 = ofABC[checksum.SHA256]
	b256 = strings.Repeat("0b", 32)
	a512 = ofABC[checksum.SHA512]
	aMD5 = ofABC[checksum.MD5]
)

func TestReadList(t *testing.T) {
	is := "sha-256=" + a256
	tests := []struct{ name, in, file, want string }{
		{"text", a256 + "  x.iso\n", "x.iso", is},
		{"binary", a256 + " *x.iso\n", "x.iso", is},
		{"no line end", a256 + "  x.iso", "x.iso", is},
		{"CRLF", b256 + "  y\r\n" + a256 + " *x.iso\r\n", "x.iso", is},
		{"BOM", "\uFEFF" + a256 + "  x.iso\n", "x.iso", is},
		{"upper case", strings.ToUpper(a256) + "  x.iso\n", "x.iso", is},
		{"one blank", a256 + " x.iso\n", "x.iso", is},
		{"TAB", a256 + "\tx.iso\n", "x.iso", is},
		{"columns", "  " + a256 + "     x.iso  \n", "x.iso", is},
		{"name with a star", a256 + "  *x\n" + b256 + " *x\n", "*x", is},
		{"name with blanks", b256 + "  x\n" + a256 + "  x y  z\n", "x y  z", is},
		{"among others", b256 + "  w\n" + a256 + "  x\n" + b256 + "  xx\n", "x", is},
		{"twice the same", a256 + "  x\n" + strings.ToUpper(a256) + " *./x\n", "x", is},
		{"by length: sha-512", a512 + "  x\n", "x", "sha-512=" + a512},
		{"by length: md5", aMD5 + "  x\n", "x", "md5=" + aMD5},
		{"the strongest", aMD5 + "  x\n" + a512 + "  x\n" + a256 + "  x\n", "x", "sha-512=" + a512},

		{"escaped", `\` + a256 + `  a\\b\nc\rd` + "\n", "a\\b\nc\rd", is},
		{"not escaped", a256 + `  a\nb` + "\n", `a\nb`, is},
		{"escaped, BSD", `\SHA256 (a\\b) = ` + a256, `a\b`, is},

		{"BSD", "SHA256 (x.iso) = " + a256 + "\n", "x.iso", is},
		{"BSD, openssl", "SHA2-256(x.iso)= " + a256 + "\n", "x.iso", is},
		{"BSD, no blanks", "sha-256(x)=" + a256, "x", is},
		{"BSD, name with brackets", "SHA256 (x (1).iso) = " + a256, "x (1).iso", is},
		{"BSD, name with =", "SHA256 (x) = (y) = " + a256, "x) = (y", is},
		{"BSD, blake3", "BLAKE3 (x) = " + ofABC[checksum.BLAKE3], "x", "blake3=" + ofABC[checksum.BLAKE3]},
		{"BSD, crc32c", "CRC32C (x) = 364B3FB7", "x", "crc32c=364b3fb7"},
		{"BSD, several algorithms", "MD5 (x) = " + aMD5 + "\nSHA1 (x) = 00\nSHA256 (x) = " + a256 + "\nSIZE (x) = 5\n", "x", is},

		{"bare", a256 + "\n", "x", is},
		{"bare, no line end", a256, "x", is},
		{"bare, blanks and comments", "\n# of x\r\n  " + a256 + " \r\n\r\n", "x", is},
		{"bare, from stdin", a256 + "  -\n", "x", is},
		{"bare, from stdin, binary", a256 + " *-\n", "x", is},
		{"bare, two algorithms", a256 + "\n" + a512 + "\n", "x", "sha-512=" + a512},
		{"bare beside the name", b256 + "\n" + a256 + "  x\n", "x", is},

		{"in ./", a256 + "  ./x\n", "x", is},
		{"asked for in ./", a256 + "  x\n", "./x", is},
		{"in a folder", a256 + "  dir/x\n", "x", is},
		{"in a folder, asked for", b256 + "  a/x\n" + a256 + "  b/x\n", "b/x", is},
		{"in a folder of a folder", b256 + "  c/x\n" + a256 + "  a/b/x\n", "b/x", is},
		{"in an absolute folder", a256 + " */build/x\n", "x", is},
		{"in two folders, the same", a256 + "  a/x\n" + a256 + "  b/x\n", "x", is},
		{"the name itself before that in a folder", b256 + "  old/x\n" + a256 + "  x\n" + b256 + "  older/x\n", "x", is},
		{"contradiction about another", b256 + "  y\n" + a256 + "  y\n" + a256 + "  x\n", "x", is},
		{"broken line about another", "SHA256 (y) = 00\n" + a256 + "  x\n", "x", is},
		{"unknown algorithm beside", "SHA1 (x) = 00\n" + a256 + "  x\n", "x", is},
		{"what says nothing", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n; c\n<html>\nabc x\n" + a256 + "x\n\x00\xff\n" +
			"SHA256 x = " + b256 + "\n () = \n=\n" + a256 + "  x\n-----BEGIN PGP SIGNATURE-----\n\niQ=\n=abcd\n", "x", is},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in))} {
				got, err := checksum.ReadList(r, test.file)
				if err != nil || got.String() != test.want {
					t.Errorf("got %v, %v; want %s", got, err, test.want)
				}
			}
		})
	}
}

func TestReadListErrors(t *testing.T) {
	sha1 := a256[:40]
	tests := []struct {
		name, in string
		line     int // 0: not listed
		msg      string
	}{
		{"empty", "", 0, ""},
		{"another name", a256 + "  y\n", 0, ""},
		{"a name that ends so", a256 + "  yx\n", 0, ""},
		{"a folder of that name", a256 + "  x/y\n", 0, ""},
		{"another case", a256 + "  X\n", 0, ""},
		{"bare beside other names", a256 + "\n" + b256 + "  y\n", 0, ""},
		{"bare within a page", "<pre>\n" + a256 + "\n</pre>\n", 0, ""},
		{"fewer than eight digits are a word", "deadbee  x\n", 0, ""},
		{"what is never escaped so", `\` + a256 + `  \x` + "\n\\" + a256 + "  x\\\n", 0, ""},
		{"two", a256 + "  x\n" + b256 + " *x\n", 2, "sha-256 is " + b256 + ", and was " + a256 + " before"},
		{"two, a stronger one beside", a256 + "  x\n" + a512 + "  x\n" + b256 + "  x\n", 3, "before"},
		{"two, by tag and by length", "SHA256 (x) = " + a256 + "\n" + b256 + "  x\n", 2, "before"},
		{"three", a256 + "  x\n" + b256 + "  x\n" + a256 + "  x\n", 2, "before"},
		{"two in folders", a256 + "  a/x\n\n" + b256 + "  b/x\n", 3, "before"},
		{"two bare", a256 + "\n" + b256 + "\n", 2, "before"},
		{"n-1", a256[1:] + "  x\n", 1, "63 digits"},
		{"n+1", a256 + "0  x\n", 1, "65 digits"},
		{"eight digits", "deadbeef  x\n", 1, "8 digits"},
		{"bare, unknown", sha1 + "\n", 1, "40 digits"},
		{"unknown by length", "\n" + sha1 + "  x\n" + sha1 + "  x\n", 2, "40 digits"},
		{"unknown by tag", "SHA1 (x) = " + sha1 + "\n", 1, `"SHA1" is not known: there are`},
		{"tag and length do not fit", "SHA256 (x) = " + aMD5 + "\n", 1, "sha-256: 32 digits where 64 are due"},
		{"not hexadecimal", "MD5 (x) = " + strings.Repeat("g", 32) + "\n", 1, "md5: not hexadecimal"},
		{"long line", a256 + "  x\n" + strings.Repeat("y", checksum.MaxLine+1), 2, "line of more than 65536 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := checksum.ReadList(strings.NewReader(test.in), "x")
			bad, ok := errors.AsType[*checksum.ListError](err)
			switch {
			case test.line == 0 && !errors.Is(err, checksum.ErrNotListed):
				t.Errorf("got %v, %v; want that it is not listed", got, err)
			case test.line > 0 && (!ok || bad.Line != test.line || !strings.Contains(err.Error(), test.msg)):
				t.Errorf("got %v, %v; want line %d: %s", got, err, test.line, test.msg)
			}
		})
	}
}

// A list that was cut could have contradicted behind the cut.
func TestReadListIsCut(t *testing.T) {
	for _, in := range []string{"", a256 + "  x\n", a256 + "  x\n" + b256 + "  x.i"} {
		r := io.MultiReader(strings.NewReader(in), iotest.ErrReader(io.ErrUnexpectedEOF))
		got, err := checksum.ReadList(r, "x")
		line := fmt.Sprintf("checksums line %d: ", strings.Count(in, "\n")+1)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(err.Error(), line) || got.Value != nil {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func TestListLimits(t *testing.T) {
	entry := a256 + "  x\n"
	filler := "#" + strings.Repeat("y", checksum.MaxLine-1) + "\n"
	list := func(size int) io.Reader {
		return io.MultiReader(strings.NewReader(entry), io.LimitReader(&repeat{text: filler}, int64(size-len(entry))))
	}
	if got, err := checksum.ReadList(list(checksum.MaxList), "x"); err != nil || got.String() != "sha-256="+a256 {
		t.Errorf("n: %v, %v", got, err)
	}
	for name, r := range map[string]io.Reader{"n+1": list(checksum.MaxList + 1), "endless": &repeat{text: filler}} {
		_, err := checksum.ReadList(r, "x")
		if bad, ok := errors.AsType[*checksum.ListError](err); !ok || !strings.Contains(bad.Error(), "list of more than 67108864 bytes") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// repeat reads as text over and over.
type repeat struct {
	text string
	off  int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.off:])
	r.off = (r.off + n) % len(r.text)
	return n, nil
}
