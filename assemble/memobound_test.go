package assemble_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"spate/assemble"
	"spate/source"
	"spate/source/limit"
)

// fillsKept is how many marked parts are remembered, however small they are.
const fillsKept = 4096

const memberSize = 10

// member is where part n of a row is.
func member(n int) string { return fmt.Sprintf("mem://h/p%d", n) }

// row is the numbers from first to last, up or down.
func row(first, last int) []int {
	step := cmp.Compare(last, first)
	ns := []int{first}
	for n := first; n != last; {
		n += step
		ns = append(ns, n)
	}
	return ns
}

// readRow reads a manifest of marked parts, members all.
func readRow(t *testing.T, numbers []int, opts *assemble.Options) *memory {
	t.Helper()
	var l []string
	var want []byte
	for _, n := range numbers {
		l = append(l, "(*)", member(n), "--")
		want = append(want, text(member(n), memberSize)...)
	}
	m := &memory{find: func(url string) *thing {
		if url == plan {
			return &thing{data: lines(l...)}
		}
		return &thing{data: text(url, memberSize)}
	}}
	out := read(t, m, plan, opts)
	out.want(t, want)
	m.wantNothingOpen(t)
	requests := m.total() - m.requests(plan)
	if cached := int64(len(numbers) - requests); out.stats.Cached != cached {
		t.Errorf("%d parts were cached, want %d", out.stats.Cached, cached)
	}
	return m
}

// wantMembers fails the test if the members that again names were not asked for so often, or others not once.
func wantMembers(t *testing.T, m *memory, numbers []int, again map[int]int) {
	t.Helper()
	for _, n := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		if got, want := m.requests(member(n)), max(again[n], 1); got != want {
			t.Errorf("%d requests of part %d, want %d", got, n, want)
		}
	}
}

// TestHowManyAreKept: so many marked parts are remembered; of more, the least recently used is fetched again.
func TestHowManyAreKept(t *testing.T) {
	const n = fillsKept
	cases := []struct {
		name    string
		numbers []int
		again   map[int]int // how often parts are asked for; others: once
	}{
		{"as many", slices.Concat(row(1, n), []int{1, n, 2, n - 1}), nil},
		{"one more", slices.Concat(row(1, n+1), []int{n + 1, 2, 1, 2, 3, 4, 3}), map[int]int{1: 2, 3: 2, 4: 2}},
		{"one that is used among many others", slices.Concat(row(1, n), []int{1}, row(n+1, n+10), []int{1, 12, n, n + 10, 11, 1, 2}),
			map[int]int{11: 2, 2: 2}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			// What is forgotten leaves its bytes to others: there is room for one part more than are remembered.
			m := readRow(t, c.numbers, &assemble.Options{Ahead: 1, CacheMemory: (n + 1) * memberSize, CacheDisk: -1})
			wantMembers(t, m, c.numbers, c.again)
		})
	}
}

// TestHowManyAreKeptAhead: reading ahead forgets no more, though parts that are opened at the same time are used in no
// certain order.
func TestHowManyAreKeptAhead(t *testing.T) {
	const n, more, again = fillsKept, 100, 40
	used := slices.Repeat([]int{0}, 3)
	numbers := slices.Concat(used, row(1, n-200), used, row(n-199, n+more), used, row(1, again), row(n, n+more), used)
	twice := map[int]int{}
	for _, i := range row(1, again) {
		twice[i] = 2
	}
	// With slots enough: one that is taken away for the head costs a request.
	m := readRow(t, numbers, &assemble.Options{Ahead: 16, Hosts: &limit.Hosts{PerHost: 100}})
	wantMembers(t, m, numbers, twice)
}

// sharing is a manifest of marked parts that share URLs. What is there is a, b and c; in the manifest, SHA(x) is the
// digest of x.
type sharing struct {
	name     string
	manifest string // parts between bars
	inner    string // inner.parts
	want     string // by letter
	requests map[string]int
}

