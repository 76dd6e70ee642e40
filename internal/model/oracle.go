// Package model is the oracle that the assembly of streams is tested against: worlds of data and manifests in memory,
// and the plainest program that reads one, recursively and in order, keeping all bytes.
package model

import (
	"bytes"
	"errors"
	"io"

	"spate/format/manifest"
)

// Result is what reading a world gives.
type Result struct {
	Out  []byte
	Err  error // nil: the end of the stream; ErrLimit, ErrDepth, ErrSteps; ErrFailed: no alternative is left
	Part int   // leaves begun
}

// Why reading a world ended before its end.
var (
	ErrLimit  = errors.New("as many bytes as wanted")
	ErrDepth  = errors.New("too deep")
	ErrSteps  = errors.New("too many steps")
	ErrFailed = errors.New("no alternative left")
)

// Read reads url, up to limit bytes, as the specification says.
func (w World) Read(url string, limit, depth int) Result {
	r := &run{w: w, limit: limit, depth: depth, steps: 5000, cached: make(map[string]bool)}
	f := r.part(manifest.Part{Alternatives: []string{url}}, 0)
	res := Result{Out: r.out, Part: r.leaves}
	switch {
	case f == nil:
	case f.stop != nil:
		res.Err = f.stop
	default:
		res.Err = ErrFailed
	}
	return res
}

// A run has handed on out. It is executing cur: the same, or, while it replays, less.
type run struct {
	w            World
	out, cur     []byte
	limit, depth int
	steps        int
	leaves       int
	cached       map[string]bool
}

// A fail is how a part, or a manifest, failed: how far it got, whether what it gave agrees with out as far as that is
// known, and whether all is over.
type fail struct {
	need  int
	exact bool
	stop  error
}

// An attempt is what the alternatives of one part have come to.
type attempt struct {
	start    int  // of the part, in the stream
	need     int  // how far the part got
	exact    bool // the bytes so far may be those of the part
	fetching bool // the last alternative was data and broke: the next goes on from there
	summed   bool // it began at the part's first byte, and there were others to compare the beginning with
	others   bool // there are alternatives behind this one
	size     int  // of it, -1: not known
	resumed  bool // an alternative was tried after the last that answered
}

func (r *run) part(p manifest.Part, depth int) *fail {
	a := &attempt{start: len(r.cur), exact: true, size: -1}
	for _, u := range p.Alternatives {
		if p.Cacheable && r.cached[u] {
			if r.cur = r.cur[:a.start]; r.data(a, r.w[u]) {
				return nil
			}
			a.fetching = false
			break
		}
	}
	for i, u := range p.Alternatives {
		a.others = i+1 < len(p.Alternatives)
		if r.steps--; r.steps < 0 {
			return &fail{stop: ErrSteps}
		}
		n := r.w[u]
		switch {
		case n == nil:
			a.resumed = true
		case n.Manifest:
			if f := r.nested(a, n, depth); f == nil || f.stop != nil {
				return f
			}
		default:
			done, fromStart := r.leaf(a, n)
			if fromStart && p.Cacheable && n.Break < 0 {
				r.cached[u] = true
			}
			if done {
				return nil
			}
			if len(r.out) >= r.limit {
				return &fail{stop: ErrLimit}
			}
		}
	}
	if a.resumed && !a.fetching && !(a.exact && len(r.cur) == a.need) {
		r.cur, a.exact = r.cur[:a.start], true
	}
	if a.exact {
		a.need = max(a.need, len(r.cur))
	}
	return &fail{need: a.need, exact: a.exact}
}

// nested executes a manifest as an alternative. It returns nil if that is the part.
func (r *run) nested(a *attempt, n *Node, depth int) *fail {
	if a.fetching {
		a.need = max(a.need, len(r.cur))
	}
	if depth > r.depth {
		return &fail{stop: ErrDepth}
	}
	a.fetching, a.resumed = false, false
	r.cur = r.cur[:a.start]
	f := r.manifest(n, depth)
	switch {
	case f == nil && len(r.cur) >= a.need:
		return nil
	case f == nil:
		f = &fail{need: a.need}
	}
	a.need, a.exact = min(max(a.need, f.need), len(r.out)), f.exact
	return f
}

func (r *run) manifest(n *Node, depth int) *fail {
	d := manifest.NewDecoder(n.text())
	p, err := d.Next()
	for err == nil {
		var after manifest.Part
		after, err = d.Next()
		inner := depth
		if err != io.EOF {
			inner++
		}
		if f := r.part(p, inner); f != nil {
			return f
		}
		p = after
	}
	if err != io.EOF {
		return &fail{need: len(r.cur), exact: true}
	}
	return nil
}

// leaf reads data as an alternative. It reports whether that is the part, and whether it was asked for from its first
// byte: then it can be kept.
func (r *run) leaf(a *attempt, n *Node) (done, fromStart bool) {
	off := len(r.cur) - a.start
	switch {
	case !a.fetching:
		if !a.exact || len(r.cur) != a.need {
			r.cur = r.cur[:a.start]
			off = 0
		}
		a.resumed = true
		if off > len(n.Data) && !n.NoSize {
			return false, false
		}
		fromStart = off == 0
		if n.NoRange && off > 0 {
			r.cur = r.cur[:a.start]
			off = 0
		}
		a.summed, a.size = off == 0 && (n.NoRange || a.others), -1
	case off > 0:
		if a.size >= 0 && !n.NoSize && a.size != len(n.Data) || !n.NoSize && off > len(n.Data) {
			return false, false
		}
		if n.NoRange && !a.summed {
			a.need = max(a.need, len(r.cur))
			r.cur = r.cur[:a.start]
			a.summed, a.exact, a.size = true, true, -1
		} else if n.NoRange && !bytes.Equal(n.served(0, off), r.cur[a.start:]) {
			return false, false
		}
	}
	return r.data(a, n), fromStart
}

// data reads n from where cur stands.
func (r *run) data(a *attempt, n *Node) bool {
	r.leaves++
	began := a.fetching
	a.fetching, a.resumed, a.exact = true, false, true
	size, before := len(n.Data), len(r.cur)
	if a.size >= 0 {
		size = a.size
	}
	for _, b := range n.served(len(r.cur)-a.start, min(size, len(n.Data))) {
		if !r.emit(b) {
			a.fetching, a.exact = false, false
			return false
		}
	}
	if len(r.cur) == before && !began {
		a.fetching = false // nothing came: the next begins where this one did
	} else if !n.NoSize {
		a.size = len(n.Data)
	}
	if n.Break >= 0 || size != len(n.Data) {
		return false
	}
	if len(r.cur) < a.need {
		a.fetching, a.exact = false, false
		return false
	}
	return true
}

// emit hands on b, or compares what was replayed once it is as much as was handed on.
func (r *run) emit(b byte) bool {
	replay := len(r.cur) < len(r.out)
	r.cur = append(r.cur, b)
	if replay {
		return len(r.cur) < len(r.out) || bytes.Equal(r.cur, r.out)
	}
	r.out = append(r.out, b)
	return true
}
