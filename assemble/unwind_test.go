package assemble_test

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"spate/assemble"
	"spate/event"
	"spate/internal/farm"
	"spate/source"
)

// unwinding is a root manifest with parts below it, of which something fails. What is served: /a, /b and /c with 3000
// bytes each, /ab and so on with those of several in a row, /ab!cut with what breaks in the middle of the last, and
// nothing under /gone.
type unwinding struct {
	name     string
	root     []string
	inner    []string // /inner.parts
	other    []string // /other.parts
	want     string   // by letter; "": the stream fails
	prefix   string   // what comes before it fails, by letter
	requests map[string]int
	unwound  int
}

func unwindingCases() []unwinding {
	return []unwinding{
		{name: "to the file beside the manifest", root: []string{"inner.parts", "ab"}, inner: []string{"a", "--", "gone"},
			want: "ab", requests: map[string]int{"/a": 1, "/ab": 1}, unwound: 1},
		{name: "to a file that answers no ranges", root: []string{"inner.parts", "ab!fromzero"}, inner: []string{"a", "--", "gone"},
			want: "ab", requests: map[string]int{"/a": 1}, unwound: 1},
		{name: "to another manifest", root: []string{"inner.parts", "other.parts"}, inner: []string{"a", "--", "gone"},
			other: []string{"a", "--", "b"}, want: "ab", requests: map[string]int{"/a": 2, "/b": 1}, unwound: 1},
		{name: "to another manifest, cut otherwise", root: []string{"inner.parts", "other.parts"},
			inner: []string{"a", "--", "b", "--", "gone"}, other: []string{"ab", "--", "c"}, want: "abc",
			requests: map[string]int{"/ab": 1}, unwound: 1},
		{name: "and go on behind", root: []string{"inner.parts", "ab", "--", "c"}, inner: []string{"a", "--", "gone"},
			want: "abc", requests: map[string]int{"/a": 1, "/ab": 1, "/c": 1}, unwound: 1},
		{name: "from the middle of a part", root: []string{"inner.parts", "ab"}, inner: []string{"a", "--", "b!cut"},
			want: "ab", requests: map[string]int{"/a": 1, "/ab": 1}, unwound: 1},
		{name: "before the first byte", root: []string{"inner.parts", "ab"}, inner: []string{"gone", "--", "b"},
			want: "ab", requests: map[string]int{"/ab": 1}, unwound: 1},
		{name: "over two manifests", root: []string{"inner.parts", "ab"}, inner: []string{"other.parts"},
			other: []string{"a", "--", "gone"}, want: "ab", requests: map[string]int{"/a": 1, "/ab": 1}, unwound: 1},
		{name: "to the inner one first", root: []string{"inner.parts", "abc"}, inner: []string{"other.parts", "ab"},
			other: []string{"a", "--", "gone"}, want: "ab", requests: map[string]int{"/ab": 1, "/abc": 0}, unwound: 1},
		{name: "again and again", root: []string{"inner.parts", "other.parts", "abc"}, inner: []string{"a", "--", "gone"},
			other: []string{"ab", "--", "gone"}, want: "abc", unwound: 2},
		{name: "the next is gone as well", root: []string{"inner.parts", "gone", "ab"}, inner: []string{"a", "--", "gone"},
			want: "ab", requests: map[string]int{"/ab": 1}, unwound: 1},
		{name: "a manifest beside a file that breaks", root: []string{"ab!cut", "inner.parts"}, inner: []string{"a", "--", "b"},
			want: "ab", requests: map[string]int{"/a": 1, "/b": 1}, unwound: 1},
		{name: "a manifest that is gone", root: []string{"nothing.parts", "ab"}, want: "ab"},
		{name: "to other bytes", root: []string{"inner.parts", "ba!fromzero"}, inner: []string{"a", "--", "gone"}, prefix: "a", unwound: 1},
		{name: "to fewer bytes", root: []string{"inner.parts", "a"}, inner: []string{"a", "--", "b", "--", "gone"}, prefix: "ab", unwound: 1},
		{name: "to fewer bytes, then to enough", root: []string{"inner.parts", "a", "abc"}, inner: []string{"a", "--", "b", "--", "gone"},
			want: "abc", unwound: 1},
		{name: "to a manifest of fewer bytes", root: []string{"inner.parts", "other.parts"}, inner: []string{"a", "--", "b", "--", "gone"},
			other: []string{"a"}, prefix: "ab", unwound: 1},
		{name: "to an empty manifest", root: []string{"inner.parts", "other.parts", "abc"}, inner: []string{"a", "--", "gone"},
			other: []string{""}, want: "abc", unwound: 2},
		{name: "nowhere", root: []string{"inner.parts", "--", "c"}, inner: []string{"a", "--", "gone"}, prefix: "a"},
	}
}

