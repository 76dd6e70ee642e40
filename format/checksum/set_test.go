package checksum_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"spate/format/checksum"
)

func parse(t *testing.T, text string) checksum.Sum {
	t.Helper()
	s, err := checksum.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSet(t *testing.T) {
	var s checksum.Set
	for name, digits := range ofABC {
		if err := s.Expect(parse(t, name+"="+digits)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Verify(); !errors.Is(err, checksum.ErrMismatch) {
		t.Errorf("of no bytes: %v", err)
	}
	for _, text := range []string{"a", "", "bc"} {
		if n, err := io.WriteString(&s, text); n != len(text) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	for range 2 {
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
	}
	for name, digits := range ofABC {
		if sum, ok := s.Sum(name); !ok || sum.String() != name+"="+digits {
			t.Errorf("%v, %v", sum, ok)
		}
	}
	_, _ = io.WriteString(&s, "d")
	if err := s.Verify(); !errors.Is(err, checksum.ErrMismatch) {
		t.Errorf("of other bytes: %v", err)
	}
}

// What is only computed is not compared.
func TestSetOfNoPromise(t *testing.T) {
	var s checksum.Set
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	if n, err := s.Write([]byte("abc")); n != 3 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	s = checksum.Set{}
	for range 2 {
		if err := s.Compute(checksum.SHA256); err != nil {
			t.Error(err)
		}
	}
	_, _ = io.WriteString(&s, "abc")
	if sum, ok := s.Sum(checksum.SHA256); !ok || sum.String() != "sha-256="+ofABC[checksum.SHA256] {
		t.Errorf("%v, %v", sum, ok)
	}
	if sum, ok := s.Sum(checksum.MD5); ok || sum.Value != nil {
		t.Errorf("%v, %v", sum, ok)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// Of several digests that differ, the strongest is told.
func TestMismatch(t *testing.T) {
	zeros := func(name string) checksum.Sum {
		return checksum.Sum{Algorithm: name, Value: make([]byte, checksum.Size(name))}
	}
	var s checksum.Set
	for _, sum := range []checksum.Sum{zeros(checksum.CRC32C), zeros(checksum.SHA256), zeros(checksum.MD5), parse(t, "sha-512="+ofABC[checksum.SHA512])} {
		if err := s.Expect(sum); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(&s, "abc")
	err := s.Verify()
	bad, ok := errors.AsType[*checksum.MismatchError](err)
	if !ok || bad.Algorithm != checksum.SHA256 || !bytes.Equal(bad.Want, make([]byte, 32)) || !errors.Is(err, checksum.ErrMismatch) {
		t.Fatalf("got %v", err)
	}
	want := "the bytes do not have the promised digest: sha-256 is " + ofABC[checksum.SHA256] + ", promised was " + strings.Repeat("0", 64)
	if err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestExpectErrors(t *testing.T) {
	var s checksum.Set
	sum := parse(t, "sha-256="+ofABC[checksum.SHA256])
	if err := s.Expect(sum); err != nil {
		t.Fatal(err)
	}
	if err := s.Expect(sum); err != nil {
		t.Errorf("the same again: %v", err)
	}
	other := checksum.Sum{Algorithm: sum.Algorithm, Value: make([]byte, 32)}
	bad := []checksum.Sum{other, {}, {Algorithm: "sha-1", Value: make([]byte, 20)}, {Algorithm: checksum.SHA256}, {Algorithm: checksum.MD5, Value: make([]byte, 17)}}
	for _, b := range bad {
		if err := s.Expect(b); err == nil || !strings.HasPrefix(err.Error(), "checksum: ") {
			t.Errorf("%v: %v", b, err)
		}
	}
	if err := s.Compute("sha256"); err == nil {
		t.Error("a name that is none")
	}
	_, _ = io.WriteString(&s, "abc")
	if err := s.Verify(); err != nil { // what was refused does not count
		t.Error(err)
	}
}

// Behind the first byte no algorithm is added, but of one that is computed a digest may still be promised.
func TestExpectLater(t *testing.T) {
	var s checksum.Set
	if err := s.Compute(checksum.MD5); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(&s, "a")
	if err := s.Expect(parse(t, "sha-256="+ofABC[checksum.SHA256])); err == nil {
		t.Error("promised behind bytes that were not hashed")
	}
	if err := s.Compute(checksum.SHA256); err == nil {
		t.Error("computed from the middle")
	}
	_, _ = io.WriteString(&s, "bc")
	if err := s.Expect(parse(t, "md5="+ofABC[checksum.MD5])); err != nil {
		t.Error(err)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// What was promised is kept, whatever becomes of the caller's slice.
func TestExpectCopies(t *testing.T) {
	var s checksum.Set
	sum := parse(t, "md5="+ofABC[checksum.MD5])
	if err := s.Expect(sum); err != nil {
		t.Fatal(err)
	}
	clear(sum.Value)
	_, _ = io.WriteString(&s, "abc")
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// After Reset it is as before the first byte.
func TestReset(t *testing.T) {
	var s checksum.Set
	if err := errors.Join(s.Compute(checksum.MD5), s.Expect(parse(t, "sha-256="+ofABC[checksum.SHA256]))); err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(&s, "something else")
	s.Reset()
	if err := s.Compute(checksum.BLAKE3); err != nil {
		t.Error(err)
	}
	_, _ = io.WriteString(&s, "abc")
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
	for i, name := range []string{checksum.MD5, checksum.SHA256, checksum.BLAKE3} {
		if sums := s.Sums(); len(sums) != 3 || sums[i].String() != name+"="+ofABC[name] {
			t.Errorf("%v", sums)
		}
	}
}
