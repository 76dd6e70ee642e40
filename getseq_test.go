package spate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/event"
	"spate/internal/farm"
	"spate/internal/leak"
	"spate/source"
)

// A world is a manifest of parts with promised digests. Of the second one the first mirror lies.
type world struct {
	liar, honest *farm.Farm
	client       *Client
	dir, url     string
	unwound      atomic.Int32
	onFailed     func() // may be nil
}

// newWorld serves stream in parts that end at these offsets and at its own end; the liar has bad in place of the second
// one. What is read ahead is far less than that part, so that most of bad was handed on before it proves corrupt.
func newWorld(t *testing.T, stream string, ends []int, bad string) *world {
	t.Helper()
	w := &world{liar: newFarm(t), honest: newFarm(t), client: newClient(t), dir: t.TempDir()}
	var parts []string
	from := 0
	for i, end := range append(ends, len(stream)) {
		good, name := stream[from:end], fmt.Sprintf("/p%d", i+1)
		from = end
		w.honest.Serve(name, farm.Resource{Body: []byte(good)})
		parts = append(parts, promised(w.honest.URL(name), good))
		if i == 1 {
			w.liar.Serve(name, farm.Resource{Body: []byte(bad)})
			parts[1] = promised(w.liar.URL(name), good) + "\n" + parts[1]
		}
	}
	w.honest.Serve("/a-seq.parts", farm.Resource{Body: []byte(strings.Join(parts, "\n--\n"))})
	w.url = w.honest.URL("/a-seq.parts")
	w.client.Options = Options{Budget: 1 << 20, Ahead: 1}
	return w
}

// get gets the sequence, which is of these files, and looks at each event whether all that has its final name is right.
func (w *world) get(t *testing.T, opts *GetOptions, files ...string) (*Result, error) {
	t.Helper()
	w.client.Options.Events = func(e event.Event) {
		switch {
		case e.Type == event.Failed && w.onFailed != nil:
			w.onFailed()
		case e.Type == event.Unwound:
			w.unwound.Add(1)
		case e.Type == event.File:
			return // there may be thousands
		}
		wantWhole(t, w.dir, files)
	}
	return w.client.Get(t.Context(), w.url, filepath.Join(w.dir, "FILE"), opts)
}

// wantTakenBack checks that it has come, once, to taking back what had been handed on.
func (w *world) wantTakenBack(t *testing.T) {
	t.Helper()
	if n := w.unwound.Load(); n != 1 {
		t.Errorf("taken back %d times, want once", n)
	}
}

// flipped is s with another last byte.
func flipped(s string) string { return s[:len(s)-1] + string([]byte{s[len(s)-1] ^ 1}) }

// The corrupt part begins and ends anywhere: in lengths, in bodies, between files; files lie in several parts.
func TestGetSequenceTakesACorruptPartBack(t *testing.T) {
	one, two := big('1')[:1<<20], big('2')
	files := []string{"", one, two, "", "small", "last"}
	stream := packed(files...)
	from := strings.Index(stream, two)
	to := from + len(two)
	tests := []struct {
		name       string
		begin, end int
	}{
		{"a file", from - 4, to},
		{"a body", from, to},
		{"from within a length", from - 2, to},
		{"into a length", from - 4, to + 3},
		{"into a body", from - 1000, to - 10},
		{"the middle of a body", from + 100, to - 100},
		{"files without bytes", from - 4, to + 4},
		{"from the first byte on", 0, to + 6},
		{"to the last byte", 5, len(stream)},
	}
	for _, test := range tests {
		good := stream[test.begin:test.end]
		for name, bad := range map[string]string{
			"last byte":  flipped(good),
			"all of it":  strings.Repeat("x", len(good)),
			"more files": (packed("a", "bc", "", big('x')[:1<<20], "", "d") + strings.Repeat("x", len(good)))[:len(good)],
		} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				w := newWorld(t, stream, []int{test.begin, test.end}, bad)
				res, err := w.get(t, nil, files...)
				must(t, err)
				w.wantTakenBack(t)
				wantFiles(t, w.dir, named(files...))
				wantResult(t, res, files...)
			})
		}
	}
}

