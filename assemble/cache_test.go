package assemble_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
	"spate/source/limit"
)

// caching is a manifest with marked parts, of what is served under /a, /b and /c, and what must be asked for. In the
// manifest, SHA(x) is the digest of /x, and nothing is served under /gone.
type caching struct {
	name     string
	manifest []string
	inner    []string // /inner.parts
	want     string   // by letter
	requests map[string]int
	cached   int64 // parts
}

func cachingCases() []caching {
	return []caching{
		{name: "twice", manifest: []string{"(*)", "a", "--", "b", "--", "(*)", "a"}, want: "aba",
			requests: map[string]int{"/a": 1, "/b": 1}, cached: 1},
		{name: "twice in a row", manifest: []string{"(*)", "a", "--", "(*)", "a"}, want: "aa",
			requests: map[string]int{"/a": 1}, cached: 1},
		{name: "many times", manifest: strings.Split("(*) a -- (*) a -- (*) a -- (*) a -- (*) a -- (*) a", " "), want: "aaaaaa",
			requests: map[string]int{"/a": 1}, cached: 5},
		{name: "marked in any place", manifest: []string{"a", "(*)", "--", "(*)a"}, want: "aa",
			requests: map[string]int{"/a": 1}, cached: 1},
		{name: "under any of its URLs", manifest: []string{"(*)", "a", "--", "(*)", "b", "a"}, want: "aa",
			requests: map[string]int{"/a": 1, "/b": 0}, cached: 1},
		{name: "under the first of its URLs that is there", manifest: []string{"(*)", "a", "--", "(*)", "b", "--", "(*)", "c", "b", "a"},
			want: "abb", requests: map[string]int{"/a": 1, "/b": 1, "/c": 0}, cached: 1},
		{name: "not under siblings", manifest: []string{"(*)", "a", "b", "--", "(*)", "b"}, want: "ab",
			requests: map[string]int{"/a": 1, "/b": 1}},
		{name: "not under siblings that failed", manifest: []string{"(*)", "gone", "a", "--", "(*)", "gone", "b"}, want: "ab",
			requests: map[string]int{"/gone": 2, "/a": 1, "/b": 1}},
		{name: "under what was fetched, not under what failed", manifest: []string{"(*)", "gone", "a", "--", "(*)", "gone", "a"},
			want: "aa", requests: map[string]int{"/gone": 1, "/a": 1}, cached: 1},
		{name: "not stored without a mark", manifest: []string{"a", "--", "(*)", "a"}, want: "aa",
			requests: map[string]int{"/a": 2}},
		{name: "not read without a mark", manifest: []string{"(*)", "a", "--", "a", "--", "(*)", "a"}, want: "aaa",
			requests: map[string]int{"/a": 2}, cached: 1},
		{name: "no mark at all", manifest: []string{"a", "--", "a", "--", "a"}, want: "aaa",
			requests: map[string]int{"/a": 3}},
		{name: "whatever the fragment", manifest: []string{"(*)", "a#one", "--", "(*)", "a#two", "--", "(*)", "a"}, want: "aaa",
			requests: map[string]int{"/a": 1}, cached: 2},
		{name: "not whatever the query", manifest: []string{"(*)", "a?1", "--", "(*)", "a?2"}, want: "aa",
			requests: map[string]int{"/a?1": 1, "/a?2": 1}},
		{name: "the promises are kept", manifest: []string{"(*)", "a", "--", "(*)", "a#size=3000", "--", "(*)", "a#sha256=SHA(a)"},
			want: "aaa", requests: map[string]int{"/a": 1}, cached: 2},
		{name: "another size is promised", manifest: []string{"(*)", "a", "--", "(*)", "a#size=2999", "b"}, want: "ab",
			requests: map[string]int{"/a": 2, "/b": 1}},
		{name: "another digest is promised", manifest: []string{"(*)", "a!then!b", "--", "(*)", "a!then!b#sha256=SHA(b)", "--", "(*)", "a!then!b"},
			want: "abb", requests: map[string]int{"/a!then!b": 2}, cached: 1},
		{name: "in other manifests too", manifest: []string{"(*)", "a", "--", "inner.parts", "--", "(*)", "a"},
			inner: []string{"(*)", "a", "--", "(*)", "b"}, want: "aaba", requests: map[string]int{"/a": 1, "/b": 1}, cached: 2},
		{name: "a manifest is walked", manifest: []string{"(*)", "inner.parts", "--", "(*)", "inner.parts"},
			inner: []string{"a", "--", "b"}, want: "abab", requests: map[string]int{"/inner.parts": 2, "/a": 2, "/b": 2}},
		{name: "a manifest is walked, by its own marks", manifest: []string{"(*)", "inner.parts", "--", "(*)", "inner.parts"},
			inner: []string{"(*)", "a", "--", "b"}, want: "abab", requests: map[string]int{"/inner.parts": 2, "/a": 1, "/b": 2}, cached: 1},
		{name: "a manifest of another name", manifest: []string{"(*)", "plan", "--", "(*)", "plan"},
			want: "cc", requests: map[string]int{"/c": 2}},
		{name: "behind a manifest of another name", manifest: []string{"plan", "--", "(*)", "a", "--", "(*)", "a"},
			want: "caa", requests: map[string]int{"/c": 1}, cached: 1},
		{name: "a manifest beside a file", manifest: []string{"(*)", "a", "inner.parts", "--", "(*)", "inner.parts", "a"},
			inner: []string{"b"}, want: "aa", requests: map[string]int{"/inner.parts": 0, "/a": 1}, cached: 1},
		{name: "after a redirect, as listed", manifest: []string{"(*)", "moved", "--", "(*)", "a", "--", "(*)", "moved"}, want: "aaa",
			requests: map[string]int{"/moved": 1, "/a": 2}, cached: 1},
		{name: "an empty part", manifest: []string{"(*)", "empty", "--", "(*)", "a", "--", "(*)", "empty"}, want: "a",
			requests: map[string]int{"/empty": 1, "/a": 1}, cached: 1},
		{name: "what was read over two requests", manifest: []string{"(*)", "a!once", "--", "(*)", "a!once"}, want: "aa",
			requests: map[string]int{"/a!once": 2}, cached: 1},
	}
}

