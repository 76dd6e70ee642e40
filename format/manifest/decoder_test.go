package manifest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/manifest"
)

// all decodes to the end and tells where each part left off.
func all(d *manifest.Decoder) (parts []manifest.Part, next []int, err error) {
	for {
		p, err := d.Next()
		if err == io.EOF {
			return parts, next, nil
		}
		if err != nil {
			return parts, next, err
		}
		_, line := d.Pos()
		parts, next = append(parts, p), append(next, line)
	}
}

// spell writes parts as "line*: alternative alternative @end; …", the star if cacheable.
func spell(parts []manifest.Part) string {
	var list []string
	for _, p := range parts {
		star := ""
		if p.Cacheable {
			star = "*"
		}
		list = append(list, fmt.Sprintf("%d%s: %s @%d", p.Line, star, strings.Join(p.Alternatives, " "), p.End))
	}
	return strings.Join(list, "; ")
}

func TestDecoder(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty manifest", "", ""},
		{"one part, no line end", "a", "1: a @1"},
		{"one part", "a\n", "1: a @2"},
		{"CRLF", "a\r\n--\r\nb\r\n", "1: a @7; 3: b @10"},
		{"LF and CRLF mixed", "a\r\n--\nb", "1: a @6; 3: b @7"},
		{"CR at the very end", "a\r\n--\r\nb\r", "1: a @7; 3: b @9"},
		{"CR CR LF", "a\r\r\n--\r\r\nb", "1: a @9; 3: b @10"},
		{"lone CR is no line end", "a\r--\rb\n", "1: a\r--\rb @7"},
		{"alternatives", "a\nb\nc\n--\nd\n", "1: a b c @9; 5: d @11"},
		{"BOM", "\uFEFFa\n--\nb", "1: a @8; 3: b @9"},
		{"BOM before a separator", "\uFEFF--\nb", "2: b @7"},
		{"BOM alone", "\uFEFF", ""},
		{"BOM twice", "\uFEFF\uFEFFa", "1: \uFEFFa @7"},
		{"BOM on a later line", "a\n\uFEFFb", "1: a \uFEFFb @6"},
		{"BOM on a later separator", "a\n\uFEFF--\n", "1: a \uFEFF-- @8"},
		{"BOM behind a blank", " \uFEFFa", "1: \uFEFFa @5"},
		{"half a BOM", "\xef\xbba", "1: \xef\xbba @3"},
		{"surrounding blanks", " \ta \t\n\t--  \n b", "1: a @12; 3: b @14"},
		{"inner blanks stay", "a b\t c\n", "1: a b\t c @7"},
		{"other spaces are no blanks", "\u00a0a\v\n", "1: \u00a0a\v @5"},
		{"blank lines", "\n \n\na\n\nb\n\t\n--\n\nc\n\n", "4: a b @14; 10: c @18"},
		{"only blank lines", "\n\n \r\n", ""},
		{"separator alone", "--", ""},
		{"separators alone", "--\n--\n--\n", ""},
		{"leading separator", "--\na", "2: a @4"},
		{"trailing separator", "a\n--\n", "1: a @5"},
		{"trailing separator, no line end", "a\n--", "1: a @4"},
		{"trailing separator and blanks", "a\n--\n\n \n", "1: a @5"},
		{"part without any line", "a\n--\n--\nb\n", "1: a @5; 4: b @10"},
		{"part of blank lines", "a\n--\n\n\n--\nb\n", "1: a @5; 6: b @12"},
		{"three hyphens", "a\n---\nb\n", "1: a --- b @8"},
		{"one hyphen", "a\n-\nb\n", "1: a - b @6"},
		{"hyphens apart", "a\n- -\nb\n", "1: a - - b @8"},
		{"text behind a separator", "a\n-- b\n", "1: a -- b @7"},
		{"mark first", "(*)\na\n", "1*: a @6"},
		{"mark last", "a\n(*)\n", "1*: a @6"},
		{"mark between", "a\n(*)\nb\n", "1*: a b @8"},
		{"mark twice", "(*)\na\n(*)\n", "1*: a @10"},
		{"mark with blanks", "\t(*) \r\na\n", "1*: a @9"},
		{"mark of one part only", "(*)\na\n--\nb\n", "1*: a @9; 4: b @11"},
		{"mark and URL on one line", "(*)a\nb\n", "1*: a b @7"},
		{"mark, blank and URL on one line", " (*) \ta \n", "1*: a @9"},
		{"marks on one line", "(*)(*) (*)a\n", "1*: a @12"},
		{"mark and hyphens on one line", "(*)--\n--\nb", "1*: -- @9; 3: b @10"},
		{"mark behind a URL is no mark", "a(*)\n", "1: a(*) @5"},
		{"no mark", "*\n( *)\n(*\n", "1: * ( *) (* @10"},
		{"part of a mark alone adds nothing", "(*)\n--\nb", "3: b @8"},
		{"manifest of a mark alone", "(*)", ""},
		{"mark before an empty part does not spread", "(*)\n\n--\n\nb", "5: b @10"},
		{"comment is an alternative", "# mirror\na\n", "1: # mirror a @11"},
		{"fragment is kept", "a#size=1\n", "1: a#size=1 @9"},
		{"no URL at all", "\x00\xff\n%zz\n", "1: \x00\xff %zz @7"},
		{"original: three parts",
			"http://mymachine.mit.edu/picture.jpg-part1\n--\nhttp://mymachine.mit.edu/picture.jpg-part2\n--\nhttp://mymachine.mit.edu/picture.jpg-part3\n",
			"1: http://mymachine.mit.edu/picture.jpg-part1 @46; 3: http://mymachine.mit.edu/picture.jpg-part2 @92; 5: http://mymachine.mit.edu/picture.jpg-part3 @135"},
		{"original: alternatives, separator forgotten",
			"http://m/1\nhttp://y/1\n--\nhttp://m/2\nhttp://y/3\nhttp://y/3\n",
			"1: http://m/1 http://y/1 @25; 4: http://m/2 http://y/3 http://y/3 @58"},
		{"original: recursive and cached",
			"(*)\nhttp://m/verse.txt\nhttp://y/verse.txt\nhttp://h/verse.txt\n--\nhttp://y/chorus.txt\n(*)\n--\nhttp://m/endless.txt.parts\n",
			"1*: http://m/verse.txt http://y/verse.txt http://h/verse.txt @64; 6*: http://y/chorus.txt @91; 9: http://m/endless.txt.parts @118"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			parts, _, err := all(manifest.NewDecoder(strings.NewReader(test.in)))
			if got := spell(parts); got != test.want || err != nil {
				t.Errorf("got  %q, %v\nwant %q", got, err, test.want)
			}
			checkReaders(t, []byte(test.in), parts, err)
		})
	}
}

