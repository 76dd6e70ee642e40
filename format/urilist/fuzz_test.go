package urilist_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spate/format/urilist"
)

// Whatever a list holds: in pieces it reads the same, what comes of it is what the documentation promises, and
// written anew it gives the same entries.
func FuzzDecoder(f *testing.F) {
	for _, in := range []string{
		"", "a", "\uFEFFa\tb\r\n  out=x\r\n", "# c\na\n\n # c\n\theader = A: b=c \nb", " out=x", "a\n b", "a\rb", "a\x00",
		"a\t\t b \t\n o=\n=\n", "\uFEFF\uFEFFa\n\uFEFF", "a\n o= \u00a0\r\r\n",
	} {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		entries, err := all(bytes.NewReader(in))
		checkReaders(t, in, entries, err)
		var again strings.Builder
		last := 0
		for _, e := range entries {
			checkEntry(t, e, &last)
			write(&again, e)
		}
		back, err := all(strings.NewReader(again.String()))
		anywhere := cmpopts.IgnoreFields(urilist.Entry{}, "Line")
		if diff := cmp.Diff(entries, back, anywhere, cmpopts.IgnoreFields(urilist.Option{}, "Line")); diff != "" || err != nil {
			t.Errorf("read back: %v\n%s", err, diff)
		}
	})
}

// write writes e behind a line of its own, so that no BOM of a URL is the list's.
func write(b *strings.Builder, e urilist.Entry) {
	fmt.Fprintf(b, "#\n%s\n", strings.Join(e.URLs, "\t"))
	for _, o := range e.Options {
		fmt.Fprintf(b, " %s=%s\n", o.Name, o.Value)
	}
}

func checkEntry(t *testing.T, e urilist.Entry, last *int) {
	t.Helper()
	texts, lines := e.URLs, []int{e.Line}
	for _, o := range e.Options {
		texts, lines = append(texts, o.Name+"="+o.Value), append(lines, o.Line)
	}
	for _, text := range texts {
		if text == "" || strings.Trim(text, " \t\r") != text || strings.ContainsAny(text, "\n\r\x00") {
			t.Errorf("text %q of %+v", text, e)
		}
	}
	for _, line := range lines {
		if line <= *last {
			t.Errorf("line %d behind line %d: %+v", line, *last, e)
		}
		*last = line
	}
	if len(e.URLs) == 0 || e.URLs[0][0] == '#' {
		t.Errorf("%+v", e)
	}
}
