package urilist_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/urilist"
)

// all decodes to the end.
func all(r io.Reader) (entries []urilist.Entry, err error) {
	for d := urilist.NewDecoder(r); ; {
		e, err := d.Next()
		if err == io.EOF {
			return entries, nil
		}
		if err != nil {
			return entries, err
		}
		entries = append(entries, e)
	}
}

// spell writes entries as "line: URL|URL (line: name=value) (…); …".
func spell(entries []urilist.Entry) string {
	var list []string
	for _, e := range entries {
		text := fmt.Sprintf("%d: %s", e.Line, strings.Join(e.URLs, "|"))
		for _, o := range e.Options {
			text += fmt.Sprintf(" (%d: %s=%s)", o.Line, o.Name, o.Value)
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func TestDecoder(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty list", "", ""},
		{"one entry, no line end", "a", "1: a"},
		{"one entry", "a\n", "1: a"},
		{"entries", "a\nb\nc\n", "1: a; 2: b; 3: c"},
		{"the same entry again", "a\na\n", "1: a; 2: a"},
		{"mirrors", "a\tb\tc\nd\n", "1: a|b|c; 2: d"},
		{"the same mirror again", "a\ta\n", "1: a|a"},
		{"empty mirrors", "a\t\t\tb\t\n", "1: a|b"},
		{"blanks around mirrors", "a \t b \t\t c  \t \n", "1: a|b|c"},
		{"a space separates nothing", "a b\tc\n", "1: a b|c"},
		{"CRLF", "a\tb\r\n out=x\r\nc\r\n", "1: a|b (2: out=x); 3: c"},
		{"LF and CRLF mixed", "a\n out=x\r\nb\r\nc\n", "1: a (2: out=x); 3: b; 4: c"},
		{"CR at the very end", "a\r\n out=x\r", "1: a (2: out=x)"},
		{"CR CR LF", "a\r\r\n out=x\r\r\n\r\r\nb", "1: a (2: out=x); 4: b"},
		{"BOM", "\uFEFFa\n out=x\n", "1: a (2: out=x)"},
		{"BOM before a comment", "\uFEFF# c\na", "2: a"},
		{"BOM alone", "\uFEFF", ""},
		{"BOM on a later line", "a\n\uFEFFb\n", "1: a; 2: \uFEFFb"},
		{"options", "a\n out=x\n\tdir=/d\n \t split=4\nb\n  out=y\nc", "1: a (2: out=x) (3: dir=/d) (4: split=4); 5: b (6: out=y); 7: c"},
		{"option last, no line end", "a\n out=x", "1: a (2: out=x)"},
		{"blanks in options", "a\n   out \t = \t x y \t \n", "1: a (2: out=x y)"},
		{"value empty", "a\n out=\n dir = \n", "1: a (2: out=) (3: dir=)"},
		{"value with =", "a\n checksum=sha-256=00ff\n header=X: a=b==\n", "1: a (2: checksum=sha-256=00ff) (3: header=X: a=b==)"},
		{"value with #", "a\n out=x#y # z\n", "1: a (2: out=x#y # z)"},
		{"value with TAB", "a\n header=X: a\tb\n", "1: a (2: header=X: a\tb)"},
		{"value with quotes", "a\n out=\"x\"\n", "1: a (2: out=\"x\")"},
		{"option again", "a\n header=A: 1\n header=A: 2\n", "1: a (2: header=A: 1) (3: header=A: 2)"},
		{"option unknown, in other case, with digits", "a\n Zap-2=x\n", "1: a (2: Zap-2=x)"},
		{"comments", "# c\na\n#c\n out=x\n # c=d\n\t#\n dir=y\n#b\nb\n#", "2: a (4: out=x) (7: dir=y); 9: b"},
		{"comment with anything", "#\x00\x1b\xff\ra\tb\na", "2: a"},
		{"blank lines", "\n \t\n\na\n\n \n out=x\n\n\r\nb\n\n", "4: a (7: out=x); 10: b"},
		{"only blank lines and comments", "\n#\n \r\n\n", ""},
		{"fragment", "a#b\n", "1: a#b"},
		{"no URL at all", "out=x\n%zz\n--out\n", "1: out=x; 2: %zz; 3: --out"},
		{"nothing is expanded", "http://{a,b}/[1-3]\n", "1: http://{a,b}/[1-3]"},
		{"not UTF-8", "a\xff\n out=\xfe\n", "1: a\xff (2: out=\xfe)"},
		{"manual: mirrors and options",
			"http://server/file.iso\thttp://mirror/file.iso\n dir=/iso_images\n out=file.img\nhttp://foo/bar\n",
			"1: http://server/file.iso|http://mirror/file.iso (2: dir=/iso_images) (3: out=file.img); 4: http://foo/bar"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, err := all(strings.NewReader(test.in))
			if got := spell(entries); got != test.want || err != nil {
				t.Errorf("got  %q, %v\nwant %q", got, err, test.want)
			}
			checkReaders(t, []byte(test.in), entries, err)
		})
	}
}

// checkReaders decodes in each way other than from one piece and compares with entries and fail, what that gave.
func checkReaders(t *testing.T, in []byte, entries []urilist.Entry, fail error) {
	t.Helper()
	readers := map[string]io.Reader{
		"byte by byte":  iotest.OneByteReader(bytes.NewReader(in)),
		"half":          iotest.HalfReader(bytes.NewReader(in)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(in)),
	}
	for name, r := range readers {
		got, err := all(r)
		if diff := cmp.Diff(entries, got); diff != "" || fmt.Sprint(err) != fmt.Sprint(fail) {
			t.Errorf("%s: %v, want %v\n%s", name, err, fail, diff)
		}
	}
}

func TestSyntaxErrors(t *testing.T) {
	tests := []struct {
		name, in string
		entries  int
		line     int
		msg      string
	}{
		{"option first", " out=x\na\n", 0, 1, "without a URL above"},
		{"option behind comments", "#\n\n out=x\n", 0, 3, "without a URL above"},
		{"first URL indented", "\ta\tb\n", 0, 1, "without a URL above"},
		{"URL indented", "a\nb\n http://h/c\n", 1, 3, "no option"},
		{"URL with a query indented", "a\n http://h/?b=c\n", 0, 2, "no option"},
		{"option without =", "a\n continue\n", 0, 2, "no option"},
		{"option without name", "a\n =x\n", 0, 2, "no option"},
		{"option with hyphens", "a\n --out=x\n", 0, 2, "no option"},
		{"option with blank", "a\n out put=x\n", 0, 2, "no option"},
		{"option begins with a digit", "a\n 4=x\n", 0, 2, "no option"},
		{"option beyond ASCII", "a\n o\u00e4=x\n", 0, 2, "no option"},
		{"NUL in a URL", "a\nb\x00\n", 0, 2, "control"},
		{"NUL in an option", "a\nb\n out=\x00\n", 1, 3, "control"},
		{"NUL between lines", "a\nb\n\x00\n", 1, 3, "control"},
		{"CR in a URL", "a\rb\n", 0, 1, "control"},
		{"CR in front of a URL", "a\n\rb\n", 0, 2, "control"},
		{"CR in a value", "a\n header=A: 1\rB: 2\n", 0, 2, "control"},
		{"ESC", "a\x1b[2J\n", 0, 1, "control"},
		{"DEL", "a\x7f\n", 0, 1, "control"},
		{"vertical tab", "a\n\v\n", 0, 2, "control"},
		{"UTF-16", "\xff\xfeh\x00t\x00t\x00p\x00\n\x00", 0, 1, "control"},
		{"UTF-16, comment first", "\xfe\xff\x00#\x00\n\x00a", 0, 1, "control"},
		{"gzip", "\x1f\x8b\x08\x00\n", 0, 1, "control"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries, err := all(strings.NewReader(test.in))
			checkSyntax(t, err, test.line)
			if len(entries) != test.entries || !strings.Contains(fmt.Sprint(err), test.msg) {
				t.Errorf("%d entries, %v", len(entries), err)
			}
			checkReaders(t, []byte(test.in), entries, err)
		})
	}
}

