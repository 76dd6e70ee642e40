package sequence_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/sequence"
)

// all reads every file whole.
func all(r io.Reader) (files []string, err error) {
	s := sequence.NewReader(r)
	for {
		f, err := s.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return files, err
		}
		body, err := io.ReadAll(f)
		if err != nil {
			return files, err
		}
		files = append(files, string(body))
	}
}

// lab is the example of the lab sheet, section 2.3.
const lab = "\x00\x00\x00\x05\x36\x2E\x30\x30\x39\x00\x00\x00\x06\x72\x75\x6C\x65\x73\x21"

func TestReader(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"no files", "", nil},
		{"the lab's example", lab, []string{"6.009", "rules!"}},
		{"empty file", "\x00\x00\x00\x00", []string{""}},
		{"empty files among others", "\x00\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00", []string{"", "a", "", ""}},
		{"every octet of a length counts", "\x00\x00\x01\x02" + strings.Repeat("x", 258), []string{strings.Repeat("x", 258)}},
		{"a sequence in a sequence", "\x00\x00\x00\x05\x00\x00\x00\x01a", []string{"\x00\x00\x00\x01a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for name, r := range pieces([]byte(test.in)) {
				got, err := all(r)
				if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
					t.Errorf("%s: %v\n%s", name, err, diff)
				}
			}
		})
	}
}

// pieces are the ways in which a stream can arrive.
func pieces(in []byte) map[string]io.Reader {
	return map[string]io.Reader{
		"whole":         bytes.NewReader(in),
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(in)),
		"half":          iotest.HalfReader(bytes.NewReader(in)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(in)),
	}
}

// A sequence is cut at every place in turn: it ends well between two files and nowhere else.
func TestReaderCut(t *testing.T) {
	for cut := range len(lab) {
		for name, r := range pieces([]byte(lab[:cut])) {
			_, err := all(r)
			if want := cutAt(cut); fmt.Sprint(err) != want {
				t.Errorf("cut at %d, %s: %v\nwant %v", cut, name, err, want)
			}
			if bad, ok := errors.AsType[*sequence.CutError](err); ok != errors.Is(err, io.ErrUnexpectedEOF) || ok != (err != nil) {
				t.Errorf("cut at %d, %s: error %#v", cut, name, bad)
			}
		}
	}
}

// cutAt is the error of lab, cut there.
func cutAt(n int) string {
	index, from, size := 1, 0, 5
	if n >= 9 {
		index, from, size = 2, 9, 6
	}
	switch into := n - from; {
	case into == 0:
		return "<nil>"
	case into < 4:
		return fmt.Sprintf("sequence file %d: cut in its length: unexpected EOF", index)
	default:
		return fmt.Sprintf("sequence file %d: %d bytes missing: unexpected EOF", index, size-(into-4))
	}
}

// Next skips what was not read of a file, be it all, some or nothing.
func TestNextSkips(t *testing.T) {
	for read := range 6 {
		s := sequence.NewReader(strings.NewReader(lab))
		f, err := s.Next()
		if err != nil || f.Index != 1 || f.Size != 5 {
			t.Fatalf("%+v, %v", f, err)
		}
		if _, err := io.ReadFull(f, make([]byte, read)); err != nil {
			t.Fatal(err)
		}
		g, err := s.Next()
		if err != nil || g.Index != 2 || g.Size != 6 {
			t.Fatalf("behind %d bytes: %+v, %v", read, g, err)
		}
		if n, err := f.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
			t.Errorf("a file that is over: %d, %v", n, err)
		}
		if body, err := io.ReadAll(g); string(body) != "rules!" || err != nil {
			t.Errorf("behind %d bytes: %q, %v", read, body, err)
		}
		for range 2 {
			if _, err := s.Next(); err != io.EOF {
				t.Errorf("at the end: %v", err)
			}
		}
	}
}

