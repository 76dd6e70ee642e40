package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"spate"
)

func TestLimitedReader(t *testing.T) {
	for _, tt := range []struct {
		limit int64
		want  string
		over  bool
	}{{1, "1", true}, {4, "1234", true}, {5, "12345", false}, {6, "12345", false}} {
		for _, r := range []io.Reader{strings.NewReader("12345"), iotest.OneByteReader(strings.NewReader("12345")),
			iotest.DataErrReader(strings.NewReader("12345"))} {
			var b bytes.Buffer
			_, err := io.Copy(&b, &limitedReader{r: r, left: tt.limit, err: spate.ErrLimit})
			if b.String() != tt.want || errors.Is(err, spate.ErrLimit) != tt.over || !tt.over && err != nil {
				t.Errorf("limit %d of 5, %T: %q, %v", tt.limit, r, &b, err)
			}
		}
	}
}

func TestLimitedReaderKeepsErrors(t *testing.T) {
	broken := errors.New("broken")
	r := io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(broken))
	if _, err := io.ReadAll(&limitedReader{r: r, left: 5, err: spate.ErrLimit}); !errors.Is(err, broken) {
		t.Errorf("%v, want %v: it is not known that there is more", err, broken)
	}
}

func TestTextOnly(t *testing.T) {
	late := strings.Repeat("x", sniffLen)
	for _, tt := range []struct {
		name string
		text string
		ok   bool
	}{
		{"empty", "", true},
		{"text", "a\tb\r\nc\f\b\n", true},
		{"colours", "\x1b[31mred\x1b[0m", true},
		{"UTF-8", "héllo, 世界 🎈", true},
		{"a NUL", "a\x00b", false},
		{"a bell", "a\ab", false},
		{"delete", "a\x7fb", false},
		{"Latin-1", "h\xe9llo", false},
		{"PNG", "\x89PNG\r\n\x1a\n", false},
		{"an overlong form", "\xc0\x80", false},
		{"binary at the last place looked at", late[1:] + "\x00", false},
		{"binary behind it", late + "\x00", true},
		{"a character across it", late[1:] + "é", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []int{1, 2, 3, len(tt.text) + 1} {
				var b bytes.Buffer
				err := copyInSteps(&textOnly{w: &b}, tt.text, step)
				if (err == nil) != tt.ok {
					t.Fatalf("in steps of %d: %v", step, err)
				}
				if tt.ok && b.String() != tt.text {
					t.Errorf("in steps of %d: changed", step)
				}
				if !strings.HasPrefix(tt.text, b.String()) {
					t.Errorf("in steps of %d: wrote %q", step, &b)
				}
			}
		})
	}
}

func copyInSteps(w io.Writer, text string, step int) error {
	for len(text) > 0 {
		n := min(step, len(text))
		if _, err := io.WriteString(w, text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}
