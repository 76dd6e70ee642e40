package assemble_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"spate/assemble"
	"spate/source"
)

// answering is m, but what is below mem://h/STATUS/ answers with that status.
func answering(m *memory) source.Source {
	return source.Func(func(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
		var status int
		if n, _ := fmt.Sscanf(url, "mem://h/%d/", &status); n == 0 {
			return m.Open(ctx, url, rng)
		}
		return nil, answer(url, status)
	})
}

func answer(url string, status int) error {
	kind := source.KindStatus
	if status == 403 {
		kind = source.KindAuth
	}
	return &source.Error{Op: "open", URL: url, Kind: kind, Status: status, Err: fmt.Errorf("status %d", status)}
}

// failing is a part none of whose alternatives works.
type failing struct {
	name         string
	alternatives int         // numbered from 1
	status       map[int]int // that they answer with; others: 404
	last         int         // the alternative of the last error that is kept
	is           []error     // of failures
}

// failures are what an error is asked for.
var failures = []error{fs.ErrNotExist, fs.ErrPermission, source.ErrUnavailable, source.ErrCorrupt, io.EOF}

func failingCases() []failing {
	absent, broken := []error{fs.ErrNotExist}, []error{source.ErrUnavailable}
	refused, both := []error{fs.ErrPermission}, []error{fs.ErrPermission, source.ErrUnavailable}
	return []failing{
		{name: "1 of 404", alternatives: 1, last: 1, is: absent},
		{name: "63 of 404", alternatives: 63, last: 63, is: absent},
		{name: "64 of 404", alternatives: 64, last: 64, is: absent},
		{name: "65 of 404", alternatives: 65, last: 65, is: absent},
		{name: "200 of 404", alternatives: 200, last: 200, is: absent},
		{name: "a 410", alternatives: 200, status: map[int]int{150: 410}, last: 200, is: absent},
		{name: "a 503 first", alternatives: 200, status: map[int]int{1: 503}, last: 200, is: broken},
		{name: "a 503 before the last that is kept", alternatives: 200, status: map[int]int{63: 503}, last: 200, is: broken},
		{name: "a 503 where there is room for one more", alternatives: 200, status: map[int]int{64: 503}, last: 64, is: broken},
		{name: "a 503 where there is none", alternatives: 200, status: map[int]int{65: 503}, last: 65, is: broken},
		{name: "a 503 among many", alternatives: 200, status: map[int]int{150: 503}, last: 150, is: broken},
		{name: "a 503 at the end", alternatives: 200, status: map[int]int{200: 503}, last: 200, is: broken},
		{name: "the last of those that are no 404", alternatives: 200, status: map[int]int{100: 503, 150: 403}, last: 150, is: refused},
		{name: "one early, one late", alternatives: 200, status: map[int]int{10: 403, 150: 503}, last: 150, is: both},
	}
}

// TestManyFailures: of the errors of a part's alternatives the first 63 are kept and the last, whichever are left out;
// one that is not fs.ErrNotExist is not left out for one that is.
func TestManyFailures(t *testing.T) {
	for _, c := range failingCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Run("files", func(t *testing.T) { c.check(t, "mem://h/%d/%d") })
			// Each alternative is a manifest of one part, which fails so.
			t.Run("manifests", func(t *testing.T) { c.check(t, "mem://n/%d/%d.parts") })
		})
	}
}

func (c failing) check(t *testing.T, form string) {
	var part []string
	for i := range c.alternatives {
		part = append(part, fmt.Sprintf(form, c.statusOf(i+1), i+1))
	}
	for _, first := range []string{"", memA} { // the part is the head, or it is not yet
		for _, ahead := range []int{1, 16} {
			synctest.Test(t, func(t *testing.T) {
				c.wantError(t, c.read(t, slices.Concat([]string{first, "--"}, part, []string{"--", memB}), ahead))
			})
		}
	}
}

// read reads a manifest. Its part A waits until all is done that can be done ahead of it.
func (c failing) read(t *testing.T, manifest []string, ahead int) error {
	t.Helper()
	gate := make(chan struct{})
	things := map[string]*thing{memA: {data: []byte("a"), hold: gate}, memB: {data: []byte("b")}, plan: {data: lines(manifest...)}}
	m := &memory{find: func(url string) *thing {
		if inner, ok := strings.CutPrefix(url, "mem://n/"); ok {
			return &thing{data: lines("mem://h/" + strings.TrimSuffix(inner, ".parts"))}
		}
		return things[url]
	}}
	go func() {
		synctest.Wait()
		close(gate)
	}()
	out := read(t, answering(m), plan, &assemble.Options{Ahead: ahead})
	m.wantNothingOpen(t)
	return out.err
}

