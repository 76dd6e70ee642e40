package assemble_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/event"
	"spate/source"
	"spate/source/limit"
)

// wrap is m with an answer changed, or refused, by f; n counts the opens of the URL.
func wrap(m *memory, f func(url string, rng source.Range, n int, res *source.Resource) error) source.Source {
	counts := map[string]int{}
	lock := make(chan struct{}, 1)
	return source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		res, err := m.Open(ctx, url, rng)
		if err != nil {
			return nil, err
		}
		lock <- struct{}{}
		counts[url]++
		n := counts[url]
		<-lock
		if err := f(url, rng, n, res); err != nil {
			res.Body.Close()
			return nil, err
		}
		return res, nil
	})
}

func TestChangeUnderAFill(t *testing.T) {
	for _, star := range []string{"", "(*)"} {
		for _, ahead := range []int{1, 16} {
			one, two := bytes.Repeat([]byte("1"), 3000), bytes.Repeat([]byte("2"), 3000)
			n := 0
			th1 := &thing{data: one, tag: "v1", cutAt: 1000}
			th2 := &thing{data: two, tag: "v2"}
			m := &memory{}
			m.find = func(url string) *thing {
				switch url {
				case plan:
					return &thing{data: lines(star, memA)}
				case memA:
					n++
					if n == 1 {
						return th1
					}
					return th2
				}
				return nil
			}
			out := read(t, m, plan, &assemble.Options{Ahead: ahead})
			if out.err == nil {
				t.Errorf("star %q ahead %d: no error; %d bytes: %d of v1, %d of v2", star, ahead, len(out.data), bytes.Count(out.data, []byte("1")), bytes.Count(out.data, []byte("2")))
			} else {
				t.Logf("star %q: %v", star, whole(out.err))
			}
		}
	}
}

func TestJoinWithAPromisedSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		data := text("a", 10)
		m := library(map[string]*thing{
			memA: {data: data, noSize: true, hold: gate, holdAt: 5},
			plan: {data: lines("(*)", memA, "--", "(*)", memA+"#size=7")},
		})
		go func() {
			synctest.Wait() // all that can be read ahead is there
			close(gate)
		}()
		out := read(t, m, plan, &assemble.Options{Ahead: 16})
		if out.err == nil {
			t.Errorf("no error: %q", out.data)
		}
	})
}

// further is a part [A, B] and a part [B], both marked: A breaks at 3000 while B is being filled for the second part.
func further(t *testing.T, a, b *thing, fragA, fragB, fragB2 string) *outcome {
	var out *outcome
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		a.hold, a.holdAt = gate, 2000
		m := library(map[string]*thing{memA: a, memB: b,
			plan: {data: lines("(*)", memA+fragA, memB+fragB, "--", "(*)", memB+fragB2)}})
		go func() {
			synctest.Wait() // all that can be read ahead is there
			close(gate)
		}()
		out = read(t, m, plan, &assemble.Options{Ahead: 16})
	})
	return out
}

func TestGoOnWithAShorterFill(t *testing.T) {
	a, b := text("same", 6000), text("same", 5000)
	out := further(t, &thing{data: a, cutAt: 3000}, &thing{data: b}, "", "", "")
	if out.err == nil {
		t.Errorf("A has 6000 bytes, B has 5000; the first part came out as %d bytes, no error", len(out.data)-5000)
	}
}

func TestGoOnWithALongerFill(t *testing.T) {
	a, b := text("same", 6000), text("same", 8000)
	out := further(t, &thing{data: a, cutAt: 3000}, &thing{data: b}, "", "", "")
	if out.err == nil || bytes.Contains([]byte(out.err.Error()), []byte("internal error")) {
		t.Errorf("%v", out.err)
	}
}

func TestGoOnBehindTheEndOfAFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early, late := make(chan struct{}), make(chan struct{})
		m := library(map[string]*thing{
			memA: {data: text("same", 6000), cutAt: 3000, noSize: true, hold: early, holdAt: 2000},
			memB: {data: text("same", 1000), noSize: true, hold: late, holdAt: 500},
			plan: {data: lines("(*)", memA, memB, "--", "(*)", memB)},
		})
		src := source.Func(func(ctx context.Context, u string, rng source.Range) (*source.Resource, error) {
			if u == memB && rng.Off > 1000 {
				return nil, &source.Error{Op: "open", URL: u, Kind: source.KindProtocol, Err: errors.New("416")}
			}
			return m.Open(ctx, u, rng)
		})
		go func() {
			synctest.Wait() // both are being fetched
			close(early)
			synctest.Wait() // A has broken, and B is what is left
			close(late)
		}()
		out := read(t, src, plan, &assemble.Options{Ahead: 16})
		if out.err == nil {
			t.Errorf("A breaks at 3000, B has 1000 bytes; the first part came out as %d bytes, no error", len(out.data)-1000)
		}
	})
}

