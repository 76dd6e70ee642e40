package assemble_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
)

const (
	breakSize = 40_000 // of the part in these tests
	breakAt   = 12_345 // where its first alternative breaks
	fromBreak = "bytes=12345-"
)

// breaking is a part whose alternatives /a, /b and /c are on origins of their own, and what must become of it.
type breaking struct {
	name    string
	a, b, c func(data []byte) farm.Resource // nil: not listed
	ranges  [3][]string                     // asked of /a, /b, /c, in order
	kinds   []string                        // of the failures: that of what happened first
	fails   bool                            // the stream ends in an error, after what came
}

func fine(data []byte) farm.Resource { return farm.Resource{Body: data} }

func fineFromZero(data []byte) farm.Resource { return farm.Resource{Body: data, NoRange: true} }

func breaksOnce(data []byte) farm.Resource {
	return farm.Resource{Body: data, BreakAt: breakAt, BreakTimes: 1}
}

func breaks(data []byte) farm.Resource { return farm.Resource{Body: data, BreakAt: breakAt} }

func breaksThere(data []byte) farm.Resource {
	return farm.Resource{Body: data, BreakAt: breakAt, NoRange: true}
}

// altered is data with one byte changed.
func altered(data []byte, at int) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

var (
	twice = []string{"", fromBreak}
	again = []string{"", ""}
	then  = []string{fromBreak}
)

func breakingCases() []breaking { return slices.Concat(resumedCases(), nextCases(), changedCases()) }

// resumedCases are those in which the first alternative is enough, or is all there is.
func resumedCases() []breaking {
	return []breaking{
		{name: "once", a: breaksOnce, b: fine, ranges: [3][]string{twice, nil}},
		{name: "once, with RST", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, Reset: true}
		}},
		{name: "once, no length told", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, NoLength: true}
		}, ranges: [3][]string{twice}},
		{name: "once, and answers no ranges", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, NoRange: true}
		}, b: fine, ranges: [3][]string{twice, nil}},
		{name: "once, alone, and answers no ranges", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, NoRange: true}
		}, ranges: [3][]string{twice}},
		{name: "once, and has no validator", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, ETag: farm.NoETag}
		}, b: fine, ranges: [3][]string{again, nil}},
		{name: "once, and has a weak validator", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, ETag: `W/"1"`}
		}, b: fine, ranges: [3][]string{again, nil}},
		{name: "once, and has an old date", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, ETag: farm.NoETag, ModTime: time.Unix(1, 0)}
		}, b: fine, ranges: [3][]string{twice, nil}},
		{name: "once, with the same validator after", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakAt, BreakTimes: 1, ETag: `"same"`}
		}, ranges: [3][]string{twice}},
		{name: "alone", a: breaks, ranges: [3][]string{twice}, kinds: []string{"network"}, fails: true},
		{name: "both, at the same byte", a: breaks, b: breaks, ranges: [3][]string{twice, then},
			kinds: []string{"network", "network"}, fails: true},
		{name: "the last byte", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakSize - 1, BreakTimes: 1}
		}, ranges: [3][]string{{"", "bytes=39999-"}}},
		{name: "behind the last byte", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakSize}
		}, b: fine, ranges: [3][]string{{""}, nil}},
		{name: "behind the last byte, no length told", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: breakSize, NoLength: true}
		}, b: fine},
		{name: "promises more than comes", a: func(d []byte) farm.Resource {
			return farm.Resource{Body: d[:breakAt], LengthOff: breakSize - breakAt}
		}, b: fine, ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
	}
}

