package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"spate/internal/farm"
	"spate/source"
)

// A mirrored is a row of the matrix with several mirrors, each of which has the object where nothing else is said.
type mirrored struct {
	name string
	has  []farm.Resource

	over []int          // so many connections; nil: 4 where something is told of others, else 1, 4 and automatic
	told map[int]string // the kinds that events tell of which mirror; no other mirror is told of
	errs []source.Kind  // of the error, by mirror, where there is one
	want []byte         // what becomes the file; nil: the object
	dead map[int]string // a URL in place of the mirror's
}

var slow = farm.Resource{Rate: 4 * MiB}

var mirroreds = []mirrored{
	{name: "all are right", has: []farm.Resource{slow, {ETag: `"another"`}, {ETag: farm.NoETag}}},
	{name: "one lies", has: []farm.Resource{slow, {Body: other(usual)}}, told: map[int]string{1: "corrupt"}},
	{name: "two lie, each in its way", has: []farm.Resource{slow, {Body: other(usual)}, {Body: make([]byte, usual)}},
		told: map[int]string{1: "corrupt", 2: "corrupt"}},
	{name: "the others lie in the same way", has: []farm.Resource{slow, {Body: other(usual)}, {Body: other(usual)}},
		told: map[int]string{1: "corrupt", 2: "corrupt"}},
	{name: "one has another size", has: []farm.Resource{slow, {Body: whole[:usual+1]}}, told: map[int]string{1: "changed"}},
	{name: "one ignores Range", has: []farm.Resource{slow, {NoRange: true}}, told: map[int]string{1: "protocol"}},
	{name: "one shifts ranges", has: []farm.Resource{slow, {RangeShift: 1}}, told: map[int]string{1: "protocol"}},
	{name: "the first caps its answers, and shifts some, and the other ignores Range", has: []farm.Resource{
		{Changes: func(n int) farm.Resource {
			r := farm.Resource{RangeMax: MiB}
			if n%4 == 3 {
				r.RangeShift = 1
			}
			return r
		}}, {NoRange: true}}},
	{name: "the first caps its answers, and shifts all but one, and the other ignores Range", has: []farm.Resource{
		farm.Then(farm.Resource{RangeMax: MiB}, farm.Resource{RangeMax: MiB, RangeShift: 1}), {NoRange: true}}},
	{name: "one has a login page", has: []farm.Resource{slow, login}, told: map[int]string{1: "changed"}},
	{name: "one is not there", has: []farm.Resource{slow, {Status: 404}}, told: map[int]string{1: "status"}},
	{name: "one is busy at first", has: []farm.Resource{slow, farm.Then(farm.Resource{Status: 503}, farm.Resource{})}, told: map[int]string{1: "status"}},
	{name: "one falls silent", has: []farm.Resource{slow, {StallAt: 3 * MiB}}},
	{name: "one breaks, always in the same place", has: []farm.Resource{slow, {BreakAt: 3 * MiB}}},
	{name: "one changes after it was compared", has: []farm.Resource{slow, farm.Then(farm.Resource{}, farm.Resource{Body: other(usual)})},
		told: map[int]string{1: "changed"}},
	{name: "the first goes away, and the other lies", errs: []source.Kind{source.KindStatus, source.KindCorrupt},
		has: []farm.Resource{farm.Then(farm.Resource{Rate: 4 * MiB, BreakAt: 2 * MiB}, farm.Resource{Status: 404}), {Body: other(usual)}}, over: []int{1, 0}},

	{name: "the first is not there", has: []farm.Resource{{Status: 404}, {}}, told: map[int]string{0: "status"}, over: []int{1, 4, 0}},
	{name: "the first refuses connections", has: []farm.Resource{{}, {}}, dead: map[int]string{0: farm.Dead()}, told: map[int]string{0: "network"}, over: []int{1, 4, 0}},
	{name: "the first hangs", has: []farm.Resource{{HangHeader: true}, {}}, told: map[int]string{0: "timeout"}, over: []int{1, 4, 0}},
	{name: "the first tells no length and goes away, the other has something else", over: []int{1, 4, 0}, want: other(usual),
		has: []farm.Resource{farm.Then(farm.Resource{NoRange: true, NoLength: true, BreakAt: 2 * MiB}, farm.Resource{Status: 404}), {Body: other(usual)}}},
	{name: "the first tells no total and goes away, the other has something else", over: []int{1, 4, 0}, want: other(usual),
		has: []farm.Resource{farm.Then(farm.Resource{NoTotal: true}, farm.Resource{NoTotal: true, NoLength: true, BreakAt: 2 * MiB}, farm.Resource{Status: 404}),
			{Body: other(usual)}}},
	{name: "the first goes away, the other tells no length", has: []farm.Resource{
		farm.Then(farm.Resource{BreakAt: 2 * MiB}, farm.Resource{Status: 404}), {NoRange: true, NoLength: true}}, over: []int{1, 4, 0}},
	{name: "the first goes away, the other has a login page of no length", errs: []source.Kind{source.KindStatus, source.KindChanged},
		has: []farm.Resource{farm.Then(farm.Resource{BreakAt: 2 * MiB}, farm.Resource{Status: 404}), chunked(login)}, over: []int{1, 4, 0}},
	{name: "the first goes away", has: []farm.Resource{farm.Then(farm.Resource{BreakAt: 2 * MiB}, farm.Resource{Status: 404}), {}}},
	{name: "the first falls silent", has: []farm.Resource{{StallAt: 2 * MiB}, {}}},
	{name: "the first is only there at first, over one connection", has: []farm.Resource{{BreakAfter: MiB, Reset: true}, {}}},
	{name: "the first is not there, and the second goes away", errs: []source.Kind{source.KindStatus, source.KindAuth},
		has: []farm.Resource{{Status: 404}, farm.Then(farm.Resource{BreakAt: 2 * MiB}, farm.Resource{Status: 403})}},
	{name: "the first hangs, the second does not exist", has: []farm.Resource{farm.Then(farm.Resource{HangHeader: true}, farm.Resource{Status: 403}), {Status: 404}},
		errs: []source.Kind{source.KindAuth, source.KindStatus}},
	{name: "none exists", has: []farm.Resource{{Status: 404}, {Status: 410}}, errs: []source.Kind{source.KindStatus, source.KindStatus}},
	{name: "none is there", has: []farm.Resource{{Status: 404}, {Status: 410}, {Status: 403}},
		errs: []source.Kind{source.KindStatus, source.KindStatus, source.KindAuth}},
	{name: "none is there, each for its own reason", has: []farm.Resource{{}, {Status: 404}, {Garbage: true}}, dead: map[int]string{0: farm.Dead()},
		errs: []source.Kind{source.KindNetwork, source.KindStatus, source.KindProtocol}},
}

