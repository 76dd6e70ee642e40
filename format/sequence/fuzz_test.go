package sequence_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/format/sequence"
)

// Whatever a stream holds: in pieces it reads the same, and the whole files written anew are the stream as far as they
// go. Either that is all of it, or it is cut.
func FuzzReader(f *testing.F) {
	for _, in := range []string{"", "\x00\x00\x00\x00", lab, lab[:3], lab[:18], largest + "x", lab + largest} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		files, err := all(bytes.NewReader(in))
		for name, r := range pieces(in) {
			got, e := all(r)
			if diff := cmp.Diff(files, got); diff != "" || fmt.Sprint(e) != fmt.Sprint(err) {
				t.Errorf("%s: %v, whole %v\n%s", name, e, err, diff)
			}
		}
		again := write(t, files)
		if !bytes.HasPrefix(in, again) {
			t.Errorf("%q became %q", in, again)
		}
		cut, ok := errors.AsType[*sequence.CutError](err)
		if whole := len(again) == len(in); whole != (err == nil) || whole == ok {
			t.Errorf("%d of %d bytes, %v", len(again), len(in), err)
		}
		if ok && (cut.Index != len(files)+1 || !errors.Is(err, io.ErrUnexpectedEOF)) {
			t.Errorf("%d files, %v", len(files), err)
		}
		checkSkip(t, in, len(files), err)
	})
}

// checkSkip passes all files by and compares how that ends.
func checkSkip(t *testing.T, in []byte, files int, want error) {
	t.Helper()
	s := sequence.NewReader(bytes.NewReader(in))
	var f *sequence.File
	var err error
	n := -1
	for ; err == nil; n++ {
		f, err = s.Next()
	}
	if want == nil {
		want = io.EOF
	}
	cut, ok := errors.AsType[*sequence.CutError](err)
	if ok && cut.Missing >= 0 {
		n-- // the cut file had been returned, too
	}
	if n != files || err.Error() != want.Error() || f != nil {
		t.Errorf("passed %d of %d files by: %v, want %v", n, files, err, want)
	}
}

func write(t *testing.T, files []string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := sequence.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteFile(uint32(len(f)), strings.NewReader(f)); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// What is written is read back.
func FuzzWriter(f *testing.F) {
	f.Add("6.009|rules!", "|")
	f.Add("||", "|")
	f.Add("a\x00b\x00", "\x00")
	f.Fuzz(func(t *testing.T, in, sep string) {
		files := strings.Split(in, sep)
		got, err := all(bytes.NewReader(write(t, files)))
		if len(files) == 0 {
			files = nil
		}
		if diff := cmp.Diff(files, got); diff != "" || err != nil {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