func (c failing) statusOf(alternative int) int {
	if status, ok := c.status[alternative]; ok {
		return status
	}
	return 404
}

func (c failing) wantError(t *testing.T, err error) {
	t.Helper()
	for _, target := range failures {
		if got, want := errors.Is(err, target), slices.Contains(c.is, target); got != want {
			t.Errorf("is %q: %v, want %v", target, got, want)
		}
	}
	pe, ok := errors.AsType[*assemble.PartError](err)
	if !ok || pe.Manifest != plan {
		t.Fatalf("error %v, want a PartError of %s", err, plan)
	}
	kept := min(c.alternatives, 64)
	if len(pe.Errs) != kept {
		t.Fatalf("%d errors are kept, want %d", len(pe.Errs), kept)
	}
	for i, err := range pe.Errs {
		number := i + 1
		if number == kept {
			number = c.last
		}
		want := fmt.Sprintf("mem://h/%d/%d", c.statusOf(number), number)
		if se, ok := errors.AsType[*source.Error](err); !ok || se.URL != want {
			t.Errorf("error %d of those that are kept: %v; want one of %s", i+1, err, want)
		}
	}
}

// TestFailuresAreCounted: each alternative that was given up counts, also those whose errors are not kept.
func TestFailuresAreCounted(t *testing.T) {
	var part []string
	for i := range 200 {
		part = append(part, fmt.Sprintf("mem://h/404/%d", i))
	}
	m := library(map[string]*thing{memA: {data: []byte("a")}, plan: {data: lines(append(part, memA)...)}})
	out := read(t, answering(m), plan, nil)
	out.want(t, []byte("a"))
	if n := len(out.of("failed")); out.stats.Failures != 200 || n != 200 {
		t.Errorf("%d failures were counted, and %d told; want 200", out.stats.Failures, n)
	}
}

// TestPartErrorIs: it is fs.ErrNotExist if all causes are, and anything else if one of them is.
func TestPartErrorIs(t *testing.T) {
	gone, absent := answer("mem://h/x", 404), answer("mem://h/x", 410)
	broken, refused := answer("mem://h/x", 503), answer("mem://h/x", 403)
	deeper := func(errs ...error) error { return &assemble.PartError{Manifest: plan, Line: 1, Errs: errs} }
	wrapped := func(err error) error { return fmt.Errorf("get: %w", err) }
	cases := []struct {
		name string
		errs []error
		is   []error // of failures
	}{
		{"no cause", nil, nil},
		{"one that there is not", []error{gone}, []error{fs.ErrNotExist}},
		{"several that there are not", []error{gone, absent, fs.ErrNotExist}, []error{fs.ErrNotExist}},
		{"all but the first", []error{broken, gone, gone}, []error{source.ErrUnavailable}},
		{"all but the last", []error{gone, gone, broken}, []error{source.ErrUnavailable}},
		{"one of each", []error{gone, refused, broken, wrapped(io.EOF)}, []error{fs.ErrPermission, source.ErrUnavailable, io.EOF}},
		{"wrapped", []error{wrapped(gone), wrapped(wrapped(absent))}, []error{fs.ErrNotExist}},
		{"deeper", []error{gone, deeper(gone, absent)}, []error{fs.ErrNotExist}},
		{"deeper, not all", []error{gone, deeper(gone, broken)}, []error{source.ErrUnavailable}},
		{"two floors deeper, wrapped, not all", []error{gone, wrapped(deeper(gone, deeper(gone, refused)))}, []error{fs.ErrPermission}},
		{"deeper, of no cause", []error{gone, deeper()}, nil},
		{"of no class", []error{gone, errors.New("what else")}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pe := deeper(c.errs...)
			for _, err := range []error{pe, wrapped(pe), errors.Join(pe, nil)} {
				for _, target := range failures {
					if got, want := errors.Is(err, target), slices.Contains(c.is, target); got != want {
						t.Errorf("%v is %q: %v, want %v", err, target, got, want)
					}
				}
				if !errors.Is(err, pe) {
					t.Errorf("%v is not itself", err)
				}
			}
		})
	}
}

