package httpsource

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"spate/source"
)

func TestLinks(t *testing.T) {
	base, _ := url.Parse("http://h/dir/x")
	dup := func(url string) source.Link { return source.Link{Rel: "duplicate", URL: url} }
	tests := []struct {
		name, value string
		want        []source.Link
	}{
		{"nothing", "", nil},
		{"a mirror", `<http://m/x>; rel=duplicate; pri=1; depth=2; geo=DE`,
			[]source.Link{{Rel: "duplicate", URL: "http://m/x", Pri: 1, Depth: 2, Geo: "de"}}},
		{"quoted", `<http://m/x>;rel="duplicate" ; pri="10";geo="gb";pref`,
			[]source.Link{{Rel: "duplicate", URL: "http://m/x", Pri: 10, Geo: "gb", Preferred: true}}},
		{"a Metalink file", `<http://h/x.meta4>; rel=describedby; type="Application/Metalink4+xml; q=1"`,
			[]source.Link{{Rel: "describedby", URL: "http://h/x.meta4", MediaType: "application/metalink4+xml"}}},
		{"several", `<a>; rel=duplicate,<b>; rel=duplicate , <ftp://f/c>; rel=duplicate`,
			[]source.Link{dup("http://h/dir/a"), dup("http://h/dir/b"), dup("ftp://f/c")}},
		{"relative", `<../a?b#c>; rel=duplicate, </d>; rel=duplicate, <//m/e>; rel=duplicate`,
			[]source.Link{dup("http://h/a?b"), dup("http://h/d"), dup("http://m/e")}},
		{"upper case", `<http://m/x>; REL="Duplicate"`, []source.Link{dup("http://m/x")}},
		{"several relations", `<http://m/x>; rel="alternate duplicate"`, []source.Link{dup("http://m/x")}},
		{"another relation", `<http://m/x>; rel=next, <http://m/y>; rel=duplicate`, []source.Link{dup("http://m/y")}},
		{"no relation", `<http://m/x>, <http://m/y>;`, nil},
		{"the first relation counts", `<http://m/x>; rel=next; rel=duplicate`, nil},
		{"about something else", `<http://m/x>; rel=duplicate; anchor="#a"`, nil},
		{"commas and brackets within", `<http://m/x,y;z>; title="a, <b>; rel=next\""; rel=duplicate`, []source.Link{dup("http://m/x,y;z")}},
		{"priorities that are none", `<a>; rel=duplicate; pri=0, <b>; rel=duplicate; pri=1000000, <c>; rel=duplicate; pri=-1; geo=x1`,
			[]source.Link{dup("http://h/dir/a"), dup("http://h/dir/b"), dup("http://h/dir/c")}},
		{"the last priority", `<a>; rel=duplicate; pri=999999`, []source.Link{{Rel: "duplicate", URL: "http://h/dir/a", Pri: 999999}}},
		{"a local file", `<file:///etc/passwd>; rel=duplicate, <file://h/x>; rel=duplicate`, nil},
		{"no place", `<mailto:a@b>; rel=duplicate, <magnet:?xt=x>; rel=duplicate, <http:///x>; rel=duplicate`, nil},
		{"malformed URL", `<http://[>; rel=duplicate, <http://m/%zz>; rel=duplicate, <a>; rel=duplicate`, []source.Link{dup("http://h/dir/a")}},
		{"no bracket", `http://m/x; rel=duplicate, <a>; rel=duplicate`, nil},
		{"no end of the bracket", `<a>; rel=duplicate, <b; rel=duplicate`, []source.Link{dup("http://h/dir/a")}},
		{"no end of a quote", `<a>; rel=duplicate, <b>; rel="duplicate`, []source.Link{dup("http://h/dir/a")}},
		{"garbage behind", `<a>; rel=duplicate, <b> rel=duplicate`, []source.Link{dup("http://h/dir/a")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := appendLinks(nil, http.Header{"Link": {tt.value}}, base); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestLinksAreBounded(t *testing.T) {
	base, _ := url.Parse("http://h/")
	h := http.Header{}
	for i := range 2 * maxLinks {
		h.Add("Link", fmt.Sprintf("<http://m/%d>; rel=duplicate", i))
	}
	if got := appendLinks(nil, h, base); len(got) != maxLinks || got[maxLinks-1].URL != fmt.Sprintf("http://m/%d", maxLinks-1) {
		t.Errorf("%d links", len(got))
	}
	if got := appendLinks(make([]source.Link, maxLinks-1), h, base); len(got) != maxLinks {
		t.Errorf("%d links", len(got))
	}
	const start = "http://m/"
	for n, want := range map[int]int{maxLinkText: 1, maxLinkText + 1: 0} {
		h = http.Header{"Link": {"<" + start + strings.Repeat("x", n-len(start)) + ">; rel=duplicate"}}
		if got := appendLinks(nil, h, base); len(got) != want {
			t.Errorf("of %d bytes: %d links, want %d", n, len(got), want)
		}
	}
}

func FuzzLinks(f *testing.F) {
	base, _ := url.Parse("http://u:p@h/dir/x")
	for _, s := range []string{`<a>; rel=duplicate; pri=1`, `<a>;rel="x\"`, `<a>;;=;=",`, `<>; rel=describedby`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range appendLinks(nil, http.Header{"Link": {text}}, base) {
			if u, err := url.Parse(l.URL); err != nil || u.Host == "" || u.Scheme == "file" {
				t.Errorf("%q: %+v", text, l)
			}
		}
	})
}