// checkReaders decodes in each way other than from one piece and compares with parts and fail, what that gave.
func checkReaders(t *testing.T, in []byte, parts []manifest.Part, fail error) {
	t.Helper()
	readers := map[string]io.Reader{
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(in)),
		"half":          iotest.HalfReader(bytes.NewReader(in)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(in)),
	}
	for name, r := range readers {
		got, _, err := all(manifest.NewDecoder(r))
		if diff := cmp.Diff(parts, got); diff != "" || fmt.Sprint(err) != fmt.Sprint(fail) {
			t.Errorf("%s: %v, want %v\n%s", name, err, fail, diff)
		}
	}
}

// Closing a manifest behind any part and taking it up there gives the rest, line numbers and offsets included.
func TestDecoderAt(t *testing.T) {
	const in = "\uFEFFa\r\nb\r\n--\r\n\n(*)\n--\n\n (*)c\n--\n--\n\uFEFFd\n--\n\n"
	parts, lines, err := all(manifest.NewDecoder(strings.NewReader(in)))
	if err != nil || len(parts) != 3 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	for i, p := range parts {
		rest, _, err := all(manifest.NewDecoderAt(strings.NewReader(in[p.End:]), p.End, lines[i]))
		if diff := cmp.Diff(parts[i+1:], rest, cmp.Transformer("nil", spell)); diff != "" || err != nil {
			t.Errorf("behind part %d: %v\n%s", i+1, err, diff)
		}
	}
	again, _, err := all(manifest.NewDecoderAt(strings.NewReader(in), 0, 1))
	if diff := cmp.Diff(parts, again); diff != "" || err != nil {
		t.Errorf("from 0: %v\n%s", err, diff)
	}
}

func TestDecoderPos(t *testing.T) {
	d := manifest.NewDecoderAt(strings.NewReader("a\n\n--\n--\nb"), 100, 7)
	check := func(off int64, line int) {
		t.Helper()
		if o, l := d.Pos(); o != off || l != line {
			t.Errorf("at %d, line %d; want %d, line %d", o, l, off, line)
		}
	}
	check(100, 7)
	p, _ := d.Next()
	check(p.End, 10)
	p, _ = d.Next()
	check(110, 12)
	if p.End != 110 || p.Line != 11 {
		t.Errorf("last part: %+v", p)
	}
	if _, err := d.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	check(110, 12)
}

// Next asks for no octet behind the separator's line.
func TestDecoderIsLazy(t *testing.T) {
	const first = "a\nb\n--\r\n"
	var read int
	count := reads(func(p []byte) (int, error) {
		if read == len(first) {
			return 0, errors.New("asked for more")
		}
		read++
		return copy(p, first[read-1:read]), nil
	})
	p, err := manifest.NewDecoder(count).Next()
	if err != nil || read != len(first) || p.End != int64(read) {
		t.Errorf("%d octets read, %+v, %v", read, p, err)
	}
}

// reads is a function that is a Reader.
type reads func(p []byte) (int, error)

func (f reads) Read(p []byte) (int, error) { return f(p) }

func TestDecoderReadErrors(t *testing.T) {
	lost := errors.New("connection lost")
	tests := []struct {
		name, in string
		err      error
		parts    int
		line     string // of the error
	}{
		{"at once", "", lost, 0, "line 1:"},
		{"in a part", "a\n", lost, 0, "line 2:"},
		{"in a line", "a\n--\nb", lost, 1, "line 3:"},
		{"in a separator", "a\n--\nb\n-", lost, 1, "line 4:"},
		{"in a separator's line end", "a\n--\nb\n--", lost, 1, "line 4:"},
		{"behind a separator", "a\n--\n", lost, 1, "line 3:"},
		{"cut", "a\n--\nb\n", io.ErrUnexpectedEOF, 1, "line 4:"},
		{"end that is not clean", "a\n--\nb\n", fmt.Errorf("odd: %w", io.EOF), 1, "line 4:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := io.MultiReader(strings.NewReader(test.in), iotest.ErrReader(test.err))
			d := manifest.NewDecoder(r)
			parts, _, err := all(d)
			if len(parts) != test.parts || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.line) {
				t.Errorf("%d parts, %v", len(parts), err)
			}
			if off, _ := d.Pos(); off != int64(5*test.parts) {
				t.Errorf("to be resumed at %d", off)
			}
			if _, again := d.Next(); again != err {
				t.Errorf("then: %v", again)
			}
		})
	}
}
