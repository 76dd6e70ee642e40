package content

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"spate/format/span"
	"spate/source"
)

// opener opens spans of data; wrap is around each reader.
func opener(data string, wrap func(io.Reader) io.Reader) func(off, n int64) (io.ReadCloser, error) {
	return func(off, n int64) (io.ReadCloser, error) {
		if n < 0 {
			n = int64(len(data)) - off
		}
		return io.NopCloser(wrap(strings.NewReader(data[off : off+n]))), nil
	}
}

func plain(r io.Reader) io.Reader { return r }

// idle gives nothing every other time.
func idle(r io.Reader) io.Reader { return &idler{r: r} }

type idler struct {
	r      io.Reader
	isIdle bool
}

func (i *idler) Read(p []byte) (int, error) {
	if i.isIdle = !i.isIdle; i.isIdle {
		return 0, nil
	}
	return i.r.Read(p)
}

func TestBody(t *testing.T) {
	data := strings.Repeat("0123456789abcdef", 300)
	size := int64(len(data))
	ways := map[string]func(io.Reader) io.Reader{"plain": plain, "halves": iotest.HalfReader, "bytes": iotest.OneByteReader,
		"end with the data": iotest.DataErrReader, "idle": idle}
	rep := represent(source.Info{Size: size})
	unsized := represent(source.Info{Size: -1})
	answers := map[string]*answer{"whole": rep.whole(), "length not known": unsized.whole(), "empty": represent(source.Info{}).whole(),
		"range": rep.answer([]span.Span{{Off: 17, End: 2017}}), "to the end": rep.answer([]span.Span{{Off: 1, End: size}}),
		"parts": rep.answer([]span.Span{{Off: 4000, End: size}, {Off: 0, End: 1}, {Off: 100, End: 3900}})}
	for name, a := range answers {
		var want strings.Builder
		for _, p := range a.parts {
			end := p.End
			if end < 0 {
				end = size
			}
			want.WriteString(p.before + data[p.Off:end])
		}
		want.WriteString(a.after)
		if a.length >= 0 && a.length != int64(want.Len()) {
			t.Errorf("%s: length %d, want %d", name, a.length, want.Len())
		}
		for way, wrap := range ways {
			t.Run(name+", "+way, func(t *testing.T) {
				b := &body{parts: a.parts, after: a.after, open: opener(data, wrap)}
				if err := iotest.TestReader(b, []byte(want.String())); err != nil {
					t.Error(err)
				}
				if b.r != nil {
					t.Error("a reader is open")
				}
			})
		}
	}
}

var errBroken = errors.New("broken")

// What comes of a reader that fails, ends or goes on at any place: never the whole and io.EOF.
func TestBodyOfBrokenReaders(t *testing.T) {
	const data = "0123456789"
	for _, way := range []struct {
		name string
		read func(at int) io.Reader
		want error
	}{
		{"fails", func(at int) io.Reader {
			return io.MultiReader(strings.NewReader(data[:at]), iotest.ErrReader(errBroken))
		}, errBroken},
		{"fails with the last bytes", func(at int) io.Reader { return &failing{data[:at], errBroken} }, errBroken},
		{"ends", func(at int) io.Reader { return strings.NewReader(data[:min(at, 9)]) }, io.ErrUnexpectedEOF},
		{"goes on", func(at int) io.Reader { return strings.NewReader(data + strings.Repeat("x", at+1)) }, errTooMany},
		{"is idle for ever", func(at int) io.Reader { return io.MultiReader(strings.NewReader(data[:at]), &failing{}) }, io.ErrNoProgress},
	} {
		for at := range len(data) + 1 {
			for _, wrap := range []func(io.Reader) io.Reader{plain, iotest.OneByteReader} {
				b := &body{parts: []part{{Span: span.Span{End: 10}}}, open: func(int64, int64) (io.ReadCloser, error) {
					return io.NopCloser(wrap(way.read(at))), nil
				}}
				got, err := io.ReadAll(b)
				if !errors.Is(err, way.want) || len(got) == len(data) || !strings.HasPrefix(data, string(got)) {
					t.Errorf("%s at %d: %q, %v", way.name, at, got, err)
				}
				b.close()
			}
		}
	}
}

