package sequence_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"spate/format/sequence"
)

func TestWriter(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"no files", nil, ""},
		{"the lab's example", []string{"6.009", "rules!"}, lab},
		{"empty files", []string{"", "a", ""}, "\x00\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x00\x00"},
		{"every octet of a length counts", []string{strings.Repeat("x", 258)}, "\x00\x00\x01\x02" + strings.Repeat("x", 258)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var b strings.Builder
			w := sequence.NewWriter(&b)
			for _, f := range test.files {
				if err := w.WriteFile(uint32(len(f)), strings.NewReader(f)); err != nil {
					t.Fatal(err)
				}
			}
			if b.String() != test.want {
				t.Errorf("got %q, want %q", b.String(), test.want)
			}
		})
	}
}

func TestWriterErrors(t *testing.T) {
	lost := errors.New("connection lost")
	tests := []struct {
		name    string
		size    uint32
		r       io.Reader
		want    error
		written string
	}{
		{"one byte fewer", 4, strings.NewReader("abc"), io.ErrUnexpectedEOF, "\x00\x00\x00\x04abc"},
		{"none of one", 1, strings.NewReader(""), io.ErrUnexpectedEOF, "\x00\x00\x00\x01"},
		{"one byte more", 2, strings.NewReader("abc"), sequence.ErrTooLong, "\x00\x00\x00\x02ab"},
		{"one of none", 0, strings.NewReader("a"), sequence.ErrTooLong, "\x00\x00\x00\x00"},
		{"broken", 3, io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(lost)), lost, "\x00\x00\x00\x03ab"},
		{"broken at the end", 2, io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(lost)), lost, "\x00\x00\x00\x02ab"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var b strings.Builder
			w := sequence.NewWriter(&b)
			if err := w.WriteFile(0, strings.NewReader("")); err != nil {
				t.Fatal(err)
			}
			err := w.WriteFile(test.size, test.r)
			if !errors.Is(err, test.want) || !strings.HasPrefix(err.Error(), "write sequence file 2: ") {
				t.Errorf("got %v", err)
			}
			if again := w.WriteFile(0, strings.NewReader("")); again != err {
				t.Errorf("then: %v", again)
			}
			if got := b.String(); got != "\x00\x00\x00\x00"+test.written {
				t.Errorf("wrote %q", got)
			}
		})
	}
}

// A writer can fail in the length and in the body.
func TestWriterWriteError(t *testing.T) {
	full := errors.New("disk full")
	for room := range 8 {
		left := room
		w := sequence.NewWriter(writes(func(p []byte) (int, error) {
			n := min(left, len(p))
			if left -= n; n < len(p) {
				return n, full
			}
			return n, nil
		}))
		if err := w.WriteFile(4, strings.NewReader("abcd")); !errors.Is(err, full) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
}
