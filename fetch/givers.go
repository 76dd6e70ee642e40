package fetch

import (
	"io"

	"spate/format/span"
)

const (
	several = -1 // is the giver of bytes that did not all come from one source, or were there before
	nobody  = -2 // of those that are not there any more
)

// givers are what each source has given of what is there.
type givers []span.Set

func (g givers) add(x span.Span, giver int) { g[giver].Add(x) }

func (g givers) remove(x span.Span) {
	for i := range g {
		g[i].Remove(x)
	}
}

// take takes out what a source has given.
func (g givers) take(giver int) *span.Set {
	x := g[giver]
	g[giver] = span.Set{}
	return &x
}

// of is who has given all of x.
func (g givers) of(x span.Span) int {
	for i := range g {
		if g[i].Covers(x) {
			return i
		}
	}
	return several
}

// A given is bytes that are there, and who gave them.
type given struct {
	span.Span
	giver int
}

// parts are who has given what of x.
func (g givers) parts(x span.Span) (parts []given) {
	before := span.Of(x)
	for i := range g {
		its := span.Of(x)
		for gap := range g[i].Gaps(x) {
			its.Remove(gap)
		}
		for y := range its.All() {
			parts = append(parts, given{y, i})
			before.Remove(y)
		}
	}
	for y := range before.All() {
		parts = append(parts, given{y, several})
	}
	return parts
}

// A stretch is bytes that are there, to compare others with.
type stretch struct {
	io.ReaderAt
	parts []given
}

// pin has what is there of x: all, unless its giver was set aside meanwhile. d.mu is held: nobody can take it back meanwhile, and write it
// anew.
func (d *driver) pin(x span.Span) *stretch {
	s := &stretch{d.opts.Left, d.givers.parts(x)}
	for i, p := range s.parts {
		if p.giver == several && !d.written.Covers(p.Span) {
			s.parts[i].giver = nobody
		}
	}
	if d.target != nil {
		s.ReaderAt = d.target.pin(x)
	}
	return s
}

// reads reports whether n bytes at off can be read.
func (s *stretch) reads(off, n int64) bool {
	_, err := s.ReadAt(make([]byte, n), off)
	return err == nil
}
