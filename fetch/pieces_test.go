package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
)

// piecesOf are the digests of data's pieces.
func piecesOf(t *testing.T, data []byte, length int, algorithm string) *Pieces {
	t.Helper()
	p := &Pieces{Length: int64(length), Algorithm: algorithm}
	for piece := range slices.Chunk(data, length) {
		h, err := checksum.New(algorithm)
		must(t, err)
		h.Write(piece)
		p.Sums = append(p.Sums, h.Sum(nil))
	}
	return p
}

// lying is data but for the bytes at offs.
func lying(data []byte, offs ...int) []byte {
	b := bytes.Clone(data)
	for _, off := range offs {
		b[off] ^= 1
	}
	return b
}

// heard keeps the events of some types.
type heard struct {
	mu     sync.Mutex
	events []event.Event
}

func (h *heard) sink(e event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Type == event.Failed || e.Type == event.Aside {
		h.events = append(h.events, e)
	}
}

func (h *heard) of(kind event.Type) (all []event.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.Type == kind {
			all = append(all, e)
		}
	}
	return all
}

// wantBad: one piece was wrong, the one at off; url gave it.
func (h *heard) wantBad(t *testing.T, url string, off int64) {
	t.Helper()
	failed := slices.DeleteFunc(h.of(event.Failed), func(e event.Event) bool { return e.Kind == "timeout" }) // a slow start is no lie
	if len(failed) != 1 || failed[0].URL != url || failed[0].Off != off || failed[0].Kind != "corrupt" {
		t.Errorf("%+v, want one of %q at %d", failed, url, off)
	}
}

// However a piece that is wrong came about, the file is right in the end, and it is told who gave it.
func TestPieces(t *testing.T) {
	data := content(8<<20 + 5)
	bad := lying(data, 3_500_000)
	same := func(r farm.Resource) farm.Resource { r.ETag = `"1"`; return r }
	for _, c := range []struct {
		name  string
		x, y  farm.Resource // y has a Body where there is a second mirror
		wrong bool          // /x gives a wrong piece, in any case
	}{
		{name: "right", x: farm.Resource{Body: data}},
		{name: "of two mirrors", x: farm.Resource{Body: data}, y: farm.Resource{Body: data, ETag: farm.NoETag}},
		{name: "one lies, the other does not", x: farm.Resource{Body: bad}, y: farm.Resource{Body: data}},
		{name: "the only one lies once", x: farm.Then(same(farm.Resource{Body: bad}), same(farm.Resource{Body: data})), wrong: true},
		{name: "no ranges, once", x: farm.Then(same(farm.Resource{Body: bad, NoRange: true}), same(farm.Resource{Body: data, NoRange: true})), wrong: true},
		{name: "no length", x: farm.Resource{Body: data, NoRange: true, NoLength: true}},
		{name: "breaks", x: farm.Resource{Body: data, BreakAfter: 3 << 20}},
	} {
		for _, length := range []int{64 << 10, 300_000, 1 << 20, 4 << 20, 100 << 20} {
			for _, hashes := range [][]string{nil, sha256Only} {
				t.Run(fmt.Sprintf("%s, %d, %v", c.name, length, hashes), func(t *testing.T) {
					f := farm.New()
					defer f.Close()
					f.Serve("/x", c.x)
					urls := []string{f.URL("/x")}
					if c.y.Body != nil {
						f.Serve("/y", c.y)
						urls = append(urls, f.URL("/y"))
					}
					var h heard
					path := filepath.Join(t.TempDir(), "x")
					done, err := download(t.Context(), t, path, &ObjectOptions{Hashes: hashes, Connections: len(urls),
						Pieces: piecesOf(t, data, length, checksum.SHA256), Events: h.sink}, urls...)
					must(t, err)
					wantWhole(t, path, data, done)
					if c.wrong {
						h.wantBad(t, f.URL("/x"), int64(3_500_000/length*length))
					}
					if aside := h.of(event.Aside); len(aside) > 0 && (c.y.Body == nil || aside[0].URL != f.URL("/x")) {
						t.Errorf("set aside: %+v", aside)
					}
				})
			}
		}
	}
}