// many are so many files of a sequence of 3 MiB, and two of the offsets where its three parts end: the first and the
// last part are two files each.
func many(n int) (files []string, stream string, ends []int) {
	all := big('m')
	size := len(all) / n
	for i := range n {
		files = append(files, all[i*size:][:size])
	}
	stream = packed(files...)
	return files, stream, []int{2 * (lengthSize + size), len(stream) - 2*(lengthSize+size)}
}

// They are all there when the part proves corrupt, and few of them are open.
func TestGetSequenceOfManyFilesInACorruptPart(t *testing.T) {
	files, stream, ends := many(maxPaths)
	w := newWorld(t, stream, ends, flipped(stream[ends[0]:ends[1]]))
	before := leak.Descriptors()
	w.onFailed = func() {
		parts, err := filepath.Glob(filepath.Join(w.dir, "*.part"))
		if err != nil || len(parts) < 200 {
			t.Errorf("%d files wait, %v", len(parts), err)
		}
		if n := leak.Descriptors() - before; n > 50 { // with connections, of both ends
			t.Errorf("%d files open", n)
		}
	}
	res, err := w.get(t, nil, files...)
	must(t, err)
	w.wantTakenBack(t)
	wantFiles(t, w.dir, named(files...))
	wantResult(t, res, files...)
}

// An existing file is replaced by what is right alone.
func TestGetSequenceOverwritesWithWhatIsRight(t *testing.T) {
	files := []string{"one", big('2'), "three"}
	stream := packed(files...)
	good := stream[7 : len(stream)-7]
	w := newWorld(t, stream, []int{7, len(stream) - 7}, flipped(good))
	two := filepath.Join(w.dir, "FILE-file2")
	must(t, os.WriteFile(two, []byte(files[1]), 0o600)) // the same, so that w looks on
	_, err := w.get(t, &GetOptions{IfExists: ExistsOverwrite}, files...)
	must(t, err)
	w.wantTakenBack(t)
	wantFiles(t, w.dir, named(files...))
}

// All mirrors are corrupt: the files before that part stay, and none with a byte of it.
func TestGetSequenceOfNothingButCorruptParts(t *testing.T) {
	files, stream, ends := many(100)
	bad := flipped(stream[ends[0]:ends[1]])
	w := newWorld(t, stream, ends, bad)
	w.honest.Serve("/p2", farm.Resource{Body: []byte(bad)})
	res, err := w.get(t, nil, files...)
	if !errors.Is(err, source.ErrCorrupt) {
		t.Errorf("error %v, want source.ErrCorrupt", err)
	}
	w.wantTakenBack(t)
	wantFiles(t, w.dir, named(files[:2]...))
	wantResult(t, res, files[:2]...)
}

// A part that breaks before its digest is known was right or not: no file with a byte of it gets its name.
func TestGetSequenceOfAPartThatBreaks(t *testing.T) {
	files, stream, ends := many(100)
	broken := farm.Resource{Body: []byte(stream[ends[0]:ends[1]]), BreakAt: 2 << 20}
	w := newWorld(t, stream, ends, "")
	w.liar.Serve("/p2", broken)
	w.honest.Serve("/p2", broken)
	res, err := w.get(t, nil, files...)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !regexp.MustCompile(`^read http://[^ ]+/a-seq.parts: sequence file 3: `).MatchString(err.Error()) {
		t.Errorf("error %v, want io.ErrUnexpectedEOF with the index of the file", err)
	}
	wantFiles(t, w.dir, named(files[:2]...))
	wantResult(t, res, files[:2]...)
}

