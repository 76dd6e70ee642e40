package manifest_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"spate/format/manifest"
)

func TestLimits(t *testing.T) {
	line := func(n int) string { return strings.Repeat("x", n) }
	parts := func(n int) string { return strings.Repeat(line(manifest.MaxLine)+"\n", n) }
	const perPart = manifest.MaxPart / manifest.MaxLine
	tests := []struct {
		name, in string
		bad      int // line of the error; 0 for none
	}{
		{"line n-1", "a\n" + line(manifest.MaxLine-1) + "\n", 0},
		{"line n", "a\n" + line(manifest.MaxLine) + "\n", 0},
		{"line n+1", "a\n" + line(manifest.MaxLine+1) + "\n", 2},
		{"line n, CRLF", "a\n" + line(manifest.MaxLine) + "\r\n", 0},
		{"line n+1, CRLF", "a\n" + line(manifest.MaxLine+1) + "\r\n", 2},
		{"line n and a second CR", "a\n" + line(manifest.MaxLine) + "\r\r\n", 2},
		{"line n at the end", "a\n" + line(manifest.MaxLine), 0},
		{"line n+1 at the end", "a\n" + line(manifest.MaxLine+1), 2},
		{"line n behind a BOM", "\uFEFF" + line(manifest.MaxLine) + "\r\n--\n", 0},
		{"line n+1 behind a BOM", "\uFEFF" + line(manifest.MaxLine+1), 1},
		{"blank line n+1", "\n\n" + strings.Repeat(" ", manifest.MaxLine+1) + "\n", 3},
		{"line without end", "--\n" + line(10*manifest.MaxLine), 2},
		{"long lines in a row", parts(2) + "--\n" + parts(3), 0},
		{"part n-1", parts(perPart-1) + line(manifest.MaxLine-1), 0},
		{"part n", parts(perPart), 0},
		{"part n+1", parts(perPart) + "x\n", perPart + 1},
		{"part n, then another", parts(perPart) + "--\n" + parts(perPart), 0},
		{"part n with blanks and marks", "\n(*)\n\n" + parts(perPart-1) + "(*)" + line(manifest.MaxLine-3) + "\nxxx\n\n", 0},
		{"alternatives n", strings.Repeat("x\n", manifest.MaxAlternatives), 0},
		{"alternatives n+1", strings.Repeat("x\n", manifest.MaxAlternatives+1), manifest.MaxAlternatives + 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := all(manifest.NewDecoder(strings.NewReader(test.in)))
			checkSyntax(t, err, test.bad)
			checkSyntax(t, manifest.Lint(strings.NewReader(test.in), func(manifest.Warning) bool { return true }), test.bad)
		})
	}
}

func checkSyntax(t *testing.T, err error, line int) {
	t.Helper()
	bad, ok := errors.AsType[*manifest.SyntaxError](err)
	switch {
	case line == 0 && err != nil:
		t.Errorf("refused: %v", err)
	case line > 0 && (!ok || bad.Line != line):
		t.Errorf("got %v, want a syntax error in line %d", err, line)
	}
}

// The parts before a syntax error are returned, and it stays.
func TestSyntaxErrorIsLast(t *testing.T) {
	in := "a\n--\nb\n" + strings.Repeat("x", manifest.MaxLine+1)
	d := manifest.NewDecoder(strings.NewReader(in))
	parts, _, err := all(d)
	if len(parts) != 1 || err == nil || err.Error() != "manifest line 4: line of more than 65536 bytes" {
		t.Errorf("%d parts, %v", len(parts), err)
	}
	if _, again := d.Next(); again != err {
		t.Errorf("then: %v", again)
	}
}

// A line that never ends is given up soon behind its limit.
func TestEndlessLine(t *testing.T) {
	var read int
	endless := reads(func(p []byte) (int, error) {
		read += len(p)
		return len(p), nil
	})
	_, err := manifest.NewDecoder(endless).Next()
	checkSyntax(t, err, 1)
	if read > manifest.MaxLine+16<<10 {
		t.Errorf("%d bytes read", read)
	}
}

// A manifest that never ends costs two allocations per part, whatever the number of its alternatives.
func TestDecoderAllocations(t *testing.T) {
	endless := &repeat{text: "http://mymachine/verse.txt\nhttp://yourmachine/verse.txt\n(*)\nhttp://hermachine/verse.txt\n\n--\n"}
	d := manifest.NewDecoder(endless)
	allocs := testing.AllocsPerRun(20000, func() {
		if p, err := d.Next(); err != nil || len(p.Alternatives) != 3 {
			t.Fatal(p, err)
		}
	})
	if allocs > 2 {
		t.Errorf("%v allocations per part", allocs)
	}
}

// repeat reads as text over and over.
type repeat struct {
	text string
	off  int
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.text[r.off:])
	r.off = (r.off + n) % len(r.text)
	return n, nil
}

func BenchmarkDecoder(b *testing.B) {
	const part = "http://mymachine.mit.edu/picture.jpg-part1\nhttp://yourmachine.mit.edu/picture.jpg-part1\n--\n"
	d := manifest.NewDecoder(&repeat{text: part})
	b.SetBytes(int64(len(part)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLint(b *testing.B) {
	const part = "http://mymachine.mit.edu/picture.jpg-part1\nhttp://yourmachine.mit.edu/picture.jpg-part1\n--\n"
	b.SetBytes(int64(len(part)))
	b.ReportAllocs()
	r := io.LimitReader(&repeat{text: part}, int64(b.N*len(part)))
	if err := manifest.Lint(r, func(manifest.Warning) bool { return true }); err != nil {
		b.Fatal(err)
	}
}
