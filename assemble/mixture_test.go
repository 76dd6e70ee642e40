package assemble_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/source"
)

// A mixture of two versions, or the beginning of one, must never pass for the whole of one.

// changesTo is src with the first answer of url being that of one, and all others that of two.
func changesTo(src source.Source, url, one, two string) source.Source {
	var n atomic.Int64
	return source.Func(func(ctx context.Context, u string, rng source.Range) (*source.Resource, error) {
		if u != url {
			return src.Open(ctx, u, rng)
		}
		from := two
		if n.Add(1) == 1 {
			from = one
		}
		res, err := src.Open(ctx, from, rng)
		if err == nil {
			res.URL = url
		}
		return res, err
	})
}

// TestShorterThanWhatWasHandedOn: a part breaks whose digest was promised; what comes instead ends before where it broke.
func TestShorterThanWhatWasHandedOn(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		for _, rewind := range []bool{false, true} {
			one, two := text("one", 1000), text("two", 300)
			m := library(map[string]*thing{
				plan:              {data: lines("mem://m/a.parts", "mem://m/b.parts")},
				"mem://m/a.parts": {data: lines(memA + "#sha256=" + digest(one))},
				"mem://m/b.parts": {data: lines(memB)},
				memA:              {data: one, cutAt: 500},
				memB:              {data: two},
			})
			opts := &assemble.Options{Ahead: ahead}
			var got taken
			if rewind {
				opts.Rewind = got.rewind
			}
			r := open(t, m, plan, opts)
			_, err := r.WriteTo(&got)
			switch {
			case rewind && (err != nil || !slices.Equal(got.data, two)):
				t.Errorf("ahead %d, to a file: %d bytes, %v", ahead, len(got.data), err)
			case !rewind && (err == nil || !slices.Equal(got.data, one[:500])):
				t.Errorf("ahead %d, to a pipe: %d bytes, %v", ahead, len(got.data), err)
			}
		}
	}
}

// TestChangedWhileReadByTwo: a URL changes while it is fetched for two parts. One of them goes on with a mirror, the
// other has none.
func TestChangedWhileReadByTwo(t *testing.T) {
	for _, noTag := range []bool{false, true} {
		for _, ahead := range []int{1, 16} {
			for _, sibling := range []string{memA, memB} {
				t.Run(fmt.Sprintf("no validator %v, ahead %d, %s", noTag, ahead, sibling), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						one, two, gate := text("one", 300<<10), text("two", 300<<10), make(chan struct{})
						m := library(map[string]*thing{
							plan:        {data: lines("(*)"+memB, memC, "--", "(*)"+sibling, memB)},
							"mem://v/1": {data: one, tag: "1", noTag: noTag, cutAt: 100 << 10, hold: gate, holdAt: 1000},
							"mem://v/2": {data: two, tag: "2", noTag: noTag},
							memA:        {gone: true},
							memC:        {data: one},
						})
						out := steps(t, changesTo(m, memB, "mem://v/1", "mem://v/2"), &assemble.Options{Ahead: ahead}, gate)
						out.want(t, slices.Concat(one, two))
						m.wantNothingOpen(t)
					})
				})
			}
		}
	}
}

// TestPromisedSizeOfAnotherPart: it does not bind those that promise nothing.
func TestPromisedSizeOfAnotherPart(t *testing.T) {
	for _, size := range []int{1000, 3000} {
		for _, noSize := range []bool{false, true} {
			for _, ahead := range []int{1, 16} {
				synctest.Test(t, func(t *testing.T) {
					data, gate := text("data", 2000), make(chan struct{})
					other := append(slices.Clone(data[:min(size, 2000)]), text("more", max(size-2000, 0))...)
					m := library(map[string]*thing{
						plan: {data: lines(fmt.Sprintf("(*)%s#size=%d", memB, size), memC, "--", "(*)"+memB)},
						memB: {data: data, noSize: noSize, hold: gate, holdAt: 10},
						memC: {data: other},
					})
					steps(t, m, &assemble.Options{Ahead: ahead}, gate).want(t, slices.Concat(other, data))
					m.wantNothingOpen(t)
				})
			}
		}
	}
}

// TestStreamNeverEndsEarly: what is replayed ends before where it has to.
func TestStreamNeverEndsEarly(t *testing.T) {
	one := text("one", 1000)
	m := library(map[string]*thing{
		plan:              {data: lines("mem://m/a.parts", "mem://m/b.parts")},
		"mem://m/a.parts": {data: lines(memA, "--", memC)},
		"mem://m/b.parts": {data: lines(memB)},
		memA:              {data: one},
		memB:              {data: one[:400]},
		memC:              {gone: true},
	})
	out := read(t, m, plan, nil)
	if out.err == nil || errors.Is(out.err, context.Canceled) {
		t.Errorf("%d bytes, %v", len(out.data), out.err)
	}
	out.wantPrefix(t, one)
}
