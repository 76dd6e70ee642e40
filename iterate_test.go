package spate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"spate/format/sequence"
	"spate/internal/farm"
	"spate/source"
)

func TestChunks(t *testing.T) {
	tests := []struct {
		name, text string
		size       int
		want       []string
	}{
		{"empty", "", 4, nil},
		{"one less than a chunk", "abc", 4, []string{"abc"}},
		{"one chunk", "abcd", 4, []string{"abcd"}},
		{"one more than a chunk", "abcde", 4, []string{"abcd", "e"}},
		{"two chunks", "abcdefgh", 4, []string{"abcd", "efgh"}},
		{"single bytes", "abc", 1, []string{"a", "b", "c"}},
		{"far greater than the stream", "abc", 1 << 20, []string{"abc"}},
	}
	readers := map[string]func(io.Reader) io.Reader{
		"whole":    func(r io.Reader) io.Reader { return r },
		"one byte": iotest.OneByteReader,
		"data err": iotest.DataErrReader,
	}
	for _, test := range tests {
		for how, wrap := range readers {
			t.Run(test.name+", "+how, func(t *testing.T) {
				c := &Client{Source: bodies(func(context.Context) io.ReadCloser {
					return io.NopCloser(wrap(strings.NewReader(test.text)))
				})}
				chunks := c.Chunks(t.Context(), "x:text", test.size)
				for range 2 { // it can be used again
					var got []string
					for chunk, err := range chunks {
						must(t, err)
						got = append(got, string(chunk))
					}
					wantStrings(t, "chunks", got, test.want...)
				}
			})
		}
	}
}

func TestChunksOfABadSize(t *testing.T) {
	for _, size := range []int{0, -1} {
		n := 0
		for chunk, err := range new(Client).Chunks(t.Context(), "x:text", size) {
			n++
			if err == nil || chunk != nil {
				t.Errorf("size %d: %q, %v", size, chunk, err)
			}
		}
		if n != 1 {
			t.Errorf("size %d: %d rounds", size, n)
		}
	}
}

func TestChunksWithAnError(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/cut", farm.Resource{Body: []byte("0123456789"), BreakAt: 6})
	c := newClient(t)
	var got []string
	var last error
	for chunk, err := range c.Chunks(t.Context(), origin.URL("/cut"), 4) {
		if last != nil {
			t.Fatal("the iteration went on after an error")
		}
		got, last = append(got, string(chunk)), err
	}
	wantStrings(t, "chunks", got, "0123", "45")
	if last == nil {
		t.Error("no error although the stream was cut")
	}
	for chunk, err := range c.Chunks(t.Context(), origin.URL("/missing"), 4) {
		if len(chunk) > 0 || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("missing: %q, %v", chunk, err)
		}
	}
}

func TestChunksWithoutEnd(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/endless", farm.Resource{Gen: func(off int64, p []byte) int {
		for i := range p {
			p[i] = byte((off + int64(i)) % 251)
		}
		return len(p)
	}})
	n := 0
	for chunk, err := range newClient(t).Chunks(t.Context(), origin.URL("/endless"), 1000) {
		must(t, err)
		for i, b := range chunk {
			if b != byte((n*1000+i)%251) {
				t.Fatalf("wrong byte at %d of chunk %d", i, n)
			}
		}
		if n++; n == 1000 {
			break
		}
	}
	must(t, origin.Wait(t.Context(), farm.Ended, "/endless", 1)) // leaving the loop has ended the request
}

func TestFiles(t *testing.T) {
	tests := []struct {
		name, stream string
		want         []string
		err          error
	}{
		{"empty", "", nil, nil},
		{"one", packed("only"), []string{"only"}, nil},
		{"three", packed("one", "two", "three"), []string{"one", "two", "three"}, nil},
		{"files without bytes", packed("", "a", "", ""), []string{"", "a", "", ""}, nil},
		{"cut in a length", packed("one") + "\x00\x00", []string{"one"}, io.ErrUnexpectedEOF},
		{"cut in a body", packed("one") + "\x00\x00\x00\x05two", []string{"one", "two"}, io.ErrUnexpectedEOF},
		{"cut behind a length", "\x00\x00\x00\x05", []string{""}, io.ErrUnexpectedEOF},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := &Client{Source: shelf{"x:stream": test.stream}}
			var got []string
			var last error
			for f, err := range c.Files(t.Context(), "x:stream") {
				if err != nil {
					last = err
					break
				}
				if f.Index != len(got)+1 {
					t.Errorf("file %d has index %d", len(got)+1, f.Index)
				}
				body, err := io.ReadAll(f)
				got = append(got, string(body))
				if err != nil {
					last = err
				}
			}
			wantStrings(t, "files", got, test.want...)
			if !errors.Is(last, test.err) {
				t.Errorf("error %v, want %v", last, test.err)
			}
			if _, cut := errors.AsType[*sequence.CutError](last); cut != (test.err != nil) {
				t.Errorf("error %v: CutError %v", last, cut)
			}
		})
	}
}

