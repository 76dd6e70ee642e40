package assemble_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
)

// told are the events of those types, in the order of their telling, in short: "ahead a m:1", "manifest m".
func (d *diary) told(f *farm.Farm, types ...event.Type) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []string
	name := func(raw string) string { return strings.TrimSuffix(strings.TrimPrefix(raw, f.URL("/")), ".parts") }
	for _, e := range d.events {
		if !slices.Contains(types, e.Type) {
			continue
		}
		text := string(e.Type) + " " + name(e.URL)
		if e.Manifest != "" || e.Line != 0 {
			text += fmt.Sprintf(" %s:%d", name(e.Manifest), e.Line)
		}
		if e.Cached {
			text += " cached"
		}
		all = append(all, text)
	}
	return all
}

// wantTold checks that of each place of a manifest it is told as often that a part is opened ahead as one was asked for: it is data then,
// or a manifest. Behind one that has not the name of a manifest some are opened in vain: more may be told of these.
func (d *diary) wantTold(t *testing.T, inVain bool) {
	t.Helper()
	type place struct {
		manifest string
		line     int
	}
	asked := map[place]int{}
	for _, e := range slices.Concat(d.of(event.Part), d.of(event.Manifest)) {
		if e.Manifest != "" && !e.Cached {
			asked[place{e.Manifest, e.Line}]++
		}
	}
	for _, e := range d.of(event.Ahead) {
		asked[place{e.Manifest, e.Line}]--
	}
	for at, n := range asked {
		if n > 0 || n < 0 && !inVain {
			t.Errorf("%v: %d more parts than were told ahead", at, n)
		}
	}
}

// wantAheadFirst checks that nothing is reached before it is told ahead, and the origins that are told with it.
func (d *diary) wantAheadFirst(t *testing.T) {
	t.Helper()
	ahead := map[string]int{}
	for _, e := range d.events {
		place := fmt.Sprintf("%s:%d", e.Manifest, e.Line)
		if e.Manifest == "" || e.Cached {
			continue // nothing is told ahead of it
		}
		switch e.Type {
		case event.Ahead:
			ahead[place]++
			if u, err := url.Parse(e.URL); err != nil || e.Origin != u.Host || u.Host == "" {
				t.Errorf("the origin of %s is %q, %v", e.URL, e.Origin, err)
			}
		case event.Part, event.Manifest:
			if ahead[place]--; ahead[place] < 0 {
				t.Errorf("it was not told ahead: %+v", e)
			}
		}
	}
}

// TestTelling is what is told of the walk. What is opened ahead comes in stream order, each before its part, and each manifest before
// what it lists.
func TestTelling(t *testing.T) {
	tests := []struct {
		name        string
		root, inner []string
		walk, parts []string
	}{
		{"no manifest", nil, nil, nil, []string{"part a"}},
		{"parts", []string{"a", "--", "b"}, nil,
			[]string{"manifest m", "ahead a m:1", "ahead b m:3"}, []string{"part a m:1", "part b m:3"}},
		{"a manifest inside", []string{"a", "--", "inner.parts", "--", "c"}, []string{"b", "--", "b"},
			[]string{"manifest m", "ahead a m:1", "ahead inner m:3", "manifest inner m:3", "ahead b inner:1", "ahead b inner:3", "ahead c m:5"},
			[]string{"part a m:1", "part b inner:1", "part b inner:3", "part c m:5"}},
		{"an alternative that fails", []string{"gone", "a", "--", "b"}, nil,
			[]string{"manifest m", "ahead gone m:1", "ahead b m:4"}, []string{"part a m:1", "part b m:4"}},
		{"one that is no URL", []string{"http://[", "a"}, nil, []string{"manifest m", "ahead a m:1"}, []string{"part a m:1"}},
		{"cached", []string{"(*)", "a", "--", "b", "--", "(*)", "a", "--", "(*)", "c"}, nil,
			[]string{"manifest m", "ahead a m:1", "ahead b m:4", "ahead c m:9"},
			[]string{"part a m:1", "part b m:4", "part a m:6 cached", "part c m:9"}},
		{"laps", []string{"inner.parts", "--", "inner.parts"}, []string{"(*)", "a", "--", "b"},
			[]string{"manifest m", "ahead inner m:1", "manifest inner m:1", "ahead a inner:1", "ahead b inner:4",
				"ahead inner m:3", "manifest inner m:3", "ahead b inner:4"},
			[]string{"part a inner:1", "part b inner:4", "part a inner:1 cached", "part b inner:4"}},
	}
	for _, tt := range tests {
		for _, ahead := range []int{1, 2, 16} {
			t.Run(fmt.Sprint(tt.name, ", ", ahead), func(t *testing.T) {
				f := grow(t)
				stock(f)
				serve(f, "/m.parts", lines(tt.root...))
				serve(f, "/inner.parts", lines(tt.inner...))
				path := "/m.parts"
				if tt.root == nil {
					path = "/a"
				}
				out := read(t, web(t, nil), f.URL(path), &assemble.Options{Ahead: ahead})
				if got := out.told(f, event.Ahead, event.Manifest); !slices.Equal(got, tt.walk) {
					t.Errorf("of the walk: got\n%q, want\n%q", got, tt.walk)
				}
				if got := out.told(f, event.Part); !slices.Equal(got, tt.parts) {
					t.Errorf("of the reader: got\n%q, want\n%q", got, tt.parts)
				}
				out.wantTold(t, false)
				out.wantAheadFirst(t)
			})
		}
	}
}

