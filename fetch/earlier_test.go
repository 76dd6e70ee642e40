package fetch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/farm"
	"spate/source"
)

// A leftPart is bytes that an earlier download has left.
type leftPart struct {
	off, end int
	giver    int  // of its mirrors
	unknown  bool // to the journal
}

// leave makes what a download from urls, which have these bodies, has left when it was killed.
func (s *scene) leave(path string, urls []string, bodies [][]byte, parts []leftPart) {
	s.t.Helper()
	file, err := os.Create(path + Ext)
	must(s.t, err)
	defer file.Close()
	h := journal.Header{Size: int64(len(s.data))}
	for _, url := range urls {
		h.Origins = append(h.Origins, journal.Origin{URL: url})
	}
	j, err := journal.Create(path+journal.Ext, &journal.State{Header: h})
	must(s.t, err)
	for _, p := range parts {
		for off := p.off; off < p.end; off += MiB {
			b := bodies[p.giver][off:min(off+MiB, p.end)]
			_, err := file.WriteAt(b, int64(off))
			must(s.t, err)
			x := span.Span{Off: int64(off), End: int64(off + len(b))}
			if p.unknown {
				must(s.t, j.Add(x, journal.Checksum(b)))
			} else {
				must(s.t, j.AddFrom(x, journal.Checksum(b), p.giver))
			}
		}
	}
	must(s.t, j.Sync(file))
	must(s.t, j.Close())
}

// What a lying mirror gave, in a download that was killed before that was noticed, is fetched again from the first; it is not the first that is
// blamed. Where the journal does not know who gave what, or the first itself has other bytes than it had, nothing is mixed.
func TestLiarOfAnEarlierDownload(t *testing.T) {
	const size, from = 8 * MiB, 4 * MiB
	data := whole[:size]
	lying := lyingFrom(data, from, 0)
	early, late := leftPart{end: 2 * MiB}, leftPart{off: 6 * MiB, end: 7 * MiB, giver: 1}
	for _, tt := range []struct {
		name    string
		left    []leftPart
		now     farm.Resource // of the first
		mirrors []int         // now
		aside   []int         // of the mirrors, or those of before, are named
		err     error
	}{
		{name: "with the same mirrors", left: []leftPart{early, late}, mirrors: []int{0, 1}, aside: []int{1}},
		{name: "without it", left: []leftPart{early, late}, mirrors: []int{0}, aside: []int{1}},
		{name: "with another one", left: []leftPart{early, late}, mirrors: []int{0, 2}, aside: []int{1}},
		{name: "it gave all", left: []leftPart{{end: 7 * MiB, giver: 1}}, mirrors: []int{0}, aside: []int{1}},
		{name: "it gave nothing that is wrong", left: []leftPart{early, {off: 2 * MiB, end: 3 * MiB, giver: 1}}, mirrors: []int{0}},
		{name: "it was honest, and is no mirror any more", left: []leftPart{early, {off: 6 * MiB, end: 7 * MiB, giver: 2}}, mirrors: []int{0}},
		{name: "the first answers no ranges any more", left: []leftPart{early, late}, mirrors: []int{0}, now: farm.Resource{NoRange: true}},
		{name: "nobody knows who gave what", mirrors: []int{0, 2}, left: []leftPart{{end: 2 * MiB, unknown: true},
			{off: 6 * MiB, end: 7 * MiB, giver: 2, unknown: true}}},
		{name: "nobody knows who lies", mirrors: []int{0, 1}, left: []leftPart{{end: 2 * MiB, unknown: true},
			{off: 6 * MiB, end: 7 * MiB, giver: 1, unknown: true}}, err: source.ErrChanged},
		{name: "the first has changed", left: []leftPart{early, late}, mirrors: []int{0, 1}, now: farm.Resource{Body: other(size)}, err: source.ErrChanged},
		{name: "the first has changed, and it is alone", left: []leftPart{early, late}, mirrors: []int{0}, now: farm.Resource{Body: other(size)},
			err: source.ErrChanged},
		{name: "the first is gone, and the other lies", left: []leftPart{early, late}, mirrors: []int{0, 3}, now: farm.Resource{Status: 404},
			err: source.ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.now.ETag = farm.NoETag
			s := newScene(t, data, tt.now, farm.Resource{Body: lying}, farm.Resource{}, farm.Resource{Body: lyingFrom(data, 0, 2)})
			o := &outcome{path: filepath.Join(t.TempDir(), "x")}
			s.leave(o.path, s.urls[:3], [][]byte{data, lying, data}, tt.left)
			var mirrors []Mirror
			for _, i := range tt.mirrors {
				mirrors = append(mirrors, Mirror{URL: s.urls[i]})
			}
			s.into(t.Context(), o, mirrors, &ObjectOptions{Hashes: sha256Only, Connections: 4, MinRange: 256 << 10, Events: o.note, RetryMax: -1})
			if tt.err != nil {
				if !errors.Is(o.err, tt.err) {
					t.Errorf("%v, want %v", o.err, tt.err)
				}
				return
			}
			o.wantFile(t, data)
			var want []string
			for _, i := range tt.aside {
				want = append(want, s.urls[i])
			}
			if got := o.aside(); !slices.Equal(got, want) {
				t.Errorf("set aside: %v, want %v", got, want)
			}
		})
	}
}

// TestLiarsAndKills: a download that is killed again and again, and gone on with, is what the first mirror has, whatever the others gave, as
// long as that one is there.
func TestLiarsAndKills(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for i := range uint64(16) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, i))
			data := whole[:usual/2+r.IntN(usual/2)]
			s := newScene(t, data, append([]farm.Resource{{Rate: 6 * MiB}}, liars(r, data)...)...)
			o := &outcome{path: filepath.Join(t.TempDir(), "x")}
			enough := errors.New("enough")
			for lap := range 4 {
				ctx, cancel := context.WithCancelCause(t.Context())
				mirrors := s.mirrors()
				if lap == 3 {
					mirrors = mirrors[:1+r.IntN(len(mirrors))]
				} else {
					f := s.farms[r.IntN(len(s.farms))]
					n := f.Requests("/x") + 1 + r.IntN(6)
					go func() {
						_ = f.Wait(ctx, farm.Answered, "/x", n) // it may have ended before
						cancel(enough)
					}()
				}
				s.into(ctx, o, mirrors, &ObjectOptions{Hashes: sha256Only, Connections: r.IntN(6), MinRange: 256 << 10, RetryMax: -1})
				if cancel(nil); o.err == nil {
					o.wantFile(t, data)
					return
				}
			}
			t.Error(causes(o.err))
		})
	}
}