// TestPartErrorAs: the first cause that fits is found, whichever others there are.
func TestPartErrorAs(t *testing.T) {
	source1, source2 := answer("mem://h/1", 404), answer("mem://h/2", 503)
	path := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	inner := &assemble.PartError{Manifest: plan, Line: 7, Errs: []error{path, source2}}
	cases := []struct {
		name   string
		errs   []error
		source error // the *source.Error that is found; nil: none
		path   error // the *fs.PathError
	}{
		{"no cause", nil, nil, nil},
		{"none of that type", []error{io.EOF, path}, nil, path},
		{"one", []error{source1}, source1, nil},
		{"the first of two", []error{source1, source2}, source1, nil},
		{"the first of two, in the other order", []error{source2, source1}, source2, nil},
		{"behind others", []error{io.EOF, path, source2}, source2, path},
		{"wrapped", []error{fmt.Errorf("get: %w", source2), source1}, source2, nil},
		{"deeper", []error{io.EOF, inner, source1}, source2, path},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pe := &assemble.PartError{Manifest: "mem://m/outer.parts", Line: 3, Errs: c.errs}
			err := fmt.Errorf("get: %w", pe)
			if got, ok := errors.AsType[*source.Error](err); ok != (c.source != nil) || ok && error(got) != c.source {
				t.Errorf("found %v, %v; want %v", got, ok, c.source)
			}
			if got, ok := errors.AsType[*fs.PathError](err); ok != (c.path != nil) || ok && error(got) != c.path {
				t.Errorf("found %v, %v; want %v", got, ok, c.path)
			}
			if got, _ := errors.AsType[*assemble.PartError](err); got != pe {
				t.Errorf("found %v, want the outermost", got)
			}
		})
	}
}

// TestPartErrorText: one line that names the place, and the cause where there is but one.
func TestPartErrorText(t *testing.T) {
	const text = "read mem://m/plan.parts: line 7: no alternative of this part works"
	for n, want := range []string{text, text + ": cause 0", text, text} {
		pe := &assemble.PartError{Manifest: plan, Line: 7}
		for i := range n {
			pe.Errs = append(pe.Errs, fmt.Errorf("cause %d", i))
		}
		if got := pe.Error(); got != want {
			t.Errorf("with %d causes: %q, want %q", n, got, want)
		}
	}
}

// TestFailuresBeforeATailCall: a part's last alternative is a manifest, and nothing follows: what the alternatives
// before answered still counts.
func TestFailuresBeforeATailCall(t *testing.T) {
	for name, follows := range map[string][]string{"nothing follows": nil, "a part follows": {"--", memA}} {
		t.Run(name, func(t *testing.T) {
			m := library(map[string]*thing{memA: {data: []byte("a")},
				plan:                  {data: lines(append([]string{"mem://h/503/x", "mem://m/inner.parts"}, follows...)...)},
				"mem://m/inner.parts": {data: lines("mem://h/404/x")}})
			err := read(t, answering(m), plan, nil).err
			if errors.Is(err, fs.ErrNotExist) {
				t.Errorf("is fs.ErrNotExist, though the first alternative answered 503: %v", whole(err))
			}
			if !errors.Is(err, source.ErrUnavailable) {
				t.Errorf("is not ErrUnavailable: %v", whole(err))
			}
		})
	}
}

// TestFailuresBeforeManyTailCalls: a manifest that ends in itself, with a mirror that is down, for more laps than are
// remembered one by one.
func TestFailuresBeforeManyTailCalls(t *testing.T) {
	laps := 0
	m := &memory{}
	m.find = func(url string) *thing {
		switch url {
		case plan:
			if laps++; laps > 200 {
				return &thing{data: lines("mem://h/404/x")}
			}
			return &thing{data: lines(memA, "--", "mem://h/503/x", plan)}
		case memA:
			return &thing{data: []byte("a")}
		}
		return nil
	}
	out := read(t, answering(m), plan, &assemble.Options{Ahead: 1})
	if len(out.data) != 200 || errors.Is(out.err, fs.ErrNotExist) || !errors.Is(out.err, source.ErrUnavailable) {
		t.Errorf("%d bytes, then %v", len(out.data), whole(out.err))
	}
}