// TestCaching: what is marked (*) is asked for once, what is not each time; reading ahead does not change that.
func TestCaching(t *testing.T) {
	for _, c := range cachingCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, ahead := range []int{1, 2, 16} {
				c.check(t, &assemble.Options{Ahead: ahead})
			}
			t.Run("on disk", func(t *testing.T) { c.check(t, &assemble.Options{CacheMemory: -1}) })
		})
	}
}

func (c caching) check(t *testing.T, opts *assemble.Options) {
	f := grow(t)
	have := cacheStock(f)
	digests := strings.NewReplacer("SHA(a)", digest(have["a"]), "SHA(b)", digest(have["b"]))
	serve(f, "/m.parts", []byte(digests.Replace(string(lines(c.manifest...)))))
	serve(f, "/inner.parts", lines(c.inner...))
	f.Serve("/plan", farm.Resource{Body: lines("c"), MediaType: "text/parts-manifest"})
	out := read(t, web(t, nil), f.URL("/m.parts"), opts)
	var want []byte
	for _, letter := range strings.Split(c.want, "") {
		want = append(want, have[letter]...)
	}
	out.want(t, want)
	wantRequests(t, f, c.requests)
	out.wantTold(t, slices.Contains(c.manifest, "plan"))
	if out.stats.Cached != c.cached {
		t.Errorf("ahead %d: %d parts were cached, want %d", opts.Ahead, out.stats.Cached, c.cached)
	}
	if t.Failed() {
		t.Log(out.events)
	}
}

func cacheStock(f *farm.Farm) map[string][]byte {
	have := stock(f)
	f.Serve("/a!once", farm.Resource{Body: have["a"], BreakAt: 1000, BreakTimes: 1})
	f.Serve("/a!then!b", farm.Then(fine(have["a"]), fine(have["b"])))
	f.Serve("/moved", farm.Resource{Redirect: "/a"})
	serve(f, "/empty", nil)
	return have
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// TestNothingSurvivesTheCall: each call has its own cache, also where all else is shared.
func TestNothingSurvivesTheCall(t *testing.T) {
	f := grow(t)
	have := stock(f)
	serve(f, "/m.parts", lines("(*)", "a", "--", "(*)", "a"))
	opts, client := &assemble.Options{Budget: budgetOf(1 << 20)}, web(t, nil)
	for call := range 3 {
		read(t, client, f.URL("/m.parts"), opts).want(t, slices.Concat(have["a"], have["a"]))
		wantRequests(t, f, map[string]int{"/a": call + 1})
	}
}

// TestJoinWhileRunning: a part that is still being fetched is joined, and the bytes that are there are read.
func TestJoinWhileRunning(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		f, data, rest := grow(t), text("data", 3000), make(chan struct{})
		f.Serve("/a", farm.Resource{Body: data, StallAt: 1000, Release: rest})
		serve(f, "/m.parts", lines("(*)", "a", "--", "(*)", "a", "--", "(*)", "a#size=3000"))
		r := open(t, web(t, nil), f.URL("/m.parts"), &assemble.Options{Ahead: ahead})
		r.want(data[:1000])
		close(rest)
		r.want(slices.Concat(data[1000:], data, data))
		r.wantEnd()
		wantRequests(t, f, map[string]int{"/a": 1})
		if n := r.Stats().Cached; n != 2 {
			t.Errorf("%d parts were cached, want 2", n)
		}
	}
}