// A mirror that lies is named and not asked any more.
func TestLyingMirrorIsNamed(t *testing.T) {
	data := content(8 << 20)
	for _, length := range []int{64 << 10, 300_000, 1 << 20} {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			found := make(chan struct{})
			f.Serve("/x", farm.Resource{Body: lying(data, 100)})
			f.Serve("/y", farm.Resource{Body: data, HangHeader: true, Release: found})
			var h heard
			tell := sync.OnceFunc(func() { close(found) })
			sink := func(e event.Event) {
				if h.sink(e); e.Type == event.Failed && e.Kind == "corrupt" {
					tell()
				}
			}
			path := filepath.Join(t.TempDir(), "x")
			done, err := download(t.Context(), t, path, &ObjectOptions{Connections: 2, Hashes: sha256Only,
				Pieces: piecesOf(t, data, length, checksum.MD5), Events: sink}, f.URL("/x"), f.URL("/y"))
			must(t, err)
			wantWhole(t, path, data, done)
			h.wantBad(t, f.URL("/x"), 0)
			if aside := h.of(event.Aside); len(aside) != 1 || aside[0].URL != f.URL("/x") || aside[0].Kind != "corrupt" {
				t.Errorf("set aside: %+v", aside)
			}
		})
	}
}

// Where nobody has the piece there is no file, and the error says why.
func TestPieceThatNobodyHas(t *testing.T) {
	data := content(8 << 20)
	for _, c := range []struct {
		name string
		has  [][]byte
	}{
		{"the only one lies", [][]byte{lying(data, 100)}},
		{"all of it is another", [][]byte{bytes.Repeat([]byte("x"), len(data))}},
		{"both lie in the same piece", [][]byte{lying(data, 100), lying(data, 200)}},
		{"another size", [][]byte{data[:3<<20]}},
		{"no such thing", [][]byte{data[:3<<20], lying(data, 8<<20-1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := farm.New()
			defer f.Close()
			var urls []string
			for i, body := range c.has {
				f.Serve(fmt.Sprint("/", i), farm.Resource{Body: body})
				urls = append(urls, f.URL(fmt.Sprint("/", i)))
			}
			path := filepath.Join(t.TempDir(), "x")
			opts := &ObjectOptions{Hashes: sha256Only, Pieces: piecesOf(t, data, 1<<20, checksum.BLAKE3)}
			done, err := download(t.Context(), t, path, opts, urls...)
			if !errors.Is(err, source.ErrCorrupt) {
				t.Fatalf("%+v, %v", done, err)
			}
			if se, ok := errors.AsType[*source.Error](err); !ok || se.Kind != source.KindCorrupt {
				t.Errorf("%v", err)
			}
			if done != nil && done.Fetched > 2*int64(len(data)) {
				t.Errorf("%d bytes were fetched", done.Fetched)
			}
			f.Serve("/right", farm.Resource{Body: data})
			again, err := download(t.Context(), t, path, opts, f.URL("/right"))
			must(t, err)
			wantWhole(t, path, data, again)
		})
	}
}

// Where the size is not told, nothing is fetched again: the end of another answer could be that of anything.
func TestWrongPieceWithoutASize(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(3 << 20)
	f.Serve("/x", farm.Resource{Body: lying(data, 1<<20), NoRange: true, NoLength: true})
	path := filepath.Join(t.TempDir(), "x")
	done, err := download(t.Context(), t, path, &ObjectOptions{Pieces: piecesOf(t, data, 1<<20, checksum.SHA256)}, f.URL("/x"))
	if !errors.Is(err, source.ErrCorrupt) || done.Size != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	wantNames(t, path)
}

// A piece that was wrong is not in the journal any more when it is fetched again; what is beside it is.
func TestWrongPieceIsForgotten(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(8 << 20)
	f.Serve("/x", farm.Then(farm.Resource{Body: lying(data, 700_000), ETag: `"1"`}, farm.Resource{Body: data, ETag: `"1"`, StallAt: farm.AtOnce}))
	path := filepath.Join(t.TempDir(), "x")
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	go func() {
		f.Wait(t.Context(), farm.Stuck, "/x", 1)
		cancel(enough)
	}()
	opts := &ObjectOptions{Connections: 1, Pieces: piecesOf(t, data, 300_000, checksum.SHA256)}
	done, err := download(ctx, t, path, opts, f.URL("/x"))
	if !errors.Is(err, enough) || done.Size != 8<<20-300_000 {
		t.Fatalf("%+v, %v", done, err)
	}
	wantLeft(t, path, data, done.Size)

	f.Serve("/x", farm.Resource{Body: data, ETag: `"1"`})
	again, err := download(t.Context(), t, path, opts, f.URL("/x"))
	must(t, err)
	wantWhole(t, path, data, again)
	if again.Resumed != done.Size || again.Fetched != 300_000 {
		t.Errorf("%+v", again)
	}
}

// leftWhole is all of data as an earlier download has left it, opened; the bytes at offs were damaged after that.
func leftWhole(t *testing.T, path string, data []byte, size int64, offs ...int64) *File {
	t.Helper()
	must(t, os.WriteFile(path+Ext, data, 0o600))
	s := &journal.State{Header: journal.Header{Size: int64(len(data))}}
	for off := int64(0); off < size; off += 1 << 20 {
		x := span.Span{Off: off, End: min(off+1<<20, size)}
		s.Ranges = append(s.Ranges, journal.Range{Span: x, CRC: journal.Checksum(data[x.Off:x.End]), Durable: true})
	}
	j, err := journal.Create(path+journal.Ext, s)
	must(t, err)
	must(t, j.Close())
	left, err := Resume(t.Context(), path, nil)
	must(t, err)
	for _, off := range offs {
		_, err := left.WriteAt([]byte{data[off] ^ 1}, off)
		must(t, err)
	}
	return left
}

// goOn is a download that goes on with left.
func goOn(t *testing.T, src source.Source, left *File, opts ObjectOptions, urls ...string) (*Done, error) {
	t.Helper()
	var mirrors []Mirror
	for _, u := range urls {
		mirrors = append(mirrors, Mirror{URL: u})
	}
	opts.Left = left
	o, err := OpenObject(t.Context(), src, mirrors, &opts)
	if err != nil {
		must(t, left.Keep())
		return nil, err
	}
	defer o.Close()
	return o.To(left)
}

// Pieces that were damaged on the disk are fetched again, and nothing else is; it is nobody's fault.
func TestResumeDamagedPieces(t *testing.T) {
	data := content(16 << 20)
	for _, c := range []struct {
		name    string
		size    int64 // that is there
		damaged []int64
		fetched int64
	}{
		{"nothing is missing, nor damaged", 16 << 20, nil, 0},
		{"nothing is missing", 16 << 20, []int64{0, 5_000_000, 16<<20 - 1}, 3 << 20},
		{"some is missing", 10 << 20, []int64{1 << 20, 9<<20 + 5}, 8 << 20},
		{"some of a piece is missing", 10<<20 + 100, []int64{10<<20 + 50}, 6<<20 - 100 + 1<<20},
		{"much is damaged", 16 << 20, []int64{0, 1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20, 6 << 20, 7 << 20, 8 << 20}, 9 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			synctest.Test(t, func(t *testing.T) { // or an origin that is slow to answer has failed as well
				var h heard
				left := leftWhole(t, path, data, c.size, c.damaged...)
				done, err := goOn(t, inMemory(data), left, ObjectOptions{Hashes: sha256Only, Connections: 2,
					Pieces: piecesOf(t, data, 1<<20, checksum.SHA256), Events: h.sink}, "mem:x", "mem:y")
				must(t, err)
				wantWhole(t, path, data, done)
				if done.Resumed != c.size || done.Fetched != c.fetched {
					t.Errorf("%+v, want %d fetched", done, c.fetched)
				}
				if bad := h.of(event.Failed); len(bad) != len(c.damaged) || len(h.of(event.Aside)) > 0 {
					t.Errorf("%+v", h.events)
				}
				for _, e := range h.of(event.Failed) {
					if e.URL != "" {
						t.Errorf("%+v, which is not the origin's fault", e)
					}
				}
			})
		})
	}
}