// TestEndlessLaps: each lap of a manifest that ends in itself is told; what is kept of it is opened once.
func TestEndlessLaps(t *testing.T) {
	f := grow(t)
	have := stock(f)
	serve(f, "/m.parts", lines("(*)", "a", "--", "(*)", "b", "--", "m.parts"))
	out := readSome(t, web(t, nil), f.URL("/m.parts"), int64(10*(len(have["a"])+len(have["b"]))), nil)
	if out.err != nil {
		t.Fatal(out.err)
	}
	laps := out.told(f, event.Manifest)
	if len(laps) < 10 || laps[0] != "manifest m" || slices.ContainsFunc(laps[1:], func(lap string) bool { return lap != "manifest m m:7" }) {
		t.Errorf("laps: %q", laps)
	}
	opened := slices.DeleteFunc(out.told(f, event.Ahead), func(e string) bool { return e == "ahead m m:7" })
	if !slices.Equal(opened, []string{"ahead a m:1", "ahead b m:4"}) {
		t.Errorf("opened: %q", opened)
	}
}

// TestAheadOfTheReader: what is opened is told of although nobody reads.
func TestAheadOfTheReader(t *testing.T) {
	f, events := grow(t), make(chan event.Event, 100)
	have := stock(f)
	serve(f, "/m.parts", lines("a", "--", "b", "--", "c", "--", "a", "--", "b"))
	r := open(t, web(t, nil), f.URL("/m.parts"), &assemble.Options{Ahead: 4, Events: func(e event.Event) { events <- e }})
	for _, want := range []string{"manifest 0", "ahead 1", "ahead 3", "ahead 5", "ahead 7"} {
		if e := <-events; fmt.Sprint(e.Type, " ", e.Line) != want {
			t.Errorf("got %+v, want %s", e, want)
		}
	}
	if n := r.Stats().Parts; n != 0 {
		t.Errorf("the reader has reached %d parts", n)
	}
	r.want(have["a"])
}

// TestUnwoundIsNotAhead: a part that is begun again, with the reader waiting for it, is told by what leads there; those behind it by
// themselves.
func TestUnwoundIsNotAhead(t *testing.T) {
	f := grow(t)
	have := stock(f)
	serve(f, "/m.parts", lines("torn.parts", "a", "--", "b"))
	serve(f, "/torn.parts", lines("c", "--", "gone"))
	serve(f, "/a", slices.Concat(have["c"], have["a"]))
	out := read(t, web(t, nil), f.URL("/m.parts"), nil)
	out.want(t, slices.Concat(have["c"], have["a"], have["b"]))
	want := []string{"manifest m", "ahead torn m:1", "manifest torn m:1", "ahead c torn:1", "ahead gone torn:3", "unwound  m:1", "ahead b m:4"}
	if got := out.told(f, event.Ahead, event.Manifest, event.Unwound); !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}