func TestMirrors(t *testing.T) {
	for _, m := range mirroreds {
		over := m.over
		if over == nil && m.told != nil {
			over = []int{4} // for one, no other mirror is asked; automatically only where the first is very slow
		} else if over == nil {
			over = []int{1, 4, 0}
		}
		for _, n := range over {
			t.Run(fmt.Sprintf("%s, %d connections", m.name, n), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, whole[:usual], m.has...)
				for i, url := range m.dead {
					s.urls[i] = url + "/x"
				}
				m.check(t, s, s.get(n))
			})
		}
	}
}

func (m *mirrored) check(t *testing.T, s *scene, o *outcome) {
	t.Helper()
	if m.errs != nil {
		o.wantLeft(t, s.data)
		m.checkErrors(t, s, o.err)
		return
	}
	if m.want != nil {
		s.data = m.want
	}
	o.wantFile(t, s.data)
	if m.told == nil {
		return
	}
	for i, url := range s.urls {
		if got := o.kinds(url); got != m.told[i] {
			t.Errorf("of mirror %d: %q was told, want %q", i, got, m.told[i])
		}
	}
}

// kinds are those that the events tell of a URL, each once, in order.
func (o *outcome) kinds(url string) string {
	var kinds []string
	for _, e := range o.events {
		if e.URL == url && e.Kind != "" && !slices.Contains(kinds, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
	}
	return strings.Join(kinds, " ")
}

func (m *mirrored) checkErrors(t *testing.T, s *scene, err error) {
	t.Helper()
	all, ok := errors.AsType[*MirrorsError](err)
	if !ok || len(all.Errs) != len(m.errs) {
		t.Fatalf("%v, want %d errors", causes(err), len(m.errs))
	}
	for _, err := range all.Errs {
		e, ok := errors.AsType[*source.Error](err)
		if !ok {
			t.Fatalf("%v", err)
		}
		if i := slices.Index(s.urls, e.URL); i < 0 || e.Kind != m.errs[i] {
			t.Errorf("mirror %d: %v, of kind %v", i, e, e.Kind)
		}
	}
	missing := !slices.ContainsFunc(all.Errs, func(err error) bool { return !errors.Is(err, fs.ErrNotExist) })
	if errors.Is(err, fs.ErrNotExist) != missing {
		t.Errorf("%v: that none exists is %v", causes(err), !missing)
	}
}
