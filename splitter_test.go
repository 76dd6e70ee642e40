package spate

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spate/fetch"
	"spate/format/sequence"
	"spate/internal/leak"
	"spate/source"
)

// split is a splitter that writes to FILE-file1 and so on in dir.
func split(t *testing.T, limits Limits) (s *splitter, dir string) {
	dir = t.TempDir()
	s = newSplitter(&getter{c: new(Client), url: "x:a-seq", opts: GetOptions{Limits: limits}})
	s.base = filepath.Join(dir, "FILE")
	t.Cleanup(s.discard)
	return s, dir
}

// feed hands text on in pieces of so many bytes; what is settled is the same before and behind each.
func feed(t *testing.T, s *splitter, text string, piece int, settled int64) {
	t.Helper()
	for len(text) > 0 {
		n := min(piece, len(text))
		must(t, s.take([]byte(text[:n]), settled))
		text = text[n:]
	}
}

// named are files of a sequence under the names that they get.
func named(files ...string) map[string]string {
	want := map[string]string{}
	for i, text := range files {
		want[fmt.Sprintf("FILE-file%d", i+1)] = text
	}
	return want
}

// wantWhole checks that all that has its final name in dir is right. It may be called from any goroutine.
func wantWhole(t *testing.T, dir string, files []string) {
	t.Helper()
	want := named(files...)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), fetch.Ext) {
			continue
		}
		got, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if text, ok := want[e.Name()]; err != nil || !ok || text != string(got) {
			t.Errorf("%s has %.60q, %v; want %.60q", e.Name(), got, err, text)
		}
	}
}

var splitFiles = []string{"one", "", "01234", "", "", "last"}

// Whatever was taken is taken back to any place, in a length, at its end, in a body, between two files; then all comes
// right, in pieces of any size.
func TestSplitterRewind(t *testing.T) {
	good := packed(splitFiles...)
	bad := map[string]func(from int) string{
		"nothing":    func(int) string { return "" },
		"long":       func(int) string { return strings.Repeat("x", 50) },
		"zeros":      func(int) string { return strings.Repeat("\x00", 50) },
		"the same":   func(from int) string { return good[from:] },
		"more files": func(int) string { return packed("a", "b", "", "d") },
	}
	for name, bad := range bad {
		for _, piece := range []int{1, 1000} {
			t.Run(fmt.Sprintf("%s, %d", name, piece), func(t *testing.T) {
				for off := range len(good) + 1 {
					s, dir := split(t, Limits{})
					feed(t, s, good[:off], piece, int64(off))
					feed(t, s, bad(off), piece, int64(off))
					wantWhole(t, dir, splitFiles)
					must(t, s.rewind(int64(off)))
					feed(t, s, good[off:], piece, int64(off))
					wantWhole(t, dir, splitFiles)
					must(t, s.end())
					wantFiles(t, dir, named(splitFiles...))
					wantResult(t, &s.g.done, splitFiles...)
				}
			})
		}
	}
}

// Parts of all lengths, each wrong a few times before it is right, and some given up in favour of what encloses them.
func TestSplitterRandom(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for range 100 {
		var files []string
		for range rnd.IntN(6) {
			files = append(files, strings.Repeat("f", rnd.IntN(12)))
		}
		good := packed(files...)
		s, dir := split(t, Limits{})
		for settled := 0; settled < len(good); {
			end := settled + rnd.IntN(len(good)-settled) + 1
			piece := 1 + rnd.IntN(20)
			at := settled
			for range rnd.IntN(4) {
				junk := make([]byte, rnd.IntN(30))
				for i := range junk {
					junk[i] = byte(rnd.IntN(3))
				}
				right := at + rnd.IntN(end-at+1)
				feed(t, s, good[at:right]+string(junk), piece, int64(settled))
				at = settled + rnd.IntN(right-settled+1)
				must(t, s.rewind(int64(at)))
				wantWhole(t, dir, files)
			}
			feed(t, s, good[at:end], piece, int64(settled))
			settled = end
		}
		must(t, s.end())
		wantFiles(t, dir, named(files...))
		wantResult(t, &s.g.done, files...)
	}
}

