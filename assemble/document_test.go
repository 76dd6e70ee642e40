package assemble_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spate/assemble"
	"spate/internal/farm"
	"spate/source"
	"spate/source/filesource"
	"spate/source/httpsource"
)

// TestCutManifest: a manifest that breaks, at any of its bytes, is read on, or the stream ends in an error. Never is it
// a shorter one.
func TestCutManifest(t *testing.T) {
	text := lines("mem://h/a", "--", "# no", "mem://h/b", "--", "(*)", "mem://h/c")
	want := []byte("abc")
	for at := 1; at <= len(text); at++ {
		for i := range 8 {
			th := &thing{data: text, cutAt: int64(at), noRange: i&1 > 0, noSize: i&2 > 0}
			if i&4 > 0 {
				th.cuts = 1
			}
			m := library(map[string]*thing{plan: th, memA: {data: []byte("a")}, memB: {data: []byte("b")}, memC: {data: []byte("c")}})
			out := read(t, m, plan, nil)
			out.wantPrefix(t, want)
			if out.err == nil && !bytes.Equal(out.data, want) {
				t.Errorf("cut at %d of %d: %q and no error", at, len(text), out.data)
			}
			if i&4 > 0 && out.err != nil {
				t.Errorf("cut once at %d: %v", at, out.err)
			}
			if i&4 == 0 && at < len(text) && !errors.Is(out.err, io.ErrUnexpectedEOF) {
				t.Errorf("cut at %d: error %v", at, out.err)
			}
		}
	}
}

// document is a manifest that misbehaves. It lists parts of 100 bytes; the second one is a manifest of one part.
type document struct {
	name     string
	res      func(text []byte) farm.Resource
	ranges   []string // asked of it; nil: any
	requests int      // of it; 0: any
	fails    error    // what the stream ends in
}

func documents() []document {
	const at = 30_000
	broken := io.ErrUnexpectedEOF
	return []document{
		{name: "behaves", res: fine, requests: 2}, // closed while the second part is executed
		{name: "answers no ranges", res: fineFromZero, requests: 1},
		{name: "tells no length", res: func(d []byte) farm.Resource { return farm.Resource{Body: d, NoLength: true} }, requests: 2},
		{name: "breaks once", res: func(d []byte) farm.Resource { return farm.Resource{Body: d, BreakAt: at, BreakTimes: 1} }},
		{name: "breaks often", res: func(d []byte) farm.Resource { return farm.Resource{Body: d, BreakAfter: 5000} }},
		{name: "breaks once and answers no ranges", res: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: at, BreakTimes: 1, NoRange: true}
		}, ranges: []string{"", "bytes=30000-"}},
		{name: "breaks", res: func(d []byte) farm.Resource { return farm.Resource{Body: d, BreakAt: at} }, fails: broken},
		{name: "breaks without a length", res: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: at, NoLength: true}
		}, fails: broken},
		{name: "breaks and answers no ranges", res: func(d []byte) farm.Resource {
			return farm.Resource{Body: d, BreakAt: at, NoRange: true}
		}, fails: broken},
		{name: "promises more than comes", res: func(d []byte) farm.Resource { return farm.Resource{Body: d, LengthOff: 100} },
			fails: source.ErrUnavailable},
		{name: "has changed when asked again", res: func(d []byte) farm.Resource {
			return farm.Then(farm.Resource{Body: d, ETag: `"1"`}, farm.Resource{Body: d, ETag: `"2"`})
		}, fails: source.ErrChanged},
		{name: "has grown when asked again", res: func(d []byte) farm.Resource {
			return farm.Then(fine(d), fine(append(bytes.Clone(d), "--\n/more\n"...)))
		}, fails: source.ErrChanged},
		{name: "is gone when asked again", res: func(d []byte) farm.Resource {
			return farm.Then(fine(d), farm.Resource{Status: 404})
		}, fails: fs.ErrNotExist},
		{name: "breaks, answers no ranges and has changed", res: func(d []byte) farm.Resource {
			return farm.Then(farm.Resource{Body: d, BreakAt: at, NoRange: true, NoLength: true},
				farm.Resource{Body: altered(d, 10), NoRange: true, NoLength: true})
		}, fails: source.ErrChanged},
		{name: "falls silent once", res: func(d []byte) farm.Resource {
			return farm.Then(farm.Resource{Body: d, StallAt: at}, fine(d))
		}},
	}
}

