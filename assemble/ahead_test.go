package assemble_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/internal/farm"
	"spate/source/limit"
)

// record is a part of an endless manifest.
const record = "mem://h/part?%012d\n--\n"

var recordSize = int64(len(fmt.Sprintf(record, 0)))

// endlessManifest makes one whose parts have each a URL of their own.
func endlessManifest(off int64, p []byte) {
	for i := 0; i < len(p); {
		at := off + int64(i)
		i += copy(p[i:], fmt.Sprintf(record, at/recordSize)[at%recordSize:])
	}
}

// TestEndlessManifest: it is read no further ahead than the budget and the number of parts allow.
func TestEndlessManifest(t *testing.T) {
	const part, most = 10_000, 1 << 20 // what the head has of its own, and what is decoded ahead
	for _, c := range []struct {
		budget int64
		ahead  int
	}{{1 << 20, 16}, {1 << 20, 200}, {3 << 20, 400}, {8 << 20, 1}, {1, 10}} {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{find: func(url string) *thing {
				if url == plan {
					return &thing{gen: endlessManifest}
				}
				return &thing{gen: alphabet, size: part}
			}}
			r := open(t, m, plan, &assemble.Options{Ahead: c.ahead, Budget: budgetOf(c.budget), Hosts: &limit.Hosts{PerHost: 1000}})
			for read := int64(1); read < 3<<20; read *= 3 {
				if _, err := io.CopyN(io.Discard, r, read-read/3); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				if sent := m.bytes(); sent > read+read/part*recordSize+c.budget+most {
					t.Errorf("budget %d, ahead %d: %d bytes were sent for %d that were read", c.budget, c.ahead, sent, read)
				}
				if n := int64(m.total()); n > read/part+int64(c.ahead)+2 {
					t.Errorf("budget %d, ahead %d: %d requests for %d bytes that were read", c.budget, c.ahead, n, read)
				}
			}
		})
	}
}

// TestEndlessManifestOverSockets: the same with an origin.
func TestEndlessManifestOverSockets(t *testing.T) {
	const part, budget, ahead = 64 << 10, 1 << 20, 32
	f := grow(t)
	f.Serve("/m.parts", farm.Resource{Gen: func(off int64, p []byte) int {
		for i := range p {
			p[i] = "part\n--\n"[(off+int64(i))%8]
		}
		return len(p)
	}})
	serve(f, "/part", text("part", part))
	r := open(t, web(t, nil), f.URL("/m.parts"), &assemble.Options{Ahead: ahead, Budget: budgetOf(budget)})
	for n := range 100 {
		r.want(text("part", part))
		if asked := f.Requests("/part"); asked > n+1+ahead {
			t.Fatalf("%d requests for %d parts", asked, n+1)
		}
	}
	within(t, "closing", func() { r.Close() })
	var sent int64
	for _, q := range f.Log() {
		sent += q.Bytes
	}
	if most := int64(100+ahead+1)*part + 16<<20; sent > most { // what sockets hold of the manifest
		t.Errorf("%d bytes were sent, want at most %d", sent, most)
	}
}

// TestHowFarAhead: that many parts are open, and no more, whatever they hold.
func TestHowFarAhead(t *testing.T) {
	for ahead, want := range map[int]int{0: 16, 1: 1, 2: 2, 7: 7, 40: 40} {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			defer close(gate)
			things := map[string]*thing{}
			var l []string
			for i := range 100 {
				url := fmt.Sprintf("mem://h%d/x", i)
				things[url] = &thing{data: text(url, 100), hold: gate, holdAt: 50}
				l = append(l, url, "--")
			}
			things[plan] = &thing{data: lines(l...)}
			m := library(things)
			r := open(t, m, plan, &assemble.Options{Ahead: ahead})
			r.want(text("mem://h0/x", 50))
			synctest.Wait()
			if n := m.total() - 1; n != want {
				t.Errorf("ahead %d: %d parts were asked for, want %d", ahead, n, want)
			}
			r.Close()
			m.wantNothingOpen(t)
		})
	}
}

// TestConnectionsOfAHost: no more than its slots are open at once.
func TestConnectionsOfAHost(t *testing.T) {
	for _, slots := range []int{1, 2, 5} {
		root, f := grow(t), grow(t)
		var l []string
		var want []byte
		for i := range 40 {
			path := fmt.Sprintf("/%d", i)
			f.Serve(path, farm.Resource{Body: text(path, 10_000), NoRange: i%2 == 0})
			l = append(l, f.URL(path), "--")
			want = append(want, text(path, 10_000)...)
		}
		serve(root, "/m.parts", lines(l...))
		opts := &assemble.Options{Ahead: 20, Hosts: &limit.Hosts{PerHost: slots}}
		read(t, web(t, nil), root.URL("/m.parts"), opts).want(t, want)
		// An origin may see the next request before its own answer to the last one has returned.
		if peak := f.Peak(); peak > 2*slots {
			t.Errorf("%d requests at once, want %d", peak, slots)
		}
	}
}

// TestFirstBytesFirst: what has arrived of the first part is handed on, whatever becomes of it and of those behind.
func TestFirstBytesFirst(t *testing.T) {
	for _, mark := range []string{"", "(*)"} {
		synctest.Test(t, func(t *testing.T) {
			data, gate := text("data", 500_000), make(chan struct{})
			m := library(map[string]*thing{
				memA: {data: data, hold: gate, holdAt: 1},
				memB: {data: data, answer: gate},
				memC: {data: data, hold: gate, holdAt: 100_000},
				plan: {data: lines(mark, memA, "--", mark, memB, "--", mark, memC)},
			})
			r := open(t, m, plan, nil)
			r.want(data[:1])
			close(gate)
			r.want(slices.Concat(data[1:], data, data))
			r.wantEnd()
		})
	}
}