// A file appears as soon as all of it is settled and no sooner.
func TestSplitterSettles(t *testing.T) {
	good := packed(splitFiles...)
	ends := make([]int, 0, len(splitFiles))
	end := 0
	for _, text := range splitFiles {
		end += lengthSize + len(text)
		ends = append(ends, end)
	}
	for settled := range len(good) + 1 {
		whole := 0
		for whole < len(ends) && ends[whole] <= settled {
			whole++
		}
		for name, take := range map[string]func(s *splitter) error{
			"before": func(s *splitter) error { return s.take([]byte(good), int64(settled)) },
			"behind": func(s *splitter) error {
				feed(t, s, good, 5, 0)
				return s.take(nil, int64(settled))
			},
		} {
			s, dir := split(t, Limits{})
			must(t, take(s))
			if int(s.g.done.Files) != whole {
				t.Errorf("%s, %d settled: %d files, want %d", name, settled, s.g.done.Files, whole)
			}
			s.discard()
			wantFiles(t, dir, named(splitFiles[:whole]...))
			wantResult(t, &s.g.done, splitFiles[:whole]...)
		}
	}
}

// What has its name cannot be taken back: that is the end, and no other than that of a corrupt part.
func TestSplitterRewindsNothingThatHasItsName(t *testing.T) {
	good := packed("one", "two")
	s, dir := split(t, Limits{})
	feed(t, s, good, len(good), 7)
	for _, off := range []int64{-1, 0, 6} {
		if err := s.rewind(off); !errors.Is(err, source.ErrCorrupt) {
			t.Errorf("to %d: %v", off, err)
		}
	}
	if err := s.rewind(15); err == nil || errors.Is(err, source.ErrCorrupt) {
		t.Errorf("beyond the end: %v", err)
	}
	must(t, s.rewind(7))
	wantFiles(t, dir, named("one"))
}

// The end of the stream is judged as [sequence.Reader] judges it, also after something was taken back.
func TestSplitterCut(t *testing.T) {
	good := packed(splitFiles...)
	for cut := range len(good) + 1 {
		want := ""
		r := sequence.NewReader(strings.NewReader(good[:cut]))
		var err error
		for err == nil {
			_, err = r.Next()
		}
		if bad, ok := errors.AsType[*sequence.CutError](err); ok {
			want = "read x:a-seq: " + bad.Error()
		}
		for _, back := range []int{0, 1, 5, 20} {
			s, _ := split(t, Limits{})
			feed(t, s, good[:cut], 1000, 0)
			from := max(cut-back, 0)
			must(t, s.rewind(int64(from)))
			feed(t, s, good[from:cut], 1, 0)
			got := ""
			if err := s.end(); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("cut at %d, %d back: %s, want %s", cut, back, got, want)
			}
		}
	}
}

// A file with more bytes than fit is begun as any: a length is a claim.
func TestSplitterTrustsNoLength(t *testing.T) {
	s, dir := split(t, Limits{})
	feed(t, s, string(binary.BigEndian.AppendUint32(nil, 1<<32-1))+"few", 1, 0)
	err := s.end()
	if cut, ok := errors.AsType[*sequence.CutError](err); !ok || cut.Missing != 1<<32-4 || cut.Index != 1 {
		t.Errorf("error %v", err)
	}
	s.discard()
	wantFiles(t, dir, nil)
}

// Of the files that wait no more than a few are open, however many they are.
func TestSplitterOpensFew(t *testing.T) {
	s, dir := split(t, Limits{})
	before := leak.Descriptors()
	files := make([]string, 100)
	for i := range files {
		files[i] = fmt.Sprint(i)
		feed(t, s, packed(files[i]), 100, 0)
	}
	if n := leak.Descriptors() - before; n > 2 {
		t.Errorf("%d files open", n)
	}
	must(t, s.rewind(0))
	wantFiles(t, dir, nil)
	sum := s.sum.Sum(nil)
	empty := sha256.Sum256(nil)
	sameBytes(t, sum, empty[:])
}
