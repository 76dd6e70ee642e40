package manifest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"spate/format/manifest"
)

func lint(in string) (list []string, err error) {
	err = manifest.Lint(strings.NewReader(in), func(w manifest.Warning) bool {
		list = append(list, fmt.Sprintf("%d: %s", w.Line, w.Msg))
		return true
	})
	return list, err
}

func TestLint(t *testing.T) {
	const fails = ": an alternative that always fails"
	tests := []struct {
		name, in string
		want     []string
	}{
		{"empty", "", nil},
		{"strict", "(*)\nhttp://h/a\nhttps://h/a\n--\nfile:///b\n(*)\n", nil},
		{"strict, no line end", "http://h/a\n--\nhttp://h/b", nil},
		{"BOM", "\uFEFFhttp://h/a\n", []string{"1: byte order mark"}},
		{"CRLF", "http://h/a\r\n--\r\nhttp://h/b\r\n", []string{"1: line ends in CRLF (told once)"}},
		{"blank line", "http://h/a\n\n \n", []string{"2: blank line", "3: blank line"}},
		{"blanks around", " http://h/a\nhttp://h/a\t\n -- \nhttp://h/b\r\r\n", []string{
			"1: blanks around the line", "2: blanks around the line", "3: blanks around the line",
			"4: line ends in CRLF (told once)", "4: blanks around the line"}},
		{"part without any line", "http://h/a\n--\n--\nhttp://h/b", []string{"3: part without alternatives"}},
		{"leading separator", "--\nhttp://h/a", []string{"1: part without alternatives"}},
		{"part of a mark alone", "(*)\n--\nhttp://h/a", []string{"2: part without alternatives"}},
		{"last part of a mark alone", "http://h/a\n--\n(*)\n(*)\n", []string{"3: part without alternatives"}},
		{"trailing separator", "http://h/a\n--\n", []string{"2: separator behind the last part"}},
		{"trailing separator and blanks", "http://h/a\n--\n\n", []string{"3: blank line", "2: separator behind the last part"}},
		{"mark and URL", "(*)http://h/a\n", []string{"1: (*) and an alternative on one line"}},
		{"comment", "# old mirror\nhttp://h/a\n", []string{"1: comment" + fails}},
		{"malformed", "http://h/%zz\nhttp://[\n", []string{
			`1: malformed URL: invalid URL escape "%zz"` + fails, "2: malformed URL: missing ']' in host" + fails}},
		{"relative", "part1\n//h/part1\n", []string{"1: relative reference", "2: relative reference"}},
		{"scheme", "ftp://h/a\n", []string{`1: scheme "ftp": other readers may not know it`}},
		{"host", "http:///a\nhttp:a\n", []string{"1: URL without host" + fails, "2: URL without host" + fails}},
		{"blank in the URL", "http://h/a b\n", []string{"1: blanks in the URL"}},
		{"blank in a relative reference", "/sp ace\n", []string{"1: relative reference", "1: blanks in the URL"}},
		{"beyond ASCII", "http://h/\u00e4\n/\u00e4\nhttp://\u00e4.example/?\u00e4\nhttp://h/\xff", []string{
			"1: characters beyond ASCII in the URL", "2: relative reference", "2: characters beyond ASCII in the URL",
			"3: characters beyond ASCII in the URL", "4: characters beyond ASCII in the URL"}},
		{"blank and beyond ASCII", "https://h/\u00e4 b\n", []string{"1: blanks in the URL", "1: characters beyond ASCII in the URL"}},
		{"characters of no URL", "http://h/a|b^{c}\nhttp://h/a\\b<c>\"`\n", []string{
			"1: characters in the URL that none may have: ^{|}", "2: characters in the URL that none may have: \"<>\\`"}},
		{"characters of a URL", "http://u:p@[::1]:80/a;b,c/~d/-._!$&'()*+=:@%7C?/?#/?\n", []string{"1: fragment: nothing known in it"}},
		{"another scheme, beyond ASCII", "ftp://h/\u00e4\n", []string{
			`1: scheme "ftp": other readers may not know it`, "1: characters beyond ASCII in the URL"}},
		{"beyond ASCII in the fragment", "http://h/a#\u00e4", []string{"1: fragment: nothing known in it"}},
		{"fragment", "http://h/a#size=5\nhttp://h/a#top\n", []string{
			"1: fragment: digest or size, an extension that other readers ignore", "2: fragment: nothing known in it"}},
		{"broken promise", "http://h/a#size=five\n", []string{"1: fragment: size: not a decimal number of at most 63 bits" + fails}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := lint(test.in)
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// Lint stops where yield says so, also between two warnings of one line.
func TestLintStops(t *testing.T) {
	const in = "\uFEFF a#x\r\n\n--\n--\n"
	list, err := lint(in)
	if err != nil || len(list) < 5 {
		t.Fatalf("%q, %v", list, err)
	}
	for limit := 1; limit <= len(list); limit++ {
		calls := 0
		err := manifest.Lint(strings.NewReader(in), func(manifest.Warning) bool {
			calls++
			return calls < limit
		})
		if calls != limit || err != nil {
			t.Errorf("limit %d: %d calls, %v", limit, calls, err)
		}
	}
}

func TestLintReadError(t *testing.T) {
	lost := errors.New("connection lost")
	r := io.MultiReader(strings.NewReader("http://h/a\n--\n"), iotest.ErrReader(lost))
	err := manifest.Lint(r, func(w manifest.Warning) bool {
		t.Errorf("warned of %+v", w) // a cut manifest has no end, so no trailing separator
		return true
	})
	if !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}