// TestDocuments: a manifest of which more is to come than can be decoded ahead.
func TestDocuments(t *testing.T) {
	for _, c := range documents() {
		t.Run(c.name, func(t *testing.T) {
			for _, ahead := range []int{1, 16} {
				c.check(t, ahead)
			}
		})
	}
}

func (c document) check(t *testing.T, ahead int) {
	const parts = 400
	padding := strings.Repeat("x", 150)
	root, f := grow(t), grow(t)
	var l []string
	var want []byte
	for i := range parts {
		l = append(l, root.URL(fmt.Sprintf("/parts/%d?%s", i%10, padding)), "--")
		want = append(want, text(fmt.Sprint(i%10), 100)...)
	}
	for i := range 10 {
		serve(root, fmt.Sprintf("/parts/%d", i), text(fmt.Sprint(i), 100))
	}
	l[2] = root.URL("/inner.parts")
	serve(root, "/inner.parts", lines("parts/1"))
	f.Serve("/m.parts", c.res(lines(l...)))
	hasty := web(t, &httpsource.Options{IdleTimeout: hastily})
	out := read(t, byHost(f.Addr(), hasty, web(t, nil)), f.URL("/m.parts"), &assemble.Options{Ahead: ahead})
	if c.fails == nil {
		out.want(t, want)
	} else if out.wantPrefix(t, want); !errors.Is(out.err, c.fails) || len(out.data) == len(want) {
		t.Errorf("%d bytes, then %v; want %v", len(out.data), out.err, c.fails)
	}
	if n := f.Requests("/m.parts"); c.requests > 0 && n != c.requests {
		t.Errorf("%d requests, want %d: %q", n, c.requests, ranges(f, "/m.parts"))
	}
	if c.ranges != nil {
		wantRanges(t, f, "/m.parts", c.ranges...)
	}
}

// TestManyDocumentsThatCannotSeek: more manifests wait for their turn than are kept open. Those that are not are read
// again from the beginning, and have changed if they differ there.
func TestManyDocumentsThatCannotSeek(t *testing.T) {
	const depth, more = 30, 150
	for _, changes := range []bool{false, true} {
		filler := strings.Repeat(verse+"?"+strings.Repeat("x", 150)+"\n--\n", more)
		m := chain(func(n int) []byte {
			if n == depth {
				return lines(verse)
			}
			return []byte(verse + "\n--\n" + link(n+1) + "\n--\n" + filler)
		})
		find := m.find
		m.find = func(url string) *thing {
			url, _, _ = strings.Cut(url, "?")
			th := find(url)
			th.noRange = true
			if changes && url == link(depth-1) && m.requests(url) > 1 {
				th.data = altered(th.data, 0)
			}
			return th
		}
		out := read(t, m, link(0), nil)
		if want := depth*(more+1) + 1; !changes {
			out.want(t, bytes.Repeat([]byte("v"), want))
			m.wantAsked(t, map[string]int{link(0): 1, link(depth - 1): 2})
		} else if len(out.data) > depth+1+more || !errors.Is(out.err, source.ErrChanged) {
			t.Errorf("%d bytes, then %v", len(out.data), out.err)
		}
		m.wantNothingOpen(t)
	}
}

// TestSyntax: a line that is too long ends the stream in an error that tells where; what comes before it is read.
func TestSyntax(t *testing.T) {
	f := grow(t)
	stock(f)
	serve(f, "/m.parts", lines("a", "--", "b", "--", strings.Repeat("x", 70_000)))
	out := read(t, web(t, nil), f.URL("/m.parts"), nil)
	if len(out.data) != 6000 || out.err == nil || !strings.Contains(out.err.Error(), "line 5") {
		t.Errorf("%d bytes, then %v", len(out.data), out.err)
	}
}

// TestForms: what a manifest may look like, and what it names.
func TestForms(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"blank", "\n \r\n\t\n", ""},
		{"separators alone", "--\n--\n--\n", ""},
		{"no end of line", "a", "a"},
		{"CRLF", "a\r\n--\r\nb\r\n", "ab"},
		{"a BOM", "\uFEFFa\n--\nb", "ab"},
		{"blanks around", "  a\t\n -- \n\n\tb \n", "ab"},
		{"a trailing separator", "a\n--\nb\n--\n", "ab"},
		{"empty parts", "--\na\n--\n\n--\n--\nb\n--\n--\n", "ab"},
		{"a mark alone", "(*)\n--\na\n", "a"},
		{"a dash too many", "---\na\n--\nb\n", "ab"},
		{"relative references", "./a\n--\nx/../b\n--\n/c\n--\n//HOST/a", "abca"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := grow(t)
			have := stock(f)
			serve(f, "/m.parts", []byte(strings.ReplaceAll(c.text, "HOST", f.Addr())))
			var want []byte
			for _, letter := range strings.Split(c.want, "") {
				want = append(want, have[letter]...)
			}
			read(t, web(t, nil), f.URL("/m.parts"), nil).want(t, want)
		})
	}
}