// TestAheadOfAManifestThatArrives: parts that become known while the head still waits for its answer are asked for.
func TestAheadOfAManifestThatArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, rest := make(chan struct{}), make(chan struct{})
		first := lines(memA, "--")
		m := library(map[string]*thing{
			memA: {data: []byte("a"), answer: gate},
			memB: {data: []byte("b")},
			plan: {data: append(first, lines(memB, "--", memC)...), hold: rest, holdAt: int64(len(first))},
			memC: {data: []byte("c")},
		})
		r := open(t, m, plan, nil)
		synctest.Wait()
		m.wantAsked(t, map[string]int{memA: 1, memB: 0})
		close(rest)
		synctest.Wait()
		m.wantAsked(t, map[string]int{memA: 1, memB: 1, memC: 1})
		close(gate)
		r.want([]byte("abc"))
		r.wantEnd()
	})
}

// TestManifestThatPauses: the parts that are known are handed on, and no end is made up.
func TestManifestThatPauses(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		synctest.Test(t, func(t *testing.T) {
			gate := make(chan struct{})
			first := lines(memA, "--", "mem://m/inner.parts", "--")
			m := library(map[string]*thing{
				memA: {data: []byte("a")}, memB: {data: []byte("b")}, memC: {data: []byte("c")},
				"mem://m/inner.parts": {data: lines(memB, "--", memC)},
				plan:                  {data: append(first, lines(memA)...), hold: gate, holdAt: int64(len(first))},
			})
			r := open(t, m, plan, &assemble.Options{Ahead: ahead})
			r.want([]byte("abc"))
			close(gate)
			r.want([]byte("a"))
			r.wantEnd()
		})
	}
}

// TestOrderOfAlternatives: within a part they are tried in order, one after the other, however many parts are opened at
// the same time.
func TestOrderOfAlternatives(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		f := grow(t)
		var l []string
		var want []byte
		for part := range 30 {
			for alt := range 4 {
				path := fmt.Sprintf("/%d/%d", part, alt)
				if alt == 3 {
					serve(f, path, text(path, 1000))
					want = append(want, text(path, 1000)...)
				}
				l = append(l, path)
			}
			l = append(l, fmt.Sprintf("/%d/4", part), "--")
		}
		serve(f, "/m.parts", lines(l...))
		opts := &assemble.Options{Ahead: ahead, Hosts: &limit.Hosts{PerHost: 100}}
		read(t, web(t, nil), f.URL("/m.parts"), opts).want(t, want)
		asked := map[string][]string{}
		for _, q := range f.Log() {
			if part, alt, ok := strings.Cut(strings.TrimPrefix(q.Path, "/"), "/"); ok {
				asked[part] = append(asked[part], alt)
			}
		}
		for part, alts := range asked {
			if !slices.Equal(alts, []string{"0", "1", "2", "3"}) {
				t.Errorf("ahead %d, part %s: asked for alternatives %q", ahead, part, alts)
			}
		}
	}
}

// TestManifestAhead: behind what looks like a manifest nothing is asked for before that has answered.
func TestManifestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		m := library(map[string]*thing{
			memA: {data: []byte("a")}, memB: {data: []byte("b")}, memC: {data: []byte("c")},
			"mem://m/inner.parts": {data: lines(memB, "--", memB), answer: gate},
			plan:                  {data: lines(memA, "--", "mem://m/inner.parts", "--", memC)},
		})
		r := open(t, m, plan, nil)
		r.want([]byte("a"))
		synctest.Wait()
		m.wantAsked(t, map[string]int{"mem://m/inner.parts": 1, memC: 0})
		close(gate)
		r.want([]byte("bbc"))
		r.wantEnd()
		m.wantAsked(t, map[string]int{memA: 1, memB: 2, memC: 1, plan: 1})
	})
}

// TestManyTinyParts: with as many as a budget of bytes never bounds.
func TestManyTinyParts(t *testing.T) {
	m := library(map[string]*thing{verse: {data: []byte("v")}, plan: {data: bytes.Repeat(lines(verse, "--"), 3000)}})
	// With slots enough: one that is taken away for the head costs a request.
	opts := &assemble.Options{Hosts: &limit.Hosts{PerHost: 16}}
	read(t, m, plan, opts).want(t, bytes.Repeat([]byte("v"), 3000))
	m.wantAsked(t, map[string]int{verse: 3000, plan: 1})
}

// TestBrokenAhead: a part whose only alternative breaks while it is read ahead, and again where it is gone on with, is
// tried once more when it is the head.
func TestBrokenAhead(t *testing.T) {
	for _, star := range []string{"", "(*)"} {
		synctest.Test(t, func(t *testing.T) {
			first, data, gate := text("first", 100), text("data", 5000), make(chan struct{})
			m := library(map[string]*thing{
				memA: {data: first, hold: gate},
				memB: {data: data, cutAt: 2000, cuts: 2},
				plan: {data: lines(memA, "--", star, memB)},
			})
			out := steps(t, m, &assemble.Options{Ahead: 16}, gate)
			out.want(t, slices.Concat(first, data))
			m.wantAsked(t, map[string]int{memB: 3})
			m.wantNothingOpen(t)
		})
	}
}
