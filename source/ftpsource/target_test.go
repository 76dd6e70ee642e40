package ftpsource

import (
	"testing"
)

var malformed = []string{
	"http://h/x", "ftp:", "ftp://", "ftp:x", "ftp:///x", "ftp://h", "ftp://h/", "ftp://h//", "ftp://h/%2F", "ftp://h:x/y", "ftp://h:65536/y",
	"ftp://h/a b", "ftp://h/x\n", "ftp://h/x%0d%0aDELE%20y", "ftp://h/x%0aDELE", "ftp://h/x%0d", "ftp://h/x%00", "ftp://h/x%7f", "ftp://h/%zz",
	"ftp://u%0d%0aQUIT@h/x", "ftp://u:p%0aQUIT@h/x", "ftp://u:p%00@h/x",
	"ftp://h/x?y", "ftp://h/x?", "ftp://h/x;type=a", "ftp://h/x;type=d", "ftp://h/;type=i", "ftp://h/x%0a;type=i",
}

func TestParse(t *testing.T) {
	tests := []struct {
		url  string
		want target
	}{
		{"ftp://h/a/b", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "a/b"}},
		{"ftp://h/%2Fa/b", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "/a/b"}},
		{"ftp://h//a/b", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "/a/b"}},
		{"ftp://h/a%20b%3Fc%23d#e", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "a b?c#d"}},
		{"ftp://h/a/b;type=i", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "a/b", name: "b"}},
		{"ftp://h/b;TYPE=I", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "b", name: "b"}},
		{"ftp://h/b%3Btype=a", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "b;type=a"}},
		{"ftp://u:p%40%3A@h:2121/x", target{addr: "h:2121", host: "h", user: "u", pass: "p@:", path: "x"}},
		{"ftp://u@h/x", target{addr: "h:21", host: "h", user: "u", path: "x"}},
		{"ftp://[::1]/x", target{addr: "[::1]:21", host: "::1", user: "anonymous", pass: "anonymous@", path: "x"}},
		{"ftps://h/x", target{addr: "h:21", host: "h", user: "anonymous", pass: "anonymous@", path: "x", tls: explicitTLS}},
		{"ftps://h:990/x", target{addr: "h:990", host: "h", user: "anonymous", pass: "anonymous@", path: "x", tls: implicitTLS}},
		{"ftps://h:989/x", target{addr: "h:989", host: "h", user: "anonymous", pass: "anonymous@", path: "x", tls: explicitTLS}},
		{"ftp://h:990/x", target{addr: "h:990", host: "h", user: "anonymous", pass: "anonymous@", path: "x"}},
	}
	for _, tt := range tests {
		tt.want.rawURL = tt.url
		if got, err := New(nil).parse(tt.url); err != nil || got != tt.want {
			t.Errorf("parse(%q) = %+v, %v, want %+v", tt.url, got, err, tt.want)
		}
	}
}