// stock serves what unwinding tells of.
func stock(f *farm.Farm) map[string][]byte {
	have := map[string][]byte{}
	for _, name := range []string{"a", "b", "c", "ab", "ba", "abc"} {
		var data []byte
		for _, letter := range strings.Split(name, "") {
			data = append(data, text(letter, 3000)...)
		}
		have[name] = data
		f.Serve("/"+name, fine(data))
		f.Serve("/"+name+"!fromzero", fineFromZero(data))
		f.Serve("/"+name+"!cut", farm.Resource{Body: data, BreakAt: int64(len(data)) - 1000})
	}
	return have
}

// TestUnwinding: where no alternative of a part is left, an enclosing part's next one is replayed and what was handed
// on is discarded, or the stream fails.
func TestUnwinding(t *testing.T) {
	for _, c := range unwindingCases() {
		t.Run(c.name, func(t *testing.T) {
			for _, ahead := range []int{1, 16} {
				c.check(t, ahead)
			}
		})
	}
}

func (c unwinding) check(t *testing.T, ahead int) {
	f := grow(t)
	have := stock(f)
	serve(f, "/root.parts", lines(c.root...))
	serve(f, "/inner.parts", lines(c.inner...))
	serve(f, "/other.parts", lines(c.other...))
	out := read(t, web(t, nil), f.URL("/root.parts"), &assemble.Options{Ahead: ahead})
	if c.want != "" {
		out.want(t, have[c.want])
	} else {
		if out.err == nil || string(out.data) != string(have[c.prefix]) {
			t.Errorf("%d bytes, then %v; want %d, then an error", len(out.data), out.err, len(have[c.prefix]))
		}
	}
	if n := len(out.of(event.Unwound)); n != c.unwound {
		t.Errorf("unwound %d times, want %d: %v", n, c.unwound, out.events)
	}
	wantRequests(t, f, c.requests)
}

// TestUnwoundByRange: what was handed on is not asked for again where that can be avoided.
func TestUnwoundByRange(t *testing.T) {
	f := grow(t)
	have := stock(f)
	serve(f, "/root.parts", lines("inner.parts", "ab"))
	serve(f, "/inner.parts", lines("a", "--", "b!cut"))
	out := read(t, web(t, nil), f.URL("/root.parts"), nil)
	out.want(t, have["ab"])
	wantRanges(t, f, "/ab", "bytes=5000-")
	es := out.of(event.Unwound)
	if len(es) != 1 || es[0].Manifest != f.URL("/root.parts") || es[0].Line != 1 {
		t.Errorf("events %+v", es)
	}
}

// TestEveryCause: the error names manifest, line, and why each alternative failed.
func TestEveryCause(t *testing.T) {
	f := grow(t)
	stock(f)
	f.Serve("/broken", farm.Resource{Status: 503})
	f.Serve("/cut", farm.Resource{Body: text("x", 100), BreakAt: 50})
	serve(f, "/m.parts", lines("a", "--", "", "gone", "broken", "# no", "cut", "http://%zz/"))
	out := read(t, web(t, nil), f.URL("/m.parts"), nil)
	pe, ok := errors.AsType[*assemble.PartError](out.err)
	if !ok {
		t.Fatalf("error %v, want a PartError", out.err)
	}
	if pe.Manifest != f.URL("/m.parts") || pe.Line != 4 {
		t.Errorf("manifest %s, line %d", pe.Manifest, pe.Line)
	}
	var kinds []string
	for _, err := range pe.Errs {
		if se, ok := errors.AsType[*source.Error](err); ok {
			kinds = append(kinds, se.Kind.String())
		}
	}
	if want := []string{"status", "status", "malformed", "network", "malformed"}; !slices.Equal(kinds, want) {
		t.Errorf("causes %q, want %q", kinds, want)
	}
	for _, target := range []error{source.ErrUnavailable, io.ErrUnexpectedEOF} {
		if !errors.Is(out.err, target) {
			t.Errorf("is not %v", target)
		}
	}
	if !strings.Contains(out.err.Error(), "line 4") || strings.Contains(out.err.Error(), "\n") {
		t.Errorf("text %q", out.err)
	}
}

