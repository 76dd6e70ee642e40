package assemble_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"spate/assemble"
	"spate/internal/farm"
	"spate/source"
	"spate/source/filesource"
	"spate/source/httpsource"
)

// The tests of this and the following files are the table "semantics of a stream": each of its rows against origins
// that misbehave, over real sockets.

// firstByte is an alternative that fails before its first byte.
type firstByte struct {
	name string
	line string         // of the manifest; "": the URL of /bad on an origin of its own
	bad  farm.Resource  // what that origin has
	kind string         // of the failure
	asks int            // requests for /bad
	more *farm.Resource // under /more
}

func firstByteCases() []firstByte {
	data := text("bad", 100)
	return []firstByte{
		{name: "nothing listens", line: farm.Dead() + "/x", kind: "network"},
		{name: "no such host", line: "http://no..such..host/x", kind: "network"},
		{name: "401", bad: farm.Resource{Status: 401, Body: data}, kind: "auth", asks: 1},
		{name: "403", bad: farm.Resource{Status: 403, Body: data}, kind: "auth", asks: 1},
		{name: "404", bad: farm.Resource{Status: 404, Body: data}, kind: "status", asks: 1},
		{name: "410", bad: farm.Resource{Status: 410, Body: data}, kind: "status", asks: 1},
		{name: "416", bad: farm.Resource{Status: 416, Body: data}, kind: "status", asks: 1},
		{name: "429", bad: farm.Resource{Status: 429, RetryAfter: "1"}, kind: "status", asks: 1},
		{name: "500", bad: farm.Resource{Status: 500, Body: data}, kind: "status", asks: 1},
		{name: "503", bad: farm.Resource{Status: 503, Body: data}, kind: "status", asks: 1},
		{name: "206 unasked", bad: farm.Resource{Status: 206, Body: data}, kind: "protocol", asks: 1},
		{name: "no HTTP", bad: farm.Resource{Garbage: true}, kind: "protocol", asks: 1},
		{name: "cut before the first byte", bad: farm.Resource{Body: data, BreakAt: farm.AtOnce}, kind: "network", asks: 1},
		{name: "reset before the first byte", bad: farm.Resource{Body: data, BreakAt: farm.AtOnce, Reset: true}, kind: "network", asks: 1},
		{name: "a content coding", bad: farm.Resource{Body: data, Coding: "gzip"}, kind: "protocol", asks: 1},
		{name: "redirect to itself", bad: farm.Resource{Redirect: "/bad"}, kind: "protocol", asks: 1},
		{name: "redirect in circles", bad: farm.Resource{Redirect: "/more"}, kind: "protocol", asks: 1,
			more: &farm.Resource{Redirect: "/bad"}},
		{name: "redirect to nothing", bad: farm.Resource{Redirect: "/nothing"}, kind: "status", asks: 1},
		{name: "redirect to a file", bad: farm.Resource{Redirect: "file:///etc/passwd"}, kind: "refused", asks: 1},
		{name: "redirect to another scheme", bad: farm.Resource{Redirect: "gopher://127.0.0.1/x"}, kind: "refused", asks: 1},
		{name: "malformed host", line: "http://[::1/x", kind: "malformed"},
		{name: "malformed escape", line: "http://%zz/x", kind: "malformed"},
		{name: "malformed port", line: "http://127.0.0.1:port/x", kind: "malformed"},
		{name: "no host", line: "http:///x", kind: "malformed"},
		{name: "control character", line: "http://127.0.0.1/\x01", kind: "malformed"},
		{name: "unknown scheme", line: "gopher://127.0.0.1/x", kind: "malformed"},
		{name: "a comment", line: "# the good one is below", kind: "malformed"},
		{name: "a digest that is none", line: farm.Dead() + "/x#sha256=12", kind: "malformed"},
		{name: "a size that is none", line: farm.Dead() + "/x#size=many", kind: "malformed"},
		{name: "a local file", line: "file:///etc/hostname", kind: "refused"},
	}
}