// A cut file that nobody reads is an error of the iteration, which names the stream.
func TestFilesSkipped(t *testing.T) {
	c := &Client{Source: shelf{"x:stream": packed("one", "two") + "\x00\x00\x00\x05thr"}}
	n := 0
	for f, err := range c.Files(t.Context(), "x:stream") {
		if n++; n <= 3 {
			must(t, err)
			if f.Index != n {
				t.Errorf("round %d: file %d", n, f.Index)
			}
			continue
		}
		e, ok := errors.AsType[*source.Error](err)
		if !ok || e.Kind != source.KindProtocol || !strings.Contains(err.Error(), "x:stream") {
			t.Errorf("error %v", err)
		}
	}
	if n != 4 {
		t.Errorf("%d rounds, want 4", n)
	}
}

// What breaks behind a file tells the stream, and then the file.
func TestFilesOfAStreamThatBreaks(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/x-seq", farm.Resource{Body: []byte(packed("one", "two")), BreakAt: 7})
	var last error
	for _, err := range newClient(t).Files(t.Context(), origin.URL("/x-seq")) {
		last = err
	}
	if last == nil || !strings.HasPrefix(last.Error(), "read "+origin.URL("/x-seq")+": sequence file 2: ") {
		t.Errorf("error %v", last)
	}
}

func TestNoProgressNamesTheStream(t *testing.T) {
	origin := newFarm(t)
	origin.Serve("/idle.parts", farm.Resource{Body: []byte("idle.parts\n")})
	for _, err := range newClient(t).Chunks(t.Context(), origin.URL("/idle.parts"), 10) {
		if !errors.Is(err, io.ErrNoProgress) || !strings.HasPrefix(err.Error(), "read "+origin.URL("/idle.parts")+": ") {
			t.Errorf("error %v", err)
		}
	}
}

func TestFilesOfWhatCannotBeOpened(t *testing.T) {
	n := 0
	for f, err := range (&Client{Source: shelf{}}).Files(t.Context(), "x:missing") {
		n++
		if f != nil || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, %v", f, err)
		}
	}
	if n != 1 {
		t.Errorf("%d rounds, want 1", n)
	}
}

func TestFilesWithoutEnd(t *testing.T) {
	origin := newFarm(t)
	frame := []byte(packed(strings.Repeat("frame", 200)))
	origin.Serve("/endless-seq", farm.Resource{Gen: func(off int64, p []byte) int {
		for i := range p {
			p[i] = frame[(off+int64(i))%int64(len(frame))]
		}
		return len(p)
	}})
	for f, err := range newClient(t).Files(t.Context(), origin.URL("/endless-seq")) {
		must(t, err)
		body, err := io.ReadAll(f)
		must(t, err)
		sameBytes(t, body, frame[4:])
		if f.Index == 100 {
			break
		}
	}
	must(t, origin.Wait(t.Context(), farm.Ended, "/endless-seq", 1))
}

// A file is handed on before its last byte has come.
func TestFilesArriveEarly(t *testing.T) {
	c := &Client{Source: bodies(func(ctx context.Context) io.ReadCloser {
		return newSilentBody(ctx, "\x00\x00\x00\x08half")
	})}
	for f, err := range c.Files(t.Context(), "x:stream") {
		must(t, err)
		half := make([]byte, 4)
		_, err := io.ReadFull(f, half)
		must(t, err)
		if !bytes.Equal(half, []byte("half")) || f.Size != 8 {
			t.Errorf("file of %d bytes begins with %q", f.Size, half)
		}
		break
	}
}

// The files of an iteration are handed on at once, and cannot be taken back.
func TestFilesOfACorruptPart(t *testing.T) {
	stream := packed(big('a'), "last")
	w := newWorld(t, stream, []int{0, len(stream)}, flipped(stream))
	var last error
	for f, err := range w.client.Files(t.Context(), w.url) {
		if err == nil {
			_, err = io.Copy(io.Discard, f)
		}
		last = err
	}
	if !errors.Is(last, source.ErrCorrupt) {
		t.Errorf("error %v, want source.ErrCorrupt", last)
	}
}
