package sftpsource

import "testing"

var malformed = []string{
	"http://h/x", "sftp:", "sftp://", "sftp:x", "sftp:///x", "sftp://h", "sftp://h/", "sftp://h//", "sftp://h/~", "sftp://h/~/",
	"sftp://h:x/y", "sftp://h:65536/y", "sftp://h/a b", "sftp://h/x\n", "sftp://h/x%0a", "sftp://h/x%00", "sftp://h/x%7f", "sftp://h/%zz",
	"sftp://u%0a@h/x", "sftp://u:p%00@h/x", "sftp://h/x?y", "sftp://h/x?",
}

func TestParse(t *testing.T) {
	tests := []struct {
		url  string
		want target
	}{
		{"sftp://h/a/b", target{place: place{host: "h"}, path: "/a/b"}},
		{"ssh://h/a/b", target{place: place{host: "h"}, path: "/a/b"}},
		{"scp://h/a/b", target{place: place{host: "h"}, path: "/a/b"}},
		{"sftp://h/~/a/b", target{place: place{host: "h"}, path: "a/b"}},
		{"sftp://h/~//a", target{place: place{host: "h"}, path: "a"}},
		{"sftp://h/%7E/a", target{place: place{host: "h"}, path: "a"}},
		{"sftp://h/~a/b", target{place: place{host: "h"}, path: "/~a/b"}},
		{"sftp://h/a%20b%3Fc%23#e", target{place: place{host: "h"}, path: "/a b?c#"}},
		{"sftp://u@[::1]:2222/x", target{place: place{host: "::1", port: "2222", user: "u"}, path: "/x"}},
		{"sftp://u:p%40@h/x", target{place: place{host: "h", user: "u", password: "p@", hasPassword: true}, path: "/x"}},
		{"sftp://u:@h/x", target{place: place{host: "h", user: "u", hasPassword: true}, path: "/x"}},
	}
	for _, tt := range tests {
		tt.want.rawURL = tt.url
		if got, err := New(nil).parse(tt.url); err != nil || got != tt.want {
			t.Errorf("parse(%q) = %+v, %v, want %+v", tt.url, got, err, tt.want)
		}
	}
}