func TestGoOnWithAFillOfAnotherDigest(t *testing.T) {
	good := text("good", 6000)
	bad := slices.Clone(good)
	bad[10] ^= 1
	sum := fmt.Sprintf("#sha256=%x", sha256.Sum256(good))
	out := further(t, &thing{data: bad, cutAt: 3000}, &thing{data: good}, "", sum, sum)
	if out.err == nil {
		t.Errorf("first part: digest ok: %v; no error", bytes.Equal(out.data[:6000], good))
	}
	// the same without marks
	m := library(map[string]*thing{memA: {data: bad, cutAt: 3000}, memB: {data: good}, plan: {data: lines(memA, memB+sum)}})
	out = read(t, m, plan, nil)
	t.Logf("unmarked: %d bytes, %v", len(out.data), out.err)
}

func TestNoCacheNoSecondRequest(t *testing.T) {
	m := library(map[string]*thing{memA: {data: text("a", 3000)}, plan: {data: lines("(*)", memA)}})
	out := read(t, m, plan, &assemble.Options{CacheMemory: -1, CacheDisk: -1})
	out.want(t, text("a", 3000))
	m.wantAsked(t, map[string]int{memA: 1})
}

func TestManifestThatOpensOnce(t *testing.T) {
	good := text("good", 6000)
	m := library(map[string]*thing{
		"mem://h/root.parts":  {data: lines("mem://h/inner.parts", "mem://d/m", "mem://g/good", "--", "mem://g/tail")},
		"mem://h/inner.parts": {data: lines("mem://h/a", "--", "mem://h/gone")},
		"mem://h/a":           {data: good[:3000]},
		"mem://d/m":           {data: bytes.Repeat(lines("mem://h/a", "--"), 500)},
		"mem://g/good":        {data: good},
		"mem://g/tail":        {data: []byte("tail")},
	})
	src := wrap(m, func(url string, rng source.Range, n int, res *source.Resource) error {
		if url == "mem://d/m" {
			res.MediaType = "text/parts-manifest"
			if rng.Off == 0 {
				return &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: 503, Err: errors.New("503")}
			}
		}
		return nil
	})
	out := read(t, src, "mem://h/root.parts", &assemble.Options{Hosts: &limit.Hosts{PerHost: 1}})
	if out.err != nil {
		t.Log(whole(out.err))
	}
	out.want(t, slices.Concat(good, []byte("tail")))
}

func TestManifestsOfNoName(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		things := map[string]*thing{"mem://h/a": {data: text("a", 100)}}
		var l []string
		for i := range 40 {
			u := fmt.Sprintf("mem://h/d%d", i)
			things[u] = &thing{data: lines("mem://h/a")}
			l = append(l, u, "--")
		}
		things[plan] = &thing{data: lines(l...)}
		m := library(things)
		src := wrap(m, func(url string, rng source.Range, n int, res *source.Resource) error {
			if len(url) > 9 && url[8] == 'd' {
				res.MediaType = "text/parts-manifest"
			}
			return nil
		})
		out := read(t, src, plan, &assemble.Options{Ahead: ahead})
		t.Logf("ahead %d: %d bytes %v, total requests %d (d39: %d, root %d)", ahead, len(out.data), out.err, m.total(), m.requests("mem://h/d39"), m.requests(plan))
	}
}

func TestBrokenManifestIsTold(t *testing.T) {
	m := library(map[string]*thing{
		"mem://h/root.parts":  {data: lines("mem://h/inner.parts", "mem://h/ab")},
		"mem://h/inner.parts": {data: lines("mem://h/a", "--", "mem://h/a"), cutAt: 12},
		"mem://h/a":           {data: []byte("aaa")},
		"mem://h/ab":          {data: []byte("aaabbb")},
	})
	out := read(t, m, "mem://h/root.parts", nil)
	t.Logf("%q %v; failures %d, failed events %d, unwound %d", out.data, out.err, out.stats.Failures, len(out.of(event.Failed)), len(out.of(event.Unwound)))
}

func TestErrorBehindAFullCache(t *testing.T) {
	data := text("a", 200<<10)
	m := library(map[string]*thing{memA: {data: data, noRange: true}, plan: {data: lines("(*)", memA)}})
	out := read(t, m, plan, &assemble.Options{CacheMemory: 64 << 10, CacheDisk: -1})
	if out.err != nil {
		t.Log(whole(out.err))
	}
	_ = io.EOF
}