// TestJoinWithAPromise: only the second of two equal parts has a digest, which is known to be right once all is there.
func TestJoinWithAPromise(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		f, data, rest := grow(t), text("data", 3000), make(chan struct{})
		f.Serve("/a", farm.Resource{Body: data, StallAt: 1000, Release: rest})
		serve(f, "/m.parts", lines("(*)", "a", "--", "(*)", "a#sha256="+digest(data)))
		r := open(t, web(t, nil), f.URL("/m.parts"), &assemble.Options{Ahead: ahead})
		r.want(data[:1000])
		close(rest)
		r.want(slices.Concat(data[1000:], data))
		r.wantEnd()
		wantRequests(t, f, map[string]int{"/a": 1})
	}
}

// TestCachingDelaysNothing: of a marked part the first bytes are handed on as they arrive.
func TestCachingDelaysNothing(t *testing.T) {
	f, data, rest := grow(t), text("data", 1<<20), make(chan struct{})
	f.Serve("/a", farm.Resource{Body: data, StallAt: 10, Release: rest})
	serve(f, "/m.parts", lines("(*)", "a"))
	r := open(t, web(t, nil), f.URL("/m.parts"), &assemble.Options{CacheMemory: -1})
	r.want(data[:10])
	close(rest)
	r.want(data[10:])
	r.wantEnd()
}

// TestBrokenFill: who joined what then breaks goes on by itself, from where it is.
func TestBrokenFill(t *testing.T) {
	for _, ahead := range []int{1, 16} {
		f, data := grow(t), text("data", 300_000)
		f.Serve("/a", farm.Resource{Body: data, BreakAt: 200_000})
		serve(f, "/b", data)
		serve(f, "/m.parts", lines("(*)", "a", "b", "--", "(*)", "a", "b", "--", "(*)", "b"))
		out := read(t, web(t, nil), f.URL("/m.parts"), &assemble.Options{Ahead: ahead})
		out.want(t, slices.Concat(data, data, data))
	}
}

// TestFewestRequests: whatever the manifest, reading ahead asks for what reading in order would.
func TestFewestRequests(t *testing.T) {
	rnd, seed := random(t)
	f := grow(t)
	stock(f)
	f.Serve("/broken", farm.Resource{Status: 500})
	for round := range 40 {
		path := fmt.Sprintf("/%d.parts", round)
		text := randomMarks(rnd, round)
		serve(f, path, text)
		inOrder, asked := countRequests(t, f, path, 1)
		ahead, askedAhead := countRequests(t, f, path, 16)
		ahead.want(t, inOrder.data)
		if asked != askedAhead {
			t.Errorf("requests %s in order, %s ahead", asked, askedAhead)
		}
		if t.Failed() {
			t.Fatalf("seed %d, round %d\n%s", seed, round, text)
		}
	}
}

// randomMarks is a manifest of parts, most of them marked, each of which has an alternative that works. Their URLs are
// those of this round.
func randomMarks(rnd *rand.Rand, round int) []byte {
	var l []string
	for range 1 + rnd.IntN(12) {
		if rnd.IntN(3) > 0 {
			l = append(l, "(*)")
		}
		for range 1 + rnd.IntN(3) {
			l = append(l, fmt.Sprintf("%s?%d", markNames[rnd.IntN(len(markNames))], round))
		}
		l = append(l, fmt.Sprintf("%s?%d", markNames[rnd.IntN(3)], round), "--")
	}
	return lines(l...)
}

var markNames = []string{"a", "b", "c", "gone", "broken"}

// countRequests reads path and tells how often each name was asked for.
func countRequests(t *testing.T, f *farm.Farm, path string, ahead int) (*outcome, string) {
	t.Helper()
	first := len(f.Log())
	// With slots enough: one that is taken away for the head costs a request.
	out := read(t, web(t, nil), f.URL(path), &assemble.Options{Ahead: ahead, Hosts: &limit.Hosts{PerHost: 100}})
	n := map[string]int{}
	for _, q := range f.Log()[first:] {
		n[q.Path]++
	}
	return out, fmt.Sprint(n)
}

// TestEventsOfParts tell where a part is listed and how long it is, marked or not.
func TestEventsOfParts(t *testing.T) {
	f := grow(t)
	serve(f, "/m.parts", lines("/a", "--", "/inner.parts", "--", "(*)", "/a", "--", "(*)", "/a"))
	serve(f, "/inner.parts", lines("", "(*)", "/b"))
	serve(f, "/a", text("a", 3000))
	serve(f, "/b", text("b", 1000))
	out := read(t, web(t, nil), f.URL("/m.parts"), nil)
	var got []string
	for _, e := range out.of(event.Part) {
		got = append(got, fmt.Sprint(strings.TrimPrefix(e.Manifest, f.URL("/")), " ", e.Line, ": ", e.Size, " ", e.Cached))
	}
	want := []string{"m.parts 1: 3000 false", "inner.parts 2: 1000 false", "m.parts 5: 3000 false", "m.parts 8: 3000 true"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