// A failing reader gives data and err at once.
type failing struct {
	data string
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	n := copy(p, f.data)
	f.data = f.data[n:]
	if f.data == "" {
		return n, f.err
	}
	return n, nil
}

func TestTags(t *testing.T) {
	for list, want := range map[string]int{
		"": 0, ",": 0, `"a"`: 1, `W/"a"`: 1, `w/"a"`: 0, `"a","b"`: 2, " ,\t\"a\" \t, ,W/\"b\" ,": 2, `"a,b"`: 1, `""`: 1, "\"\x80é\"": 1,
		`"a" "b"`: 0, `"a"b`: 0, `"a`: 0, `a`: 0, `"a", b`: 0, `W/a`: 0, `W/ "a"`: 0, `"a b"`: 0, "\"\x7f\"": 0, `W/W/"a"`: 0,
	} {
		if got := parseTags(list); len(got) != want {
			t.Errorf("%q: %q, want %d", list, got, want)
		}
	}
}

// Whatever is in a list of tags: each that is found is one, stands there, and the list of them is found again.
func FuzzTags(f *testing.F) {
	f.Add(`"a", W/"b,c" ,,""`)
	f.Add(`"a" "b"`)
	f.Fuzz(func(t *testing.T, list string) {
		tags := parseTags(list)
		for _, tag := range tags {
			if !isTag(tag) || !strings.Contains(list, tag) {
				t.Fatalf("%q of %q", tag, list)
			}
		}
		if again := parseTags(strings.Join(tags, " , ")); strings.Join(again, "\n") != strings.Join(tags, "\n") {
			t.Fatalf("%q became %q", tags, again)
		}
	})
}

func TestWant(t *testing.T) {
	for text, want := range map[string]string{
		"sha-256=1": "sha-256", "sha-512=1": "sha-512", "sha-512=3, sha-256=10, unixsum=0": "sha-256", "sha-256=2,sha-512=2": "sha-256",
		"sha-256=2 ,\tsha-512=9;q=1": "sha-512", "sha-256=1, sha-256=0": "", "sha-256=0": "", "": "", "md5=10": "", "sha-256": "",
		"sha-256=11": "", "sha-256=-1": "", "sha-256=1.5": "", "sha-256=1,": "", "=1": "", "SHA-256=1": "",
	} {
		var got string
		if d := wantedDigest(map[string][]string{"Want-Content-Digest": {text}}); d != nil {
			got = d.algorithm
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// Ranges of all kinds of a part of an object, in blocks of all sizes: what comes is what was asked for.
func TestBodyAtRandom(t *testing.T) {
	seed := rand.Uint64()
	rnd := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 1<<12)
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	rep := represent(source.Info{Size: int64(len(data))})
	for range 500 {
		var spans []span.Span
		for range 1 + rnd.IntN(5) {
			off := rnd.Int64N(int64(len(data)))
			spans = append(spans, span.Span{Off: off, End: off + 1 + rnd.Int64N(int64(len(data))-off)})
		}
		a := rep.answer(spans)
		var want []byte
		for _, p := range a.parts {
			want = append(append(want, p.before...), data[p.Off:p.End]...)
		}
		b := &body{parts: a.parts, after: a.after, open: opener(string(data), plain)}
		var got bytes.Buffer
		for p := make([]byte, 1+rnd.IntN(300)); ; {
			n, err := b.Read(p)
			got.Write(p[:n])
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("seed %d: %v: %v", seed, spans, err)
			}
		}
		if !bytes.Equal(got.Bytes(), append(want, a.after...)) || int64(got.Len()) != a.length {
			t.Fatalf("seed %d: %v: other bytes", seed, spans)
		}
	}
}
