package assemble_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
)

// medley serves a stream of some parts, some of which break.
func medley(f *farm.Farm) []byte {
	have := stock(f)
	serve(f, "/medley.parts", lines("a", "--", "(*)", "b!cut", "b", "--", "inner.parts", "--", "gone", "ab!cut", "ab!fromzero", "--", "(*)", "b"))
	serve(f, "/inner.parts", lines("c", "--", "--", "abc", "--"))
	return slices.Concat(have["a"], have["b"], have["c"], have["abc"], have["ab"], have["b"])
}

// TestReader: the stream is a good io.Reader.
func TestReader(t *testing.T) {
	f, client := grow(t), web(t, nil)
	data := medley(f)
	for _, ahead := range []int{1, 16} {
		r := open(t, client, f.URL("/medley.parts"), &assemble.Options{Ahead: ahead})
		within(t, "reading", func() {
			if err := iotest.TestReader(struct{ io.Reader }{r}, data); err != nil {
				t.Error(err)
			}
		})
	}
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"bytes": iotest.OneByteReader, "halves": iotest.HalfReader, "data and error": iotest.DataErrReader,
	} {
		r := open(t, client, f.URL("/medley.parts"), nil)
		within(t, "reading "+name, func() {
			got, err := io.ReadAll(wrap(r))
			(&outcome{data: got, err: err}).want(t, data)
		})
	}
}

// TestWriteTo writes all, or what a Read has left.
func TestWriteTo(t *testing.T) {
	f, client := grow(t), web(t, nil)
	data := medley(f)
	for _, first := range []int{0, 1, 3000, 5000, len(data)} {
		r := open(t, client, f.URL("/medley.parts"), nil)
		r.want(data[:first])
		var rest bytes.Buffer
		within(t, "writing", func() {
			n, err := r.WriteTo(&rest)
			if n != int64(len(data)-first) || err != nil || !bytes.Equal(rest.Bytes(), data[first:]) {
				t.Errorf("after %d: wrote %d bytes, %v", first, n, err)
			}
		})
		r.wantEnd()
	}
}

// limited is a writer that has room for n bytes.
type limited struct {
	bytes.Buffer
	n int
}

var errFull = errors.New("full")

func (w *limited) Write(p []byte) (int, error) {
	if room := w.n - w.Len(); len(p) > room {
		n, _ := w.Buffer.Write(p[:room])
		return n, errFull
	}
	return w.Buffer.Write(p)
}

// TestWriteToFull: what the writer did not take is not lost.
func TestWriteToFull(t *testing.T) {
	f, client := grow(t), web(t, nil)
	data := medley(f)
	for _, room := range []int{0, 1, 2999, 3000, 3001, 10_000, len(data) - 1} {
		r := open(t, client, f.URL("/medley.parts"), nil)
		w := &limited{n: room}
		within(t, "writing", func() {
			if n, err := r.WriteTo(w); n != int64(room) || err != errFull {
				t.Errorf("wrote %d bytes, %v", n, err)
			}
		})
		if !bytes.Equal(w.Bytes(), data[:room]) {
			t.Errorf("%d bytes were written, which differ at %d", room, differAt(w.Bytes(), data))
		}
		r.want(data[room:])
		r.wantEnd()
	}
}

// TestWriteToFails: the error of the stream, and the bytes before it.
func TestWriteToFails(t *testing.T) {
	f := grow(t)
	have := stock(f)
	serve(f, "/m.parts", lines("a", "--", "gone"))
	r := open(t, web(t, nil), f.URL("/m.parts"), nil)
	var got bytes.Buffer
	within(t, "writing", func() {
		n, err := r.WriteTo(&got)
		if _, ok := errors.AsType[*assemble.PartError](err); !ok || n != 3000 || !bytes.Equal(got.Bytes(), have["a"]) {
			t.Errorf("wrote %d bytes, %v", n, err)
		}
	})
}

// TestNoBytesWanted: a Read of none returns at once.
func TestNoBytesWanted(t *testing.T) {
	f := grow(t)
	f.Serve("/x", farm.Resource{Body: text("x", 100), StallAt: farm.AtOnce})
	r := open(t, web(t, nil), f.URL("/x"), nil)
	within(t, "reading nothing", func() {
		if n, err := r.Read(nil); n != 0 || err != nil {
			t.Errorf("read %d, %v", n, err)
		}
	})
}

