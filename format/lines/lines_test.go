package lines_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/lines"
	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// all reads to the end, which is nil for io.EOF.
func all(r *lines.Reader) (list []string, err error) {
	for {
		line, err := r.Next()
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return list, err
		}
		list = append(list, string(line))
	}
}

func TestReader(t *testing.T) {
	x := strings.Repeat("x", lines.Max)
	tests := []struct {
		name, in string
		want     []string
		bad      int // number of the line that is too long; 0: none
	}{
		{"empty", "", nil, 0},
		{"no line end", "a", []string{"a"}, 0},
		{"one line", "a\n", []string{"a"}, 0},
		{"empty lines", "\n\na\n\n", []string{"", "", "a", ""}, 0},
		{"CRLF", "a\r\nb\r\n", []string{"a", "b"}, 0},
		{"CR at the end", "a\r", []string{"a"}, 0},
		{"CR CR LF", "a\r\r\n", []string{"a\r"}, 0},
		{"CR within", "a\rb\n", []string{"a\rb"}, 0},
		{"BOM", "\uFEFFa\n", []string{"a"}, 0},
		{"BOM alone", "\uFEFF", []string{""}, 0},
		{"BOM twice", "\uFEFF\uFEFFa", []string{"\uFEFFa"}, 0},
		{"BOM later", "a\n\uFEFFb", []string{"a", "\uFEFFb"}, 0},
		{"NUL", "a\x00b\n", []string{"a\x00b"}, 0},
		{"n-1", x[1:], []string{x[1:]}, 0},
		{"n", x, []string{x}, 0},
		{"n, LF", x + "\n", []string{x}, 0},
		{"n, CRLF, behind a BOM", "\uFEFF" + x + "\r\nb", []string{x, "b"}, 0},
		{"n, often", x + "\n" + x + "\r\n" + x, []string{x, x, x}, 0},
		{"n+1", x + "x", nil, 1},
		{"n+1, LF", "a\n" + x + "x\nb", []string{"a"}, 2},
		{"n+1, CRLF", x + "x\r\n", nil, 1},
		{"n, CR CR LF", x + "\r\r\n", nil, 1},
		{"n, BOM later", "\n\uFEFF" + x, []string{""}, 2},
		{"n+1 behind a BOM", "\uFEFF" + x + "x\r\n", nil, 1},
		{"10 n", x + x + x + x + x + x + x + x + x + x, nil, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for name, in := range pieces([]byte(test.in)) {
				r := lines.NewReader(in)
				got, err := all(r)
				if diff := cmp.Diff(test.want, got); diff != "" || (err != nil) != (test.bad > 0) {
					t.Errorf("%s: %v\n%s", name, err, diff)
				}
				if test.bad > 0 && (r.Num() != test.bad || !errors.Is(err, lines.ErrTooLong)) {
					t.Errorf("%s: line %d: %v", name, r.Num(), err)
				}
			}
		})
	}
}

// pieces are the ways in which a text can arrive.
func pieces(in []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":         bytes.NewReader(in),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(in)),
		"half":          iotest.HalfReader(bytes.NewReader(in)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(in)),
	}
}

// What comes of the text before an error are whole lines.
func TestReadErrors(t *testing.T) {
	lost := errors.New("connection lost")
	tests := []struct {
		name, in string
		err      error
		want     []string
		num      int
	}{
		{"at once", "", lost, nil, 1},
		{"in a line", "a\nb", lost, []string{"a"}, 2},
		{"in a line end", "a\nb\r", lost, []string{"a"}, 2},
		{"behind a line", "a\nb\n", lost, []string{"a", "b"}, 3},
		{"cut", "a\nb", io.ErrUnexpectedEOF, []string{"a"}, 2},
		{"end that is not clean", "a\nb", fmt.Errorf("odd: %w", io.EOF), []string{"a"}, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for name, in := range pieces([]byte(test.in)) {
				r := lines.NewReader(io.MultiReader(in, iotest.ErrReader(test.err)))
				got, err := all(r)
				if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, test.err) || r.Num() != test.num {
					t.Errorf("%s: line %d: %v\n%s", name, r.Num(), err, diff)
				}
				if _, again := r.Next(); again != err || r.Num() != test.num {
					t.Errorf("%s: then line %d: %v", name, r.Num(), again)
				}
			}
		})
	}
}

// An error that arrives together with bytes does not lose the whole lines among them, nor keep the cut one.
func TestErrorWithBytes(t *testing.T) {
	lost := errors.New("connection lost")
	got, err := all(lines.NewReader(reads(func(p []byte) (int, error) { return copy(p, "a\nb\nc"), lost })))
	if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" || err != lost {
		t.Errorf("%v\n%s", err, diff)
	}
}

// reads is a function that is a Reader.
type reads func(p []byte) (int, error)

func (f reads) Read(p []byte) (int, error) { return f(p) }

// A line that never ends is given up soon behind its limit.
func TestEndlessLine(t *testing.T) {
	var read int
	endless := reads(func(p []byte) (int, error) {
		read += len(p)
		return len(p), nil
	})
	if _, err := lines.NewReader(endless).Next(); err != lines.ErrTooLong || read > lines.Max+16 {
		t.Errorf("%d bytes read: %v", read, err)
	}
}

// Next asks for no byte behind the line.
func TestLazy(t *testing.T) {
	r := lines.NewReader(io.MultiReader(strings.NewReader("a\n"), iotest.ErrReader(errors.New("asked for more"))))
	if line, err := r.Next(); string(line) != "a" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
}