// TestWhatIsAManifest: by its name, or by its media type, before or after a redirect.
func TestWhatIsAManifest(t *testing.T) {
	l := lines("a")
	for path, is := range map[string]bool{"/x.parts": true, "/x.parts?q=1": true, "/x?q=y.parts": true, "/x.PARTS": false,
		"/x": false, "/typed": true, "/Typed": true, "/to-named": true, "/to-typed": true, "/from.parts": true, "/parts": false} {
		t.Run(path, func(t *testing.T) {
			f := grow(t)
			have := stock(f)
			f.Serve("/typed", farm.Resource{Body: l, MediaType: "text/parts-manifest"})
			f.Serve("/Typed", farm.Resource{Body: l, MediaType: "Text/Parts-Manifest; charset=utf-8"})
			f.Serve("/to-named", farm.Resource{Redirect: "/x.parts"})
			f.Serve("/to-typed", farm.Resource{Redirect: "/typed"})
			f.Serve("/from.parts", farm.Resource{Redirect: "/x"})
			for _, p := range []string{"/x", "/x.parts", "/x.parts?q=1", "/x?q=y.parts", "/x.PARTS", "/parts"} {
				serve(f, p, l)
			}
			want := l
			if is {
				want = have["a"]
			}
			root := read(t, web(t, nil), f.URL(path), nil)
			root.want(t, want)
			serve(f, "/m.parts", lines("b", "--", path, "--", "b"))
			read(t, web(t, nil), f.URL("/m.parts"), nil).want(t, slices.Concat(have["b"], want, have["b"]))
		})
	}
}

// TestRedirects: each kind of them, of a manifest, whose references then resolve against where it leads to, and of parts.
func TestRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		f, other := grow(t), grow(t)
		have := stock(other)
		f.Serve("/m.parts", farm.Resource{Redirect: other.URL("/deep/m.parts"), Status: status})
		serve(other, "/deep/m.parts", lines("../a", "--", "b"))
		other.Serve("/deep/b", farm.Resource{Redirect: "../b", Status: status})
		out := read(t, web(t, nil), f.URL("/m.parts"), nil)
		out.want(t, slices.Concat(have["a"], have["b"]))
		wantRequests(t, f, map[string]int{"/": 1})
	}
	f := grow(t)
	f.Serve("/m.parts", farm.Resource{Redirect: "/moved", Status: 300})
	serve(f, "/moved", lines("a"))
	if out := read(t, web(t, nil), f.URL("/m.parts"), nil); out.err == nil {
		t.Error("a status of 300 was followed")
	}
}

// TestLocalFiles: a manifest from the network must not name them, a local one may; and one that a local one names is
// from the network again.
func TestLocalFiles(t *testing.T) {
	dir, f := t.TempDir(), grow(t)
	secret := filesource.URL(filepath.Join(dir, "secret"))
	for name, data := range map[string][]byte{"secret": []byte("secret"), "local.parts": lines("secret", "--", secret),
		"bad.parts": lines(f.URL("/m.parts"))} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	src := source.Mux{"http": web(t, nil), "file": filesource.Source{}}
	read(t, src, filesource.URL(filepath.Join(dir, "local.parts")), nil).want(t, []byte("secretsecret"))
	f.Serve("/moved", farm.Resource{Redirect: secret})
	f.Serve("/local.parts", farm.Resource{Redirect: filesource.URL(filepath.Join(dir, "local.parts"))})
	for _, line := range []string{secret, strings.Replace(secret, "file", "FILE", 1), "file:secret", "file://localhost" + dir + "/secret",
		"moved", "local.parts", filesource.URL(filepath.Join(dir, "local.parts")), secret + "#size=6"} {
		serve(f, "/m.parts", lines(line))
		for _, url := range []string{f.URL("/m.parts"), filesource.URL(filepath.Join(dir, "bad.parts"))} {
			out := read(t, src, url, nil)
			se, ok := errors.AsType[*source.Error](out.err)
			if len(out.data) > 0 || !ok || se.Kind != source.KindRefused {
				t.Errorf("%s names %s: %q, %v", url, line, out.data, out.err)
			}
		}
	}
}