// TestCloseDuringRead: many goroutines close, and ask for Info and Stats, while one reads.
func TestCloseDuringRead(t *testing.T) {
	f := grow(t)
	f.Serve("/x", farm.Resource{Gen: func(off int64, p []byte) int { alphabet(off, p); return len(p) }})
	serve(f, "/m.parts", lines("x", "--", "x"))
	for _, path := range []string{"/x", "/m.parts"} {
		for _, toWriter := range []bool{false, true} {
			r := open(t, web(t, nil), f.URL(path), nil)
			r.want([]byte("abcdefgh"))
			var wg sync.WaitGroup
			wg.Go(func() {
				var err error
				if toWriter {
					_, err = r.WriteTo(io.Discard)
				} else {
					_, err = io.Copy(io.Discard, struct{ io.Reader }{r})
				}
				if err == nil {
					t.Error("an endless stream has ended")
				}
			})
			for range 5 {
				wg.Go(func() {
					r.Info()
					r.Stats()
					if err := r.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			within(t, "closing", wg.Wait)
			wantNoGoroutines(t)
		}
	}
}

// TestInfo: what the origin told of what was asked for.
func TestInfo(t *testing.T) {
	f := grow(t)
	when := time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)
	f.Serve("/x", farm.Resource{Body: text("x", 100), MediaType: "text/plain; charset=utf-8", ETag: `"e"`, ModTime: when, Disposition: "attachment; filename=n.txt"})
	f.Serve("/moved", farm.Resource{Redirect: "/x"})
	serve(f, "/m.parts", lines("x"))
	info := open(t, web(t, nil), f.URL("/moved"), nil).Info()
	if info.URL != f.URL("/x") || info.Size != 100 || !info.Seekable || info.Validator != `"e"` || info.Name != "n.txt" ||
		info.MediaType != "text/plain" || !info.ModTime.Equal(when) {
		t.Errorf("file: %+v", info)
	}
	info = open(t, web(t, nil), f.URL("/m.parts"), nil).Info()
	if info.URL != f.URL("/m.parts") || info.Size != -1 || info.Seekable {
		t.Errorf("manifest: %+v", info)
	}
}

// TestStats: what was counted of a stream, and the events that tell of its parts.
func TestStats(t *testing.T) {
	f, other := grow(t), grow(t)
	stock(f)
	stock(other)
	serve(f, "/m.parts", lines("a", "--", "(*)", other.URL("/b"), "--", "(*)", other.URL("/b"), "--", "gone", farm.Dead()+"/x", other.URL("/c")))
	out := read(t, web(t, nil), f.URL("/m.parts"), nil)
	origins := []string{f.Addr(), other.Addr()}
	slices.Sort(origins)
	s := out.stats
	if s.Parts != 4 || s.Opens != 6 || s.Failures != 2 || s.Cached != 1 || !slices.Equal(s.Origins, origins) {
		t.Errorf("%+v", s)
	}
	var told []string
	for i, e := range out.of(event.Part) {
		if e.Part != int64(i+1) || e.Time.IsZero() {
			t.Errorf("event %+v", e)
		}
		told = append(told, strings.TrimPrefix(strings.TrimPrefix(e.URL, "http://"), e.Origin))
	}
	if want := []string{"/a", "/b", "/b", "/c"}; !slices.Equal(told, want) {
		t.Errorf("parts %q, want %q", told, want)
	}
}

// TestManyStreams: read at the same time, each by a goroutine of its own, with one client and all the rest shared.
func TestManyStreams(t *testing.T) {
	f, client := grow(t), web(t, nil)
	data := medley(f)
	opts := &assemble.Options{Budget: budgetOf(100_000), Ahead: 5, CacheMemory: 5000}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			r, err := assemble.Open(t.Context(), client, f.URL("/medley.parts"), opts)
			if err != nil {
				t.Error(err)
				return
			}
			got, err := io.ReadAll(r)
			(&outcome{data: got, err: errors.Join(err, r.Close())}).want(t, data)
		})
	}
	within(t, "reading", wg.Wait)
	if used := opts.Budget.Used(); used != 0 {
		t.Errorf("%d bytes are still in use", used)
	}
}