// Where a limit is within a part, that is read on until it is known to be right, and so are the files before the limit.
func TestGetSequenceLimitInACorruptPart(t *testing.T) {
	files, stream, ends := many(100)
	bad := strings.Repeat(packed(strings.Repeat("x", 10_000)), 400)[:ends[1]-ends[0]] // reaches each limit by itself
	for name, limits := range map[string]Limits{
		"files":  {Files: 20},
		"bytes":  {Bytes: int64(20 * len(files[0]))},
		"length": {Bytes: int64(21*len(files[0]) - 1)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, stream, ends, bad)
			res, err := w.get(t, &GetOptions{Limits: limits}, files...)
			if !errors.Is(err, ErrLimit) {
				t.Errorf("error %v, want ErrLimit", err)
			}
			w.wantTakenBack(t)
			wantFiles(t, w.dir, named(files[:20]...))
			wantResult(t, res, files[:20]...)
		})
	}
}

// A part without an end is not read on for ever, and nothing of it is taken for right.
func TestGetSequenceLimitInAnEndlessPart(t *testing.T) {
	origin := newFarm(t)
	frame := packed("frame")
	origin.Serve("/p", farm.Resource{Gen: func(off int64, p []byte) int {
		for i := range p {
			p[i] = frame[(off+int64(i))%int64(len(frame))]
		}
		return len(p)
	}})
	first, _, _ := strings.Cut(promised("p", frame), "&size")
	origin.Serve("/first", farm.Resource{Body: []byte(packed("first"))})
	origin.Serve("/a-seq.parts", farm.Resource{Body: []byte(promised("first", packed("first")) + "\n--\n" + first)})
	dir := t.TempDir()
	opts := &GetOptions{Limits: Limits{Files: 5}}
	res, err := newClient(t).Get(t.Context(), origin.URL("/a-seq.parts"), filepath.Join(dir, "FILE"), opts)
	if !errors.Is(err, ErrLimit) {
		t.Errorf("error %v, want ErrLimit", err)
	}
	wantFiles(t, dir, named("first"))
	wantResult(t, res, "first")
}

// silent is a Source of a manifest at x:a-seq.parts and of parts that say their text and then nothing.
func silent(manifest string, parts map[string]string) source.Source {
	return source.Func(func(ctx context.Context, raw string, rng source.Range) (*source.Resource, error) {
		if text, ok := parts[raw]; ok {
			body := newSilentBody(ctx, text)
			return &source.Resource{Info: source.Info{URL: raw, Size: -1}, Len: -1, Body: body}, nil
		}
		return shelf{"x:a-seq.parts": manifest}.Open(ctx, raw, rng)
	})
}

// A file appears with its last byte, however long nothing follows; with a promised digest, once that is known. When the
// time is up, those stay that have appeared.
func TestGetSequenceOfASilentPart(t *testing.T) {
	stream := packed("one", "two", "three")
	whole := stream + "\x00\x00"
	tests := []struct {
		name, part string
		want       int
	}{
		{"without a digest", "x:part", 3},
		{"with a digest", promised("x:part", whole), 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			want := named([]string{"one", "two", "three"}[:test.want]...)
			synctest.Test(t, func(t *testing.T) {
				c := &Client{Source: silent(test.part, map[string]string{"x:part": whole[:len(whole)-1]})}
				ended := make(chan error)
				go func() {
					_, err := c.Get(t.Context(), "x:a-seq.parts", filepath.Join(dir, "FILE"), &GetOptions{Limits: Limits{Time: time.Hour}})
					ended <- err
				}()
				synctest.Wait()
				wantWhole(t, dir, []string{"one", "two", "three"}[:test.want])
				if _, err := os.Stat(filepath.Join(dir, "FILE-file3")); (err == nil) != (test.want == 3) {
					t.Errorf("FILE-file3: %v", err)
				}
				if err := <-ended; !errors.Is(err, ErrLimit) {
					t.Errorf("error %v, want ErrLimit", err)
				}
			})
			wantFiles(t, dir, want)
		})
	}
}
