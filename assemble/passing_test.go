package assemble_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/source"
)

// numbered is src with the n-th answer of url changed by f; the first is 1.
func numbered(src source.Source, url string, f func(n int64, res *source.Resource)) source.Source {
	var n atomic.Int64
	return source.Func(func(ctx context.Context, u string, rng source.Range) (*source.Resource, error) {
		if u != url {
			return src.Open(ctx, u, rng)
		}
		i := n.Add(1)
		res, err := src.Open(ctx, u, rng)
		if err == nil {
			f(i, res)
		}
		return res, err
	})
}

// nothingKept are options under which what is fetched for the cache passes by.
func nothingKept(ahead int) *assemble.Options {
	return &assemble.Options{Ahead: ahead, CacheMemory: -1, CacheDisk: -1}
}

// TestDigestOfWhatPassesBy: a part of which a digest is promised has joined what another is read from.
func TestDigestOfWhatPassesBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, gate := text("data", 300<<10), make(chan struct{})
		m := library(map[string]*thing{memB: {data: data, hold: gate, holdAt: 1000},
			plan: {data: lines("(*)"+memB, "--", "(*)"+memB+"#sha256="+digest(data))}})
		steps(t, m, nothingKept(16), gate).want(t, slices.Concat(data, data))
		m.wantAsked(t, map[string]int{memB: 2})
		m.wantNothingOpen(t)
	})
}

// TestManifestInPlaceOfWhatPassedBy: who has to ask for itself is answered by a manifest.
func TestManifestInPlaceOfWhatPassedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, gate := text("data", 300<<10), make(chan struct{})
		m := library(map[string]*thing{memB: {data: data, hold: gate, holdAt: 1000}, memC: {data: data},
			plan: {data: lines("(*)"+memB, "--", "(*)"+memB, memC)}})
		src := numbered(m, memB, func(n int64, res *source.Resource) {
			if n > 1 {
				res.MediaType = "text/parts-manifest"
			}
		})
		out := steps(t, src, nothingKept(16), gate)
		out.want(t, slices.Concat(data, data))
		if kinds := out.kinds(); len(kinds) == 0 || kinds[0] != "changed" {
			t.Errorf("failures %q", kinds)
		}
		m.wantNothingOpen(t)
	})
}

// TestPromiseOfAnotherPart: what is put together on the strength of a digest is not for parts of which none is promised.
// The part with the digest is given up while it is read ahead; the one without joins what was begun for it.
func TestPromiseOfAnotherPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := text("one", 300<<10), text("two", 300<<10)
		failed, rest := make(chan struct{}), make(chan struct{})
		var n atomic.Int64
		m := &memory{find: func(url string) *thing {
			switch url {
			case plan:
				return &thing{data: lines("mem://m/a.parts", "mem://m/b.parts")}
			case "mem://m/a.parts":
				return &thing{data: lines(memA, "--", "(*)", memB+"#sha256="+digest(one))}
			case "mem://m/b.parts":
				return &thing{data: lines("(*)", memB, memC)}
			case memA:
				return &thing{gone: true, answer: failed}
			case memB:
				if n.Add(1) == 1 {
					return &thing{data: one, noTag: true, cutAt: 100 << 10}
				}
				return &thing{data: two, noTag: true, hold: rest, holdAt: 250 << 10}
			case memC:
				return &thing{data: one}
			}
			return nil
		}}
		out := steps(t, m, &assemble.Options{Ahead: 16}, failed, rest)
		if out.err != nil {
			t.Fatal(whole(out.err))
		}
		if !slices.Equal(out.data, one) && !slices.Equal(out.data, two) {
			t.Errorf("%d bytes: a mixture of two versions", len(out.data))
		}
	})
}