// TestBeforeTheFirstByte: the next alternative, and it alone, is asked; whether the part is the one that is read or is
// fetched ahead.
func TestBeforeTheFirstByte(t *testing.T) {
	for _, c := range firstByteCases() {
		t.Run(c.name, func(t *testing.T) {
			bad := grow(t)
			bad.Serve("/bad", c.bad)
			if c.more != nil {
				bad.Serve("/more", *c.more)
			}
			c.check(t, bad, source.Mux{"http": web(t, nil), "file": filesource.Source{}})
		})
	}
}

func (c firstByte) check(t *testing.T, bad *farm.Farm, src source.Source) {
	good, one, two := grow(t), text("one", 3000), text("two", 5000)
	line := c.line
	if line == "" {
		line = bad.URL("/bad")
	}
	serve(good, "/m.parts", lines(line, "/one", "/spare", "--", line, "/two", "/spare"))
	serve(good, "/one", one)
	serve(good, "/two", two)
	for round, ahead := range []int{1, 16} {
		out := read(t, src, good.URL("/m.parts"), &assemble.Options{Ahead: ahead})
		out.want(t, slices.Concat(one, two))
		if want := []string{c.kind, c.kind}; !slices.Equal(out.kinds(), want) {
			t.Errorf("failures of kind %q, want %q: %v", out.kinds(), want, out.events)
		}
		if out.stats.Parts != 2 || out.stats.Failures != 2 {
			t.Errorf("%+v, want 2 parts and 2 failures", out.stats)
		}
		n := round + 1
		wantRequests(t, good, map[string]int{"/m.parts": n, "/one": n, "/two": n, "/spare": 0})
		wantRequests(t, bad, map[string]int{"/bad": 2 * c.asks * n})
	}
}

// TestUnknownAuthority: a certificate that nobody vouches for.
func TestUnknownAuthority(t *testing.T) {
	bad := farm.NewTLS()
	t.Cleanup(bad.Close)
	serve(bad, "/bad", text("bad", 100))
	client := web(t, nil)
	firstByte{kind: "tls"}.check(t, bad, source.Mux{"http": client, "https": client})
}

// TestTLSToPlain: an origin that speaks no TLS.
func TestTLSToPlain(t *testing.T) {
	bad := grow(t)
	client := web(t, nil)
	line := "https://" + bad.Addr() + "/bad"
	firstByte{line: line, kind: "tls"}.check(t, bad, source.Mux{"http": client, "https": client})
}

// TestNoAnswer: the time-out for the header.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	bad := grow(t)
	bad.Serve("/bad", farm.Resource{HangHeader: true})
	hasty := web(t, &httpsource.Options{HeaderTimeout: hastily})
	firstByte{kind: "timeout", asks: 1}.check(t, bad, byHost(bad.Addr(), hasty, web(t, nil)))
}

// TestManyRedirects: 20 are followed, 21 are not.
func TestManyRedirects(t *testing.T) {
	bad, good := grow(t), grow(t)
	for i := range 21 {
		bad.Serve("/"+strings.Repeat("r", i+1), farm.Resource{Redirect: "/" + strings.Repeat("r", i)})
	}
	serve(bad, "/", text("target", 100))
	serve(good, "/m.parts", lines(bad.URL("/"+strings.Repeat("r", 21)), bad.URL("/"+strings.Repeat("r", 20))))
	out := read(t, web(t, nil), good.URL("/m.parts"), nil)
	out.want(t, text("target", 100))
	if kinds := out.kinds(); !slices.Equal(kinds, []string{"protocol"}) {
		t.Errorf("failures %q", kinds)
	}
}

// TestLinesDoNotSpoil: whatever else stands in a part, the line that works works.
func TestLinesDoNotSpoil(t *testing.T) {
	good, one := grow(t), text("one", 3000)
	serve(good, "/one", one)
	var l []string
	for _, c := range firstByteCases() {
		if c.line != "" {
			l = append(l, c.line)
		}
	}
	serve(good, "/m.parts", lines(append(l, "/one")...))
	out := read(t, source.Mux{"http": web(t, nil)}, good.URL("/m.parts"), nil)
	out.want(t, one)
	if len(out.kinds()) != len(l) {
		t.Errorf("%d failures, want %d", len(out.kinds()), len(l))
	}
	if !bytes.Contains(lines(l...), []byte("#")) {
		t.Error("no comment among the lines")
	}
}