// What is there as a whole needs no origin; that it is right is checked all the same.
func TestResumeWhole(t *testing.T) {
	data := content(3 << 20)
	for _, c := range []struct {
		name    string
		damaged []int64
		want    error
	}{{"right", nil, nil}, {"damaged", []int64{5}, source.ErrCorrupt}} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			left := leftWhole(t, path, data, int64(len(data)), c.damaged...)
			done, err := goOn(t, inMemory(nil), left, ObjectOptions{Checksums: []checksum.Sum{sumOf(t, checksum.SHA256, data)}}, "mem:x")
			if !errors.Is(err, c.want) {
				t.Fatalf("%+v, %v", done, err)
			}
			if err != nil {
				wantNames(t, path, filepath.Base(path)+Ext)
				return
			}
			wantWhole(t, path, data, done)
			if done.Opens != 0 || done.Resumed != int64(len(data)) {
				t.Errorf("%+v", done)
			}
		})
	}
}

// What makes no sense is said before anything is asked for.
func TestPiecesThatMakeNoSense(t *testing.T) {
	sum := make([]byte, 32)
	for _, opts := range []ObjectOptions{
		{Pieces: &Pieces{}},
		{Pieces: &Pieces{Length: -1, Algorithm: checksum.SHA256, Sums: [][]byte{sum}}},
		{Pieces: &Pieces{Length: maxPiece + 1, Algorithm: checksum.SHA256, Sums: [][]byte{sum}}},
		{Pieces: &Pieces{Length: 1 << 20, Algorithm: "sha-1", Sums: [][]byte{sum[:20]}}},
		{Pieces: &Pieces{Length: 1 << 20, Algorithm: checksum.SHA256, Sums: [][]byte{sum[:31]}}},
		{Hashes: []string{"sha-1"}},
		{Checksums: []checksum.Sum{{Algorithm: checksum.MD5, Value: sum}}},
		{Checksums: []checksum.Sum{{Algorithm: checksum.SHA256, Value: sum}, sumOf(t, checksum.SHA256, nil)}},
	} {
		o, err := OpenObject(t.Context(), nil, []Mirror{{URL: "mem:x"}}, &opts)
		if err == nil {
			t.Errorf("%+v: %v", opts, o.Close())
		}
	}
}

