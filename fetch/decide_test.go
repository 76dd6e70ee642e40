package fetch

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
)

// inside has other bytes between, and there alone: at no seam of parts that begin and end elsewhere.
func inside(data []byte, from, to int) []byte {
	b := bytes.Clone(data)
	for i := from; i < to; i++ {
		b[i] ^= 1
	}
	return b
}

// A digest of the whole decides between mirrors that differ where nothing else could tell. What each gave here was there before, all of it: what
// is asked for now is asked for because of the digest.
func TestDigestDecides(t *testing.T) {
	const size = 8 * MiB
	data := whole[:size]
	lies, liesToo := inside(data, 5*MiB, 6*MiB), inside(data, MiB, 2*MiB)
	parts := []leftPart{{end: 3 * MiB}, {off: 3 * MiB, end: 7 * MiB, giver: 1}, {off: 7 * MiB, end: size}}
	unknown := slices.Clone(parts)
	for i := range unknown {
		unknown[i].unknown = true
	}
	wrong := sumOf(t, checksum.SHA256, other(size))
	for _, tt := range []struct {
		name     string
		has      [3][]byte // what each has; nil: the object
		gone     int       // who is not there any more; 0: nobody, as the first is
		left     []leftPart
		mirrors  int
		promised *checksum.Sum // nil: that of the object
		aside    []int
		asked    [3]bool
		isWrong  bool
	}{
		{name: "the second lies", has: [3][]byte{1: lies}, mirrors: 3, aside: []int{1}, asked: [3]bool{true, false, false}},
		{name: "the second lies, and is none any more", has: [3][]byte{1: lies}, mirrors: 1, aside: []int{1}, asked: [3]bool{true, false, false}},
		{name: "the second gave all, and is none any more", has: [3][]byte{1: lies}, left: []leftPart{{end: size, giver: 1}}, mirrors: 1, aside: []int{1},
			asked: [3]bool{true, false, false}},
		{name: "the second lies, and nobody knows who gave what", has: [3][]byte{1: lies}, left: unknown, mirrors: 3, asked: [3]bool{true, false, false}},
		{name: "the first lies", has: [3][]byte{0: liesToo}, mirrors: 3, aside: []int{0}, asked: [3]bool{true, true, false}},
		{name: "the first two lie", has: [3][]byte{liesToo, lies}, mirrors: 3, aside: []int{0, 1}, asked: [3]bool{true, true, true}},
		{name: "the first lies, the second is gone", has: [3][]byte{0: liesToo}, gone: 1, mirrors: 3, aside: []int{0}, asked: [3]bool{true, true, true}},
		{name: "all lie", has: [3][]byte{liesToo, lies, lies}, mirrors: 3, asked: [3]bool{true, true, true}, isWrong: true},
		{name: "they agree, and something else was promised", promised: &wrong, mirrors: 3, asked: [3]bool{true, true, false}, isWrong: true},
		{name: "one gave all", left: []leftPart{{end: size}}, has: [3][]byte{0: lies}, mirrors: 3, isWrong: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var has []farm.Resource
			var bodies [][]byte
			for i, body := range tt.has {
				if body == nil {
					body = data
				}
				r := farm.Resource{Body: body, ETag: `"1"`}
				if tt.gone > 0 && i == tt.gone {
					r.Status = 404
				}
				bodies, has = append(bodies, body), append(has, r)
			}
			s := newScene(t, data, has...)
			o := &outcome{path: filepath.Join(t.TempDir(), "x")}
			if tt.left == nil {
				tt.left = parts
			}
			s.leave(o.path, s.urls, bodies, tt.left)
			sum := sumOf(t, checksum.SHA256, data)
			if tt.promised != nil {
				sum = *tt.promised
			}
			s.into(t.Context(), o, s.mirrors()[:tt.mirrors], &ObjectOptions{Hashes: sha256Only, Checksums: []checksum.Sum{sum}, Connections: 2,
				MinRange: 256 << 10, Events: o.note, RetryMax: -1})
			for i, want := range tt.asked {
				if got := s.farms[i].Requests("/x") > 0; got != want {
					t.Errorf("mirror %d was asked: %v", i, got)
				}
			}
			if o.done.Fetched > 3*size {
				t.Errorf("%d bytes were fetched", o.done.Fetched)
			}
			if tt.isWrong {
				_, err := os.Stat(o.path + journal.Ext)
				if !errors.Is(o.err, checksum.ErrMismatch) || !errors.Is(o.err, source.ErrCorrupt) || !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%v; the journal: %v", o.err, err)
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

// That a mirror differs from the first that answered says that one of them is wrong; which of them is, the digest says.
func TestDigestDecidesAgainstTheFirst(t *testing.T) {
	data := whole[:usual]
	for name, first := range map[string][]byte{"everywhere": other(usual), "at the end": lyingFrom(data, usual/2, 0)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, data, farm.Resource{Body: first, Rate: 4 * MiB}, farm.Resource{})
			o := &outcome{path: filepath.Join(t.TempDir(), "x")}
			s.into(t.Context(), o, s.mirrors(), &ObjectOptions{Hashes: sha256Only, Checksums: []checksum.Sum{sumOf(t, checksum.SHA256, data)},
				Connections: 4, MinRange: 256 << 10, Events: o.note})
			o.wantFile(t, data)
			if got := o.aside(); !slices.Contains(got, s.urls[0]) {
				t.Errorf("set aside: %v", got)
			}
		})
	}
}
