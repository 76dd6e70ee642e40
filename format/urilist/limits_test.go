package urilist_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"spate/format/urilist"
)

func TestLimits(t *testing.T) {
	text := func(n int) string { return strings.Repeat("x", n) }
	options := func(n, size int) string { return strings.Repeat(" x="+text(size-2)+"\n", n) }
	const perEntry, optionMax = urilist.MaxEntry / (urilist.MaxLine / 2), urilist.MaxLine / 2
	tests := []struct {
		name, in string
		bad      int // line of the error; 0 for none
	}{
		{"line n", "a\n" + text(urilist.MaxLine), 0},
		{"line n+1", "a\n" + text(urilist.MaxLine+1), 2},
		{"comment n+1", "a\n#" + text(urilist.MaxLine) + "\n", 2},
		{"blank line n+1", strings.Repeat(" ", urilist.MaxLine+1), 1},
		{"option n", "a\n x=" + text(urilist.MaxLine-3), 0},
		{"option n+1", "a\n x=" + text(urilist.MaxLine-2), 2},
		{"mirrors", strings.Repeat("x\t", urilist.MaxLine/2), 0},
		{"entry n-1", text(optionMax-1) + "\n" + options(perEntry-1, optionMax), 0},
		{"entry n", text(optionMax) + "\n" + options(perEntry-1, optionMax), 0},
		{"entry n+1", text(optionMax+1) + "\n" + options(perEntry-1, optionMax), perEntry},
		{"entry n with blanks and comments", text(optionMax) + "\n#" + text(999) + "\n\n" + options(perEntry-1, optionMax) + "   \r\n", 0},
		{"entries n in a row", strings.Repeat(text(optionMax)+"\n"+options(perEntry-1, optionMax), 2), 0},
		{"options n-1", "a\n" + options(urilist.MaxOptions-1, 3), 0},
		{"options n", "a\n" + options(urilist.MaxOptions, 3) + "b\n" + options(urilist.MaxOptions, 3), 0},
		{"options n+1", "a\n" + options(urilist.MaxOptions+1, 3), urilist.MaxOptions + 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := all(strings.NewReader(test.in))
			checkSyntax(t, err, test.bad)
		})
	}
}

// A million entries are as cheap to hold as one.
func TestMillionLines(t *testing.T) {
	const entries, text = 1_000_000, "http://a.example/file\thttp://b.example/file\n out=x\n"
	d := urilist.NewDecoder(io.LimitReader(&repeat{text: text}, int64(entries*len(text))))
	before, count := heap(), 0
	for ; ; count++ {
		if _, err := d.Next(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if count == entries/2 {
			if grown := heap() - before; grown > 1<<20 {
				t.Errorf("%d bytes held after %d entries", grown, count)
			}
		}
	}
	if count != entries {
		t.Errorf("%d entries", count)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
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

// What is never an entry is read through, and what never ends given up, both without being held.
func TestEndless(t *testing.T) {
	for _, text := range []string{"x", "a\t", "# c ", " "} {
		_, err := urilist.NewDecoder(&repeat{text: text}).Next()
		checkSyntax(t, err, 1)
	}
	d := urilist.NewDecoder(&repeat{text: "a\n out=x\n"})
	allocs := testing.AllocsPerRun(10000, func() {
		if e, err := d.Next(); err != nil || len(e.Options) != 1 {
			t.Fatal(e, err)
		}
	})
	if allocs > 4 {
		t.Errorf("%v allocations per entry", allocs)
	}
	_, err := all(&repeat{text: fmt.Sprintf("a\n%s", strings.Repeat(" out=x\n", urilist.MaxOptions+1))})
	checkSyntax(t, err, urilist.MaxOptions+2)
}