// TestGivers: who has given a piece is who has given all of it.
func TestGivers(t *testing.T) {
	g := make(givers, 3)
	g.add(span.Span{Off: 0, End: 6}, 1)
	g.add(span.Span{Off: 8, End: 9}, 2)
	g.add(span.Span{Off: 9, End: 12}, 2)
	for _, c := range []struct {
		x     span.Span
		of    int
		parts []given
	}{
		{span.Span{Off: 0, End: 6}, 1, []given{{span.Span{Off: 0, End: 6}, 1}}},
		{span.Span{Off: 8, End: 12}, 2, []given{{span.Span{Off: 8, End: 12}, 2}}},
		{span.Span{Off: 4, End: 9}, several, []given{{span.Span{Off: 4, End: 6}, 1}, {span.Span{Off: 8, End: 9}, 2}, {span.Span{Off: 6, End: 8}, several}}},
		{span.Span{Off: 6, End: 8}, several, []given{{span.Span{Off: 6, End: 8}, several}}},
		{span.Span{Off: 5, End: 7}, several, []given{{span.Span{Off: 5, End: 6}, 1}, {span.Span{Off: 6, End: 7}, several}}},
	} {
		if of, parts := g.of(c.x), g.parts(c.x); of != c.of || !slices.Equal(parts, c.parts) {
			t.Errorf("%v: %d, %v, want %d, %v", c.x, of, parts, c.of, c.parts)
		}
	}
	g.remove(span.Span{Off: 1, End: 10})
	if took := g.take(2); !slices.Equal(slices.Collect(took.All()), []span.Span{{Off: 10, End: 12}}) || g[2].Len() > 0 {
		t.Errorf("%v, and %v are left", took, g[2])
	}
	if of := g.of(span.Span{Off: 0, End: 1}); of != 1 {
		t.Errorf("%d", of)
	}
}

// What was not checked yet may come from mirrors that differ: without the digests of the pieces nothing goes on with it.
func TestPiecesBelongTogether(t *testing.T) {
	f := farm.New()
	defer f.Close()
	data := content(8 << 20)
	pieces := piecesOf(t, data, 1<<20, checksum.SHA256)
	for _, c := range []struct {
		name       string
		begun, now *Pieces
		want       error
	}{
		{"with and with", pieces, pieces, nil},
		{"with and without", pieces, nil, source.ErrChanged},
		{"without and with", nil, pieces, nil},
		{"with those of another size", nil, piecesOf(t, data[:1<<20], 1<<20, checksum.SHA256), source.ErrChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x")
			f.Serve("/x", farm.Resource{Body: data, StallAt: 6<<20 + 100})
			left := cutOff(t, f, path, &ObjectOptions{Connections: 1, Pieces: c.begun})
			f.Serve("/x", farm.Resource{Body: data})
			done, err := download(t.Context(), t, path, &ObjectOptions{Pieces: c.now}, f.URL("/x"))
			if !errors.Is(err, c.want) {
				t.Fatalf("%+v, %v", done, err)
			}
			if err == nil {
				wantWhole(t, path, data, done)
			} else {
				wantLeft(t, path, data, left.Size)
			}
		})
	}
}
