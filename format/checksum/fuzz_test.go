package checksum_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"spate/format/checksum"
)

// What is parsed is a digest of its algorithm, and is read back as it was.
func FuzzParse(f *testing.F) {
	for name, digits := range ofABC {
		f.Add(name + "=" + digits)
	}
	f.Add("SHA2-256 : " + a256)
	f.Add("sha-1=" + a256[:40])
	f.Fuzz(func(t *testing.T, in string) {
		s, err := checksum.Parse(in)
		if err != nil {
			return
		}
		checkSum(t, s)
		if again, err := checksum.Parse(s.String()); err != nil || !again.Equal(s) {
			t.Errorf("%v became %v, %v", s, again, err)
		}
	})
}

func checkSum(t *testing.T, s checksum.Sum) {
	t.Helper()
	if len(s.Value) == 0 || len(s.Value) != checksum.Size(s.Algorithm) {
		t.Errorf("%v", s)
	}
}

// Whatever a list holds: in pieces it says the same, what it says are digits of it, and no list gives a sum that
// one more line contradicts.
func FuzzReadList(f *testing.F) {
	for _, in := range []string{
		"", a256, a256 + "  x\n", a256 + " *a/x\r\n" + b256 + "  b/x\n", "SHA256 (x) = " + a256 + "\nMD5 (x)= " + aMD5, `\` + a256 + `  \\\nx`,
		"\uFEFF" + a512 + "  -\n", "SHA1 (x) = 00\n(x) =\n# \n" + a256[1:] + "  x",
	} {
		f.Add([]byte(in), "x")
	}
	f.Fuzz(func(t *testing.T, in []byte, name string) {
		s, err := checksum.ReadList(bytes.NewReader(in), name)
		pieces, e := checksum.ReadList(iotest.HalfReader(bytes.NewReader(in)), name)
		if fmt.Sprint(e) != fmt.Sprint(err) || !pieces.Equal(s) {
			t.Errorf("in pieces %v, %v; whole %v, %v", pieces, e, s, err)
		}
		if err != nil {
			return
		}
		checkSum(t, s)
		digits := strings.TrimPrefix(s.String(), s.Algorithm+"=")
		if !strings.Contains(strings.ToLower(string(in)), digits) {
			t.Errorf("%v is made up", s)
		}
		if text, ok := contradiction(name, s); ok {
			if got, err := checksum.ReadList(bytes.NewReader(append(in, text...)), name); err == nil && got.Equal(s) {
				t.Errorf("%v in spite of %q", got, text)
			}
		}
	})
}

// contradiction is a line with another sum of the name; false for a name that cannot be written so.
func contradiction(name string, s checksum.Sum) (line string, ok bool) {
	if name == "" || name == "-" || strings.Contains(name, "\n") || len(name) > 1000 {
		return "", false
	}
	other := bytes.Clone(s.Value)
	other[0]++
	return fmt.Sprintf("\n%s (%s) = %x\n", s.Algorithm, name, other), true
}
