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

// secondly is src with all answers of url but the first being the manifest at other.
func secondly(src source.Source, url, other string) source.Source {
	var n atomic.Int64
	return source.Func(func(ctx context.Context, u string, rng source.Range) (*source.Resource, error) {
		if u != url || n.Add(1) == 1 {
			return src.Open(ctx, u, rng)
		}
		res, err := src.Open(ctx, other, rng)
		if err == nil {
			res.URL, res.MediaType = url, "text/parts-manifest"
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

// TestManifestInPlaceOfWhatPassedBy: who has to ask for itself is answered by a manifest, which is executed.
func TestManifestInPlaceOfWhatPassedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, gate := text("data", 300<<10), make(chan struct{})
		m := library(map[string]*thing{memB: {data: data, hold: gate, holdAt: 1000}, memC: {data: text("c", 10)},
			plan: {data: lines("(*)"+memB, "--", "(*)"+memB)}, "mem://x/manifest": {data: lines(memC)}})
		steps(t, secondly(m, memB, "mem://x/manifest"), nothingKept(16), gate).want(t, slices.Concat(data, text("c", 10)))
		m.wantNothingOpen(t)
	})
}

// TestSiblingThatPassedBy: a part that has joined what is listed second asks for what is listed first, once it is sent
// away, as it would have in order.
func TestSiblingThatPassedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data, gate := text("data", 300<<10), make(chan struct{})
		m := library(map[string]*thing{memB: {data: data, hold: gate, holdAt: 1000}, memC: {data: text("c", 10)},
			plan: {data: lines("(*)"+memB, "--", "(*)"+memC, memB)}})
		steps(t, m, nothingKept(16), gate).want(t, slices.Concat(data, text("c", 10)))
		m.wantAsked(t, map[string]int{memB: 1, memC: 1})
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