// checkSyntax looks for a syntax error in a line, 0 for none.
func checkSyntax(t *testing.T, err error, line int) {
	t.Helper()
	bad, ok := errors.AsType[*urilist.SyntaxError](err)
	switch {
	case line == 0 && err != nil:
		t.Errorf("refused: %v", err)
	case line > 0 && (!ok || bad.Line != line):
		t.Errorf("got %v, want a syntax error in line %d", err, line)
	}
}

// The entries before a syntax error are returned, and it stays. It does not quote the line.
func TestSyntaxErrorIsLast(t *testing.T) {
	d := urilist.NewDecoder(strings.NewReader("a\nb\n http://user:secret@h/\nc\n"))
	if e, err := d.Next(); len(e.URLs) != 1 || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
	e, err := d.Next()
	if e.URLs != nil || fmt.Sprint(err) != "list line 3: indented, but no option: NAME=VALUE" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, again := d.Next(); again != err {
		t.Errorf("then: %v", again)
	}
}

// Next asks for no octet behind the line that ends the entry.
func TestDecoderIsLazy(t *testing.T) {
	r := io.MultiReader(strings.NewReader("a\n out=x\nb\n"), iotest.ErrReader(errors.New("asked for more")))
	e, err := urilist.NewDecoder(r).Next()
	if err != nil || e.Line != 1 || len(e.Options) != 1 {
		t.Errorf("%+v, %v", e, err)
	}
}

// A list that was cut loses the entry that it was cut in.
func TestReadErrors(t *testing.T) {
	lost := errors.New("connection lost")
	tests := []struct {
		name, in string
		err      error
		entries  int
		line     string // of the error
	}{
		{"at once", "", lost, 0, "line 1:"},
		{"in the URLs", "a\nb", lost, 0, "line 2:"},
		{"behind the URLs", "a\nb\n", lost, 1, "line 3:"},
		{"in an option", "a\nb\n out=x", lost, 1, "line 3:"},
		{"behind an option", "a\nb\n out=x\n", lost, 1, "line 4:"},
		{"cut", "a\nb\n", io.ErrUnexpectedEOF, 1, "line 3:"},
		{"end that is not clean", "a\nb\n", fmt.Errorf("odd: %w", io.EOF), 1, "line 3:"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := io.MultiReader(strings.NewReader(test.in), iotest.ErrReader(test.err))
			entries, err := all(d)
			if len(entries) != test.entries || !errors.Is(err, test.err) || !strings.Contains(err.Error(), test.line) {
				t.Errorf("%d entries, %v", len(entries), err)
			}
			if _, ok := errors.AsType[*urilist.SyntaxError](err); ok {
				t.Errorf("a syntax error: %v", err)
			}
		})
	}
}
