package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"spate/source"
)

func TestTour(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	s := open(t)
	var talk bytes.Buffer
	rows := s.Tour(t.Context(), &talk)
	if t.Failed() || len(rows) != 15 || failed(rows) != nil {
		t.Fatalf("%d rows, %v\n%s", len(rows), failed(rows), &talk)
	}
	// At least so much must have been reached and survived: what is read ahead may add to it.
	want := map[string]struct{ parts, failures, origins int }{
		"text":      {6, 5, 5},
		"manifests": {12, 1, 4},
		"song":      {100, 0, 3},
		"generated": {40, 0, 1},
		"image":     {8, 2, 5},
		"animation": {1, 0, 1},
		"loop":      {8, 0, 3},
		"redirects": {1, 0, 1},
		"drawing":   {3, 0, 3},
		"pixels":    {10, 1, 5},
		"sound":     {10, 1, 5},
		"film":      {10, 1, 5},
		"verses":    {4, 0, 4},
		"mixture":   {1, 0, 1},
		"data":      {10, 1, 5},
	}
	for _, r := range rows {
		w := want[r.Exhibit.Name]
		if r.Parts < int64(w.parts) || r.Failures < int64(w.failures) || r.Origins < w.origins || r.Bytes != r.Exhibit.Bytes {
			t.Errorf("%s: %d parts, %d failures, %d origins, %d bytes; want at least %v", r.Exhibit.Name, r.Parts,
				r.Failures, r.Origins, r.Bytes, w)
		}
		if !strings.Contains(talk.String(), r.Exhibit.URL) {
			t.Error("nothing is told of", r.Exhibit.Name)
		}
	}
	if n := s.origins[2].Requests("/song/chorus"); n != 1 {
		t.Error("the chorus was asked for", n, "times")
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Error("left behind:", left, err)
	}
}

func TestTourSeesEveryDifference(t *testing.T) {
	cases := []struct {
		name, exhibit string
		change        func(*Exhibit)
	}{
		{"digest of a stream", "manifests", func(e *Exhibit) { e.SHA256[0] ^= 1 }},
		{"digest of an endless stream", "song", func(e *Exhibit) { e.SHA256[0] ^= 1 }},
		{"digest of a file", "image", func(e *Exhibit) { e.SHA256[31] ^= 1 }},
		{"digest of pictures", "animation", func(e *Exhibit) { e.SHA256[0] ^= 1 }},
		{"one byte more", "manifests", func(e *Exhibit) { e.Bytes-- }},
		{"one byte less", "manifests", func(e *Exhibit) { e.Bytes++ }},
		{"a byte more of an endless stream", "song", func(e *Exhibit) { e.Bytes-- }},
		{"one picture more", "animation", func(e *Exhibit) { e.Files-- }},
		{"one picture less", "animation", func(e *Exhibit) { e.Files++ }},
		{"one picture more of a loop", "loop", func(e *Exhibit) { e.Files-- }},
	}
	s := open(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := find(t, s, c.exhibit)
			c.change(&e)
			row := visit(t.Context(), e, io.Discard)
			if !errors.Is(row.Err, source.ErrCorrupt) || row.digest() != "WRONG" {
				t.Error(row.Err)
			}
		})
	}
}

func TestTourOfWhatIsMissing(t *testing.T) {
	s := open(t)
	for _, mode := range []Mode{Stream, File, Frames} {
		row := visit(t.Context(), Exhibit{Name: "nothing", URL: s.origins[0].URL("/nothing"), Mode: mode}, io.Discard)
		if row.Err == nil || errors.Is(row.Err, source.ErrCorrupt) {
			t.Error(mode, row.Err)
		}
	}
}

func TestTourEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	rows := open(t).Tour(ctx, io.Discard)
	if len(rows) != 1 || !errors.Is(failed(rows), context.Canceled) {
		t.Error(len(rows), failed(rows))
	}
}