func sharingCases() []sharing {
	return []sharing{
		{name: "a chain", manifest: "* a b | * b c | * c", want: "abc",
			requests: map[string]int{"a": 1, "b": 1, "c": 1}},
		{name: "a chain whose first is gone", manifest: "* gone b | * b c | * c | * gone c", want: "bbcc",
			requests: map[string]int{"gone": 1, "b": 1, "c": 1}},
		{name: "a chain from its end", manifest: "* c | * b c | * a b | * c a | * b", want: "ccacb",
			requests: map[string]int{"a": 1, "b": 1, "c": 1}},
		{name: "a ring", manifest: "* a b | * b c | * c a | * a b | * b c | * c | * c a", want: "abaabcc",
			requests: map[string]int{"a": 1, "b": 1, "c": 1}},
		{name: "the same in another order", manifest: "* a b | * b a | * a | * b | * b a", want: "aaabb",
			requests: map[string]int{"a": 1, "b": 1}},
		{name: "the same in another order, twice at once", manifest: "* b a | * a b | * c | * b a c | * c b a", want: "bbcbc",
			requests: map[string]int{"a": 0, "b": 1, "c": 1}},
		{name: "other spellings", manifest: "* a | * ./a | * x/../a | * mem://h/a | * //h/./a | * /a#one | * a#", want: "aaaaaaa",
			requests: map[string]int{"a": 1}},
		{name: "other spellings within a part", manifest: "* gone ./gone a | * //h/gone /a | * x/../gone b | * ./b", want: "aabb",
			requests: map[string]int{"gone": 3, "a": 1, "b": 1}},
		{name: "another spelling is another URL", manifest: "* a | * a? | * A b | * %61 | * a? | * a", want: "aabaaa",
			requests: map[string]int{"a": 1, "a?": 1, "A": 1, "b": 1, "%61": 1}},
		{name: "all are gone but the last", manifest: "* gone c | * gone b c | * gone gone b a | * b gone", want: "ccbb",
			requests: map[string]int{"gone": 3, "b": 1, "c": 1, "a": 0}},
		{name: "without a mark between", manifest: "* a b | a | * b a | b | * b | b | * a", want: "aaabbba",
			requests: map[string]int{"a": 2, "b": 3}},
		{name: "around another manifest", manifest: "* a b | inner.parts | * c a | * b", inner: "* b c | * c | * ./a", want: "abcacb",
			requests: map[string]int{"a": 1, "b": 1, "c": 1, "inner.parts": 1}},
		{name: "a manifest among the alternatives", manifest: "* gone.parts a | * a b | * b gone.parts | * inner.parts b", inner: "* c b | * b", want: "aabb",
			requests: map[string]int{"gone.parts": 1, "a": 1, "b": 1, "c": 0}},
		{name: "other sizes", manifest: "* a#size=3000 b | * b#size=1 a | * a#size=2999 c | * c a | * b#size=3000", want: "aaccb",
			requests: map[string]int{"a": 2, "b": 1, "c": 1}},
		{name: "digests", manifest: "* a b | * a#sha256=SHA(a) b | * b a#sha256=SHA(b) | * b#sha256=SHA(b) c | * b#sha256=SHA(a)&size=3000 a", want: "aabba",
			requests: map[string]int{"a": 1, "b": 1, "c": 0}},
	}
}

// TestSharing: whatever parts share, and however they spell it, reading ahead asks for what reading in order does.
func TestSharing(t *testing.T) {
	for _, c := range sharingCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, ahead := range []int{1, 2, 3, 16} {
				for round := range 50 {
					c.check(t, ahead, uint64(round))
					if t.Failed() {
						t.Fatalf("ahead %d, round %d", ahead, round)
					}
				}
			}
		})
	}
}

func (c sharing) check(t *testing.T, ahead int, round uint64) {
	t.Helper()
	have := map[string][]byte{"a": text("a", 3000), "b": text("b", 3000), "c": text("c", 3000)}
	digests := strings.NewReplacer("SHA(a)", digest(have["a"]), "SHA(b)", digest(have["b"]), "SHA(c)", digest(have["c"]))
	const root = "mem://h/root.parts"
	m := library(map[string]*thing{
		root:                  {data: barred(digests.Replace(c.manifest))},
		"mem://h/inner.parts": {data: barred(c.inner)},
		"mem://h/a":           {data: have["a"]}, "mem://h/a?": {data: have["a"]}, "mem://h/%61": {data: have["a"]},
		"mem://h/b": {data: have["b"]}, "mem://h/c": {data: have["c"]},
	})
	// With slots enough: one that is taken away for the head costs a request.
	out := read(t, dawdling(m, round), root, &assemble.Options{Ahead: ahead, Hosts: &limit.Hosts{PerHost: 100}})
	var want []byte
	for _, letter := range strings.Split(c.want, "") {
		want = append(want, have[letter]...)
	}
	out.want(t, want)
	asked := map[string]int{"mem://h/root.parts": m.requests(root)}
	for name, n := range c.requests {
		asked["mem://h/"+name] = n
	}
	m.wantAsked(t, asked)
	if total := sum(maps.Values(asked)); m.total() != total {
		t.Errorf("%d requests in all, want %d: %q", m.total(), total, m.log)
	}
	m.wantNothingOpen(t)
}

// barred is a manifest from one line: bars are separators, and * is the mark.
func barred(line string) []byte {
	words := strings.Fields(strings.NewReplacer("|", "--", "*", "(*)").Replace(line))
	return lines(words...)
}

func sum(seq func(yield func(int) bool)) int {
	total := 0
	for n := range seq {
		total += n
	}
	return total
}

// dawdling is src with answers that let others go first, now and then: which, the seed decides.
func dawdling(src source.Source, seed uint64) source.Source {
	rnd := rand.New(rand.NewPCG(seed, 1))
	lock := make(chan struct{}, 1)
	return source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		lock <- struct{}{}
		turns := rnd.IntN(2) * rnd.IntN(60)
		<-lock
		for range turns {
			runtime.Gosched()
		}
		return src.Open(ctx, url, rng)
	})
}