// A cut is noticed by Next too, where the file was not read, and named by the file that is cut.
func TestNextSkipsIntoCut(t *testing.T) {
	s := sequence.NewReader(strings.NewReader(lab[:7]))
	if _, err := s.Next(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Next()
	if cut, ok := errors.AsType[*sequence.CutError](err); !ok || cut.Index != 1 || cut.Missing != 2 {
		t.Errorf("got %v", err)
	}
	if _, again := s.Next(); again != err {
		t.Errorf("then: %v", again)
	}
}

func TestReadErrors(t *testing.T) {
	lost := errors.New("connection lost")
	tests := []struct {
		name  string
		n     int // bytes of lab before the error
		err   error
		files int // that are whole
		want  string
	}{
		{"at once", 0, lost, 0, "sequence file 1: connection lost"},
		{"in a length", 2, lost, 0, "sequence file 1: connection lost"},
		{"behind a length", 4, lost, 0, "sequence file 1: connection lost"},
		{"in a body", 5, lost, 0, "sequence file 1: connection lost"},
		{"behind a body", 9, lost, 1, "sequence file 2: connection lost"},
		{"in the last body", 18, lost, 1, "sequence file 2: connection lost"},
		{"at the end", 19, lost, 2, "sequence file 3: connection lost"},
		{"cut in a body", 8, io.ErrUnexpectedEOF, 0, "sequence file 1: 1 bytes missing: unexpected EOF"},
		{"cut between files", 9, io.ErrUnexpectedEOF, 1, "sequence file 2: cut in its length: unexpected EOF"},
		{"end that is not clean", 9, fmt.Errorf("odd: %w", io.EOF), 1, "sequence file 2: odd: EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			in := func() io.Reader { return strings.NewReader(lab[:test.n]) }
			for name, r := range map[string]io.Reader{
				"after the data": io.MultiReader(in(), iotest.ErrReader(test.err)),
				"with the data":  iotest.DataErrReader(io.MultiReader(in(), iotest.ErrReader(test.err))),
			} {
				files, err := all(r)
				if len(files) != test.files || !errors.Is(err, test.err) || err.Error() != test.want {
					t.Errorf("%s: %d files, %v; want %d, %v", name, len(files), err, test.files, test.want)
				}
			}
		})
	}
}

// A Reader stands exactly behind the file that was read.
func TestReaderReadsNothingAhead(t *testing.T) {
	in := strings.NewReader(lab)
	s := sequence.NewReader(in)
	f, err := s.Next()
	if err != nil || in.Len() != 15 {
		t.Fatalf("behind the length: %d bytes left, %v", in.Len(), err)
	}
	if _, err := io.ReadAll(f); err != nil || in.Len() != 10 {
		t.Errorf("behind the file: %d bytes left, %v", in.Len(), err)
	}
}

func TestFileIsAReader(t *testing.T) {
	for _, size := range []int{0, 1, 1000} {
		body := bytes.Repeat([]byte("0123456789"), 100)[:size]
		in := []byte{0, 0, byte(size >> 8), byte(size)}
		in = append(append(in, body...), "\x00\x00\x00\x01x"...)
		for name, r := range pieces(in) {
			f, err := sequence.NewReader(r).Next()
			if err != nil {
				t.Fatal(err)
			}
			if err := iotest.TestReader(f, body); err != nil {
				t.Errorf("%d bytes, %s: %v", size, name, err)
			}
		}
	}
}

func TestFileWriteTo(t *testing.T) {
	s := sequence.NewReader(strings.NewReader(lab))
	f, _ := s.Next()
	if _, err := io.ReadFull(f, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if n, err := f.WriteTo(&b); n != 3 || err != nil || b.String() != "009" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
	if n, err := f.WriteTo(&b); n != 0 || err != nil {
		t.Errorf("at the end: %d, %v", n, err)
	}
	full := errors.New("disk full")
	f, _ = s.Next()
	if _, err := f.WriteTo(writes(func([]byte) (int, error) { return 0, full })); err != full {
		t.Errorf("got %v", err)
	}
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("after a writer failed: %v", err)
	}
}

// writes is a function that is a Writer.
type writes func(p []byte) (int, error)

func (f writes) Write(p []byte) (int, error) { return f(p) }
