package main

import (
	"net/http"
	"net/http/cookiejar"
	neturl "net/url"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"golang.org/x/net/publicsuffix"

	"spate/source/httpsource"
)

func TestCookieFile(t *testing.T) {
	const file = "# comment\n\n" +
		"h.example\tFALSE\t/\tFALSE\t0\thost\t1\n" +
		".example.org\tTRUE\t/\tFALSE\t99999999999\tdomain\t2\r\n" +
		"example.org\tTRUE\t/a\tTRUE\t99999999999.5\tsecure\t3\n" +
		"#HttpOnly_h.example\tFALSE\t/a/\tFALSE\t1e300\tonly\t4\n" +
		"h.example\tFALSE\t/\tFALSE\t1\tover\t5\n" +
		"h.example\tFALSE\t/\tFALSE\t0\tempty\t\n" +
		"h.example\tFALSE\t/\tFALSE\t0\tshort\n" +
		".co.uk\tTRUE\t/\tFALSE\t0\tpublic\t6\n"
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		t.Fatal(err)
	}
	if err := readCookies(jar, strings.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"http://h.example/":          "empty= host=1 short=",
		"http://h.example/a/b":       "empty= host=1 only=4 short=",
		"http://sub.h.example/":      "",
		"http://example.org/":        "domain=2",
		"http://sub.example.org/":    "domain=2",
		"http://sub.example.org/a":   "domain=2",
		"https://sub.example.org/a":  "domain=2 secure=3",
		"https://example.org.other/": "",
		"http://a.co.uk/":            "",
	} {
		u, _ := neturl.Parse(url)
		var got []string
		for _, c := range jar.Cookies(u) {
			got = append(got, c.Name+"="+c.Value)
		}
		slices.Sort(got)
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", url, s, want)
		}
	}
}

func TestCookieFileMalformed(t *testing.T) {
	jar, _ := cookiejar.New(nil)
	for _, line := range []string{"x", "h\tFALSE\t/\tFALSE\tsoon\ta\ts3cret", "\tFALSE\t/\tFALSE\t0\ta\tb", "h\tFALSE\t/\tFALSE\t0\t\tb",
		"h\tFALSE\t/\tFALSE\t0\ta\tb\tc", strings.Repeat("x", 1<<20)} {
		err := readCookies(jar, strings.NewReader("# x\n"+line))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%.20q: %v", line, err)
		}
	}
}

// TestWebValues has what the flags take, and what they make of it.
func TestWebValues(t *testing.T) {
	for _, tt := range []struct {
		flag      string
		good, bad []string
	}{
		{"header", []string{"A: b", "A:b", "a-b:", "A;", "A: b: c", "A: ü"},
			[]string{"", "A", ":", ": b", "A b: c", "A: b\nC: d", "A: \x00", "Ä: b", "Host: x", "range: bytes=0-", "TE: x", "A ;", ";"}},
		{"user", []string{"u:p", "u:", ":p", "u:p:q"}, []string{"", "u"}},
		{"bearer", []string{"abc.def-ghi=="}, []string{"", "a b", "a\n"}},
		{"cookie", []string{"a=b", "a=", "a=b; c=d"}, []string{"", "a", "=b", "a=\r"}},
		{"user-agent", []string{"", "me/1 (x)"}, []string{"a\nb"}},
		{"proxy", []string{"none", "h", "h:1", "http://h", "https://h:1/", "socks5://u:p@h", "socks5h://[::1]:1"},
			[]string{"", "http://", "ftp://h", "http://h/path", "http://h:port", "socks4://h", "h h"}},
		{"accept-host-key", []string{"SHA256:" + strings.Repeat("x", 42) + "E"},
			[]string{"", "SHA256:", "SHA256:" + strings.Repeat("x", 42), strings.Repeat("x", 42) + "E", "SHA256:" + strings.Repeat("x", 43),
				"SHA256:" + strings.Repeat("x", 42) + "E=", "MD5:" + strings.Repeat("ab:", 15) + "ab"}},
		{"resolve", []string{"h:1:1.2.3.4", "h:1:::1", "h:1:[::1]", "h:1:1.2.3.4,::1", "[::1]:1:1.2.3.4"},
			[]string{"", "h", "h:1", "h:1:", "h:x:1.2.3.4", ":1:1.2.3.4", "h:1:name", "h:1:1.2.3.4,", "*:1:1.2.3.4", "-h:1:1.2.3.4:x"}},
	} {
		for i, words := range [][]string{tt.good, tt.bad} {
			for _, word := range words {
				var f webFlags
				f.register(pflag.NewFlagSet("", pflag.ContinueOnError))
				new(sshFlags).register(f.set)
				if err := f.set.Lookup(tt.flag).Value.Set(word); (err == nil) != (i == 0) {
					t.Errorf("--%s %q: %v", tt.flag, word, err)
				}
			}
		}
	}
}

func TestSortHeaders(t *testing.T) {
	all := http.Header{"Accept": {"a"}, "User-Agent": nil, "X-Key": {"k"}, "Authorization": {"s"}}
	everybody, named := sortHeaders(all)
	if len(everybody) != 2 || everybody.Get("Accept") != "a" || len(named) != 2 || named.Get("X-Key") != "k" {
		t.Errorf("%v and %v", everybody, named)
	}
	if len(all) != 4 {
		t.Error("what was given has changed")
	}
}

func TestResolveIsLowerCase(t *testing.T) {
	var f webFlags
	f.register(pflag.NewFlagSet("", pflag.ContinueOnError))
	if err := f.set.Parse([]string{"--resolve", "Host:80:127.0.0.1,[::1]", "--resolve", "[::2]:443:::3"}); err != nil {
		t.Fatal(err)
	}
	o, err := f.options(httpsource.Options{}, nil)
	if err != nil || !slices.Equal(o.Resolve["host:80"], []string{"127.0.0.1", "::1"}) || !slices.Equal(o.Resolve["[::2]:443"], []string{"::3"}) {
		t.Errorf("%v, %v", o.Resolve, err)
	}
}