// nextCases are those in which the first alternative breaks for good.
func nextCases() []breaking {
	return []breaking{
		{name: "for good", a: breaks, b: fine, ranges: [3][]string{twice, then}, kinds: []string{"network"}},
		{name: "for good, the next answers no ranges", a: breaks, b: fineFromZero,
			ranges: [3][]string{twice, then}, kinds: []string{"network"}},
		{name: "for good, neither answers ranges", a: breaksThere, b: fineFromZero,
			ranges: [3][]string{{"", fromBreak}, then}, kinds: []string{"network"}},
		{name: "one after the other", a: breaks, c: fine,
			b:      func(d []byte) farm.Resource { return farm.Resource{Body: d, BreakAt: 2 * breakAt} },
			ranges: [3][]string{twice, {fromBreak, "bytes=24690-"}, {"bytes=24690-"}}, kinds: []string{"network", "network"}},
		{name: "the next is gone", a: breaks, b: func([]byte) farm.Resource { return farm.Resource{Status: 404} }, c: fine,
			ranges: [3][]string{twice, then, then}, kinds: []string{"network", "status"}},
		{name: "the next has other bytes", a: breaks, c: fine,
			b: func(d []byte) farm.Resource {
				return farm.Resource{Body: altered(d, breakAt-1), NoRange: true}
			},
			ranges: [3][]string{twice, then, then}, kinds: []string{"network", "changed"}},
		{name: "the next is longer", a: breaks, c: fine,
			b:      func(d []byte) farm.Resource { return farm.Resource{Body: append(bytes.Clone(d), 'x')} },
			ranges: [3][]string{twice, then, then}, kinds: []string{"network", "changed"}},
		{name: "the next is shorter", a: breaks, c: fine,
			b:      func(d []byte) farm.Resource { return farm.Resource{Body: d[:breakSize-1]} },
			ranges: [3][]string{twice, then, then}, kinds: []string{"network", "changed"}},
		{name: "the next ends before", a: breaks, c: fine,
			b:      func(d []byte) farm.Resource { return farm.Resource{Body: d[:breakAt-1]} },
			ranges: [3][]string{twice, nil, then}, kinds: []string{"network", "changed"}},
		{name: "the next ends there", a: breaks, c: fine,
			b:      func(d []byte) farm.Resource { return farm.Resource{Body: d[:breakAt]} },
			ranges: [3][]string{twice, nil, then}, kinds: []string{"network", "changed"}},
		{name: "the next answers another range", a: breaks, c: fine,
			b:      func(d []byte) farm.Resource { return farm.Resource{Body: d, RangeShift: 1} },
			ranges: [3][]string{twice, then, then}, kinds: []string{"network", "protocol"}},
	}
}

