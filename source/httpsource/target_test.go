package httpsource

import (
	"net/url"
	"strings"
	"testing"
)

// malformed are URLs of which none may lead to a request.
var malformed = []string{
	"", " ", "http:", "http://", "http:///path", "http:path", "http:/path", "//host/path", "/path", "host/path",
	"https://", "http://:80/", "http://user@/", "http://user:pw@:80/",
	"http://host:port/", "http://host:65536/", "http://host:-1/", "http://[::1/", "http://ho st/",
	"http://host/a b", "http://host/a\tb", "http://host/a\r\nb", "http://host/\x00", "http://host/\x7f", " http://host/",
	"http://host/%zz", "http://%zz/", "http://host/?a b", "ftp://host/", "file:///path", "mailto:a@host", "::", "# comment",
}

func TestParse(t *testing.T) {
	for _, raw := range malformed {
		_, err := parse(raw)
		switch {
		case err == nil:
			t.Errorf("parse(%q) succeeds", raw)
		case len(raw) > 4 && strings.Contains(err.Error(), raw):
			t.Errorf("parse(%q) repeats it: %v", raw, err)
		}
	}
	for _, raw := range []string{
		"http://host", "http://host?x", "HTTP://HOST/", "https://host:65535/a%20b", "http://host:/", "http://u:p@host/",
		"http://[::1]:80/", "http://[fe80::1%25eth0]/", "http://h/ä?ö", "http://h/a|b", "http://xn--bcher-kva.example/",
	} {
		if _, err := parse(raw); err != nil {
			t.Errorf("parse(%q): %v", raw, err)
		}
	}
	if u, err := parse("http://h/a?b#sha256=00"); err != nil || u.String() != "http://h/a?b" {
		t.Errorf("got %v, %v", u, err)
	}
}

func TestSameOrigin(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"http://h/a", "http://h/b", true},
		{"http://h/", "http://H/", true},
		{"http://h/", "http://h:80/", true},
		{"https://h:443/", "https://h/", true},
		{"http://u@h/", "http://h/", true},
		{"http://[::1]/", "http://[::1]:80/", true},
		{"http://h/", "https://h/", false},
		{"http://h:443/", "https://h/", false},
		{"http://h/", "http://h:81/", false},
		{"http://h/", "http://h.example/", false},
		{"http://h/", "http://i/", false},
	}
	for _, tt := range tests {
		a, _ := url.Parse(tt.a)
		b, _ := url.Parse(tt.b)
		if sameOrigin(a, b) != tt.want || sameOrigin(b, a) != tt.want {
			t.Errorf("sameOrigin(%s, %s) is not %v", a, b, tt.want)
		}
	}
}