// TestNestedCauses: what failed within a manifest is among the causes of the part that names it.
func TestNestedCauses(t *testing.T) {
	f := grow(t)
	f.Serve("/broken", farm.Resource{Status: 503})
	serve(f, "/root.parts", lines("inner.parts", "gone"))
	serve(f, "/inner.parts", lines("gone", "broken"))
	out := read(t, web(t, nil), f.URL("/root.parts"), nil)
	outer, ok := errors.AsType[*assemble.PartError](out.err)
	if !ok || outer.Manifest != f.URL("/root.parts") || len(outer.Errs) != 2 {
		t.Fatalf("error %v", out.err)
	}
	inner, ok := errors.AsType[*assemble.PartError](outer.Errs[0])
	if !ok || inner.Manifest != f.URL("/inner.parts") || inner.Line != 1 || len(inner.Errs) != 2 {
		t.Errorf("first cause %v", outer.Errs[0])
	}
}

// TestRedactedErrors: no secret of a URL in the text of an error, nor in an event.
func TestRedactedErrors(t *testing.T) {
	f := grow(t)
	secret := "http://user:hunter2@" + f.Addr() + "/gone?token=hunter2"
	serve(f, "/m.parts", lines(secret, "http://user:hunter2@%zz/", "file:///x?token=hunter2", secret+"#sha256=1"))
	out := read(t, web(t, nil), f.URL("/m.parts?token=hunter2"), nil)
	if out.err == nil {
		t.Fatal("no error")
	}
	for _, said := range append(out.of(event.Failed), event.Event{Error: whole(out.err)}) {
		if said := said.URL + said.Manifest + said.Error; strings.Contains(said, "hunter2") {
			t.Errorf("a secret in %q", said)
		}
	}
}

// TestWhichError: what errors.Is finds in the error of a part depends on all of its alternatives.
func TestWhichError(t *testing.T) {
	dead := farm.Dead() + "/x"
	cases := []struct {
		name                   string
		part                   []string
		inner                  []string
		notExist, notAvailable bool
	}{
		{name: "404", part: []string{"404"}, notExist: true},
		{name: "404 and 410", part: []string{"404", "410"}, notExist: true},
		{name: "404 within a manifest", part: []string{"inner.parts"}, inner: []string{"404"}, notExist: true},
		{name: "404 within a manifest and without", part: []string{"inner.parts", "410"}, inner: []string{"404", "404"}, notExist: true},
		{name: "404 of a manifest", part: []string{"404.parts"}, notExist: true},
		{name: "404 and 500", part: []string{"404", "500"}, notAvailable: true},
		{name: "500 and 404", part: []string{"500", "404"}, notAvailable: true},
		{name: "404 and 500 within", part: []string{"404", "inner.parts"}, inner: []string{"404", "500"}, notAvailable: true},
		{name: "404 and nobody listens", part: []string{"404", dead}, notAvailable: true},
		{name: "500", part: []string{"500"}, notAvailable: true},
		{name: "404 and a comment", part: []string{"404", "# gone"}},
		{name: "403", part: []string{"403"}},
		{name: "404 and 403", part: []string{"404", "403"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := grow(t)
			for _, status := range []int{403, 410, 500} {
				f.Serve("/"+[...]string{403: "403", 410: "410", 500: "500"}[status], farm.Resource{Status: status})
			}
			serve(f, "/m.parts", lines(c.part...))
			serve(f, "/inner.parts", lines(c.inner...))
			err := read(t, web(t, nil), f.URL("/m.parts"), nil).err
			if got := errors.Is(err, fs.ErrNotExist); got != c.notExist {
				t.Errorf("is fs.ErrNotExist: %v: %v", got, whole(err))
			}
			if got := errors.Is(err, source.ErrUnavailable); got != c.notAvailable {
				t.Errorf("is ErrUnavailable: %v: %v", got, whole(err))
			}
		})
	}
}

// TestRootError: what was asked for is no part, and its error no PartError.
func TestRootError(t *testing.T) {
	f := grow(t)
	f.Serve("/broken.parts", farm.Resource{Status: 500})
	for url, target := range map[string]error{
		f.URL("/gone"):         fs.ErrNotExist,
		f.URL("/gone.parts"):   fs.ErrNotExist,
		f.URL("/broken.parts"): source.ErrUnavailable,
		farm.Dead() + "/x":     source.ErrUnavailable,
	} {
		_, err := assemble.Open(t.Context(), web(t, nil), url, nil)
		se, ok := errors.AsType[*source.Error](err)
		if !ok || !errors.Is(err, target) || se.URL != url {
			t.Errorf("%s: %v, want %v", url, err, target)
		}
		if _, ok := errors.AsType[*assemble.PartError](err); ok {
			t.Errorf("%s: a PartError: %v", url, err)
		}
	}
}