// changedCases are those in which the first alternative, asked again, is no longer what it was.
func changedCases() []breaking {
	return []breaking{
		{name: "and has changed since", a: changing(farm.Resource{ETag: `"2"`}), b: fine,
			ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
		{name: "and has no validator any more", a: changing(farm.Resource{ETag: farm.NoETag}), b: fine,
			ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
		{name: "and has a date for a validator now", a: changing(farm.Resource{ModTime: time.Unix(1, 0), ETag: farm.NoETag}), b: fine,
			ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
		{name: "and is gone", a: changing(farm.Resource{Status: 410}), b: fine,
			ranges: [3][]string{twice, then}, kinds: []string{"network"}},
		{name: "and answers another range", a: changing(farm.Resource{ETag: `"1"`, RangeShift: 7}), b: fine,
			ranges: [3][]string{twice, then}, kinds: []string{"network"}},
		{name: "and is longer", a: func(d []byte) farm.Resource {
			return farm.Then(farm.Resource{Body: d, BreakAt: breakAt}, farm.Resource{Body: append(bytes.Clone(d), 'x')})
		}, b: fine, ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
		{name: "and is shorter than what came", a: func(d []byte) farm.Resource {
			return farm.Then(farm.Resource{Body: d, BreakAt: breakAt}, farm.Resource{Body: d[:breakAt/2]})
		}, b: fine, ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
		{name: "and answers no ranges any more, with other bytes", a: func(d []byte) farm.Resource {
			return farm.Then(farm.Resource{Body: d, BreakAt: breakAt}, farm.Resource{Body: altered(d, 0), ETag: farm.NoETag})
		}, b: fine, ranges: [3][]string{twice, then}, kinds: []string{"changed"}},
		{name: "and has other bytes, which no validator tells", a: changingUnder(farm.NoETag), b: fine,
			ranges: [3][]string{again, then}, kinds: []string{"changed"}},
		{name: "and has other bytes, which a weak validator does not tell", a: changingUnder(`W/"1"`), b: fine,
			ranges: [3][]string{again, then}, kinds: []string{"changed"}},
	}
}

// changing breaks once; who comes again sees the same bytes under what then says.
func changing(then farm.Resource) func([]byte) farm.Resource {
	return func(data []byte) farm.Resource {
		then.Body = data
		return farm.Then(farm.Resource{Body: data, ETag: `"1"`, BreakAt: breakAt}, then)
	}
}

// changingUnder breaks once; who comes again sees other bytes under the same tag.
func changingUnder(tag string) func([]byte) farm.Resource {
	return func(d []byte) farm.Resource {
		return farm.Then(farm.Resource{Body: d, ETag: tag, BreakAt: breakAt}, farm.Resource{Body: altered(d, 0), ETag: tag})
	}
}

// TestBreaks: what was handed on is not handed on again, and nothing is left out, whoever the rest comes from.
func TestBreaks(t *testing.T) {
	for _, c := range breakingCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Run("read", func(t *testing.T) { c.check(t, 1) })
			t.Run("ahead", func(t *testing.T) { c.check(t, 16) })
		})
	}
}

func (c breaking) check(t *testing.T, ahead int) {
	root, first, data := grow(t), text("first", 50_000), text("data", breakSize)
	serve(root, "/first", first)
	origins, listed := c.origins(t, data)
	serve(root, "/m.parts", lines(append([]string{"/first", "--"}, listed...)...))
	out := read(t, web(t, nil), root.URL("/m.parts"), &assemble.Options{Ahead: ahead})
	all := slices.Concat(first, data)
	if c.fails {
		out.wantPrefix(t, all)
		if len(out.data) != len(first)+breakAt || !errors.Is(out.err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes, then %v", len(out.data), out.err)
		}
	} else {
		out.want(t, all)
	}
	times := 1
	if c.fails && len(out.kinds()) > len(c.kinds) {
		times = 2 // it failed ahead of its turn, and was tried again in its turn
	}
	if !slices.Equal(out.kinds(), slices.Repeat(c.kinds, times)) || times > ahead {
		t.Errorf("failures %q, want %q: %v", out.kinds(), c.kinds, out.events)
	}
	for i, f := range origins {
		if c.ranges[i] != nil {
			wantRanges(t, f, "/x", slices.Repeat(c.ranges[i], times)...)
		}
	}
}

// origins grows those of the alternatives, and lists them.
func (c breaking) origins(t *testing.T, data []byte) (fs []*farm.Farm, listed []string) {
	for _, res := range []func([]byte) farm.Resource{c.a, c.b, c.c} {
		if res == nil {
			continue
		}
		f := grow(t)
		f.Serve("/x", res(data))
		fs, listed = append(fs, f), append(listed, f.URL("/x"))
	}
	return fs, listed
}

// TestResumed: the event that tells of an alternative that broke and was opened again.
func TestResumed(t *testing.T) {
	f, data := grow(t), text("data", breakSize)
	f.Serve("/x", breaksOnce(data))
	out := read(t, web(t, nil), f.URL("/x"), nil)
	out.want(t, data)
	es := out.of(event.Resumed)
	if len(es) != 1 || es[0].Off != breakAt || es[0].URL != f.URL("/x") || es[0].Error == "" {
		t.Errorf("events %+v", es)
	}
	if out.stats.Failures != 0 || out.stats.Opens != 2 || !slices.Equal(out.stats.Origins, []string{f.Addr()}) {
		t.Errorf("%+v", out.stats)
	}
}

// TestBreaksOften: an origin that dies after a few bytes of each answer is asked as often as it takes.
func TestBreaksOften(t *testing.T) {
	f, data := grow(t), text("data", 50_001)
	f.Serve("/x", farm.Resource{Body: data, BreakAfter: 1000})
	out := read(t, web(t, nil), f.URL("/x"), nil)
	out.want(t, data)
	wantRequests(t, f, map[string]int{"/x": 51})
	if out.stats.Opens != 51 || out.stats.Failures != 0 {
		t.Errorf("%+v", out.stats)
	}
}

// hastily is for how long an origin may be silent that will be: long enough for one that is not, on a machine that is busy.
const hastily = time.Second

// TestSilence: an origin that falls silent has broken there.
func TestSilence(t *testing.T) {
	t.Parallel()
	for _, ahead := range []int{1, 16} {
		root, a, first, data := grow(t), grow(t), text("first", 100), text("data", breakSize)
		serve(root, "/first", first)
		serve(root, "/x", data)
		a.Serve("/x", farm.Resource{Body: data, StallAt: breakAt})
		serve(root, "/m.parts", lines("/first", "--", a.URL("/x"), "/x"))
		hasty := web(t, &httpsource.Options{IdleTimeout: hastily})
		out := read(t, byHost(a.Addr(), hasty, web(t, nil)), root.URL("/m.parts"), &assemble.Options{Ahead: ahead})
		out.want(t, slices.Concat(first, data))
		wantRanges(t, a, "/x", "", fromBreak)
		wantRanges(t, root, "/x", fromBreak)
		if !slices.Equal(out.kinds(), []string{"timeout"}) {
			t.Errorf("failures %q", out.kinds())
		}
	}
}

// TestSlowReaderIsNoSilence: bytes that nobody asks for do not make an origin a silent one. The reader takes longer for
// the first part than the origin of the second may be silent.
func TestSlowReaderIsNoSilence(t *testing.T) {
	t.Parallel()
	root, a, data := grow(t), grow(t), text("data", 8<<20)
	a.Serve("/x", farm.Resource{Body: data})
	root.Serve("/slow", farm.Resource{Body: []byte("slow"), Delay: 3 * hastily})
	serve(root, "/m.parts", lines("/slow", "--", a.URL("/x")))
	hasty := web(t, &httpsource.Options{IdleTimeout: hastily})
	opts := &assemble.Options{Budget: budgetOf(1 << 20)}
	out := read(t, byHost(a.Addr(), hasty, web(t, nil)), root.URL("/m.parts"), opts)
	out.want(t, slices.Concat([]byte("slow"), data))
	if len(out.kinds()) > 0 {
		t.Errorf("failures %q", out.kinds())
	}
}

// TestBreaksAnywhere: random alternatives, each of which dies now and then, and in the end one that does not.
func TestBreaksAnywhere(t *testing.T) {
	rnd, seed := random(t)
	root, client := grow(t), web(t, nil)
	for round := range 40 {
		var all []byte
		var l []string
		for part := range 4 {
			data := text(fmt.Sprint("part ", part), 1+rnd.IntN(9000))
			all = append(all, data...)
			for alt := range 1 + rnd.IntN(3) {
				path := fmt.Sprintf("/%d/%d/%d", round, part, alt)
				root.Serve(path, randomBreak(rnd, data))
				l = append(l, path)
			}
			path := fmt.Sprintf("/%d/%d", round, part)
			root.Serve(path, farm.Resource{Body: data, NoRange: rnd.IntN(2) == 0, NoLength: rnd.IntN(2) == 0})
			l = append(l, path, "--")
		}
		path := fmt.Sprintf("/%d.parts", round)
		serve(root, path, lines(l...))
		ahead := 1 + rnd.IntN(6)
		out := read(t, client, root.URL(path), &assemble.Options{Ahead: ahead, Budget: budgetOf(int64(1 + rnd.IntN(40_000)))})
		if out.want(t, all); t.Failed() {
			t.Fatalf("seed %d, round %d, ahead %d\n%v", seed, round, ahead, out.events)
		}
	}
}

func randomBreak(rnd *rand.Rand, data []byte) farm.Resource {
	r := farm.Resource{Body: data, NoRange: rnd.IntN(3) == 0, NoLength: rnd.IntN(3) == 0, Reset: rnd.IntN(4) == 0,
		ETag: []string{"", "", farm.NoETag, `W/"weak"`}[rnd.IntN(4)]}
	if rnd.IntN(2) == 0 {
		r.BreakAfter = 1 + rnd.Int64N(4000)
	} else {
		r.BreakAt = 1 + rnd.Int64N(int64(len(data)))
		r.BreakTimes = rnd.IntN(3)
	}
	return r
}

// TestChangedForAll: where no alternative has the bytes that were begun, the error says so.
func TestChangedForAll(t *testing.T) {
	root, data := grow(t), text("data", breakSize)
	root.Serve("/a", breaks(data))
	root.Serve("/b", farm.Resource{Body: altered(data, 5), NoRange: true})
	serve(root, "/m.parts", lines("/a", "/b"))
	out := read(t, web(t, nil), root.URL("/m.parts"), nil)
	out.wantPrefix(t, data)
	if !errors.Is(out.err, source.ErrChanged) || !errors.Is(out.err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", out.err)
	}
}

// What proves longer than its size has changed: that nothing is behind the size, by another answer, makes it no better. Another alternative
// does.
func TestLongerThanTold(t *testing.T) {
	const url, data = "mem://h/longer", "as long as that"
	longer := &source.Error{Op: "read", URL: url, Kind: source.KindChanged, Err: errors.New("longer than its size")}
	src := source.Func(func(_ context.Context, asked string, rng source.Range) (*source.Resource, error) {
		size, off := int64(len(data)), min(rng.Off, int64(len(data)))
		body := io.Reader(strings.NewReader(data[off:]))
		switch {
		case asked == "mem://h/m.parts":
			body, size = strings.NewReader(url+"\nmem://h/right\n"), -1
		case asked == url && off < size:
			body = io.MultiReader(body, iotest.ErrReader(longer))
		}
		return &source.Resource{Info: source.Info{URL: asked, Size: size, Validator: `"1"`, ETag: `"1"`, Seekable: true},
			Off: off, Len: size - off, Body: io.NopCloser(body)}, nil
	})
	if o := read(t, src, url, nil); !errors.Is(o.err, source.ErrChanged) {
		t.Errorf("%q, %v", o.data, o.err)
	}
	read(t, src, "mem://h/m.parts", nil).want(t, []byte(data))
}
