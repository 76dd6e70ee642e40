package ftpsource

import (
	"net/url"
	"strings"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

// TestLoginOfOptions: which user and password are sent, and that they are sent to named origins only.
func TestLoginOfOptions(t *testing.T) {
	const nobody, user = "USER anonymous|PASS anonymous@", "USER user|PASS secret"
	tests := []struct {
		name string
		who  *url.Userinfo
		as   string // of the URL
		by   string // what names the origin; ADDR is its address
		want string
	}{
		{"named", url.UserPassword("user", "secret"), "", "ftp://ADDR/y", user},
		{"by another user", url.UserPassword("user", "secret"), "", "ftp://me:pw@ADDR/y", user},
		{"not named", url.UserPassword("user", "secret"), "", "", nobody},
		{"another port", url.UserPassword("user", "secret"), "", "ftp://127.0.0.1/y", nobody},
		{"another scheme", url.UserPassword("user", "secret"), "", "ftps://ADDR/y", nobody},
		{"another host", url.UserPassword("user", "secret"), "", "ftp://localhost/y", nobody},
		{"the URL goes first", url.UserPassword("user", "secret"), "me:pw@", "ftp://ADDR/y", "USER me|PASS pw"},
		{"an empty password of the URL", url.UserPassword("me", "secret"), "me:@", "ftp://ADDR/y", "USER me|PASS "},
		{"the password of that user", url.UserPassword("user", "secret"), "user@", "ftp://ADDR/y", user},
		{"not of another", url.UserPassword("user", "secret"), "me@", "ftp://ADDR/y", "USER me|PASS "},
		{"no password", url.User("user"), "", "ftp://ADDR/y", "USER user|PASS "},
		{"no user", url.UserPassword("", "secret"), "", "ftp://ADDR/y", nobody},
		{"nobody", nil, "", "ftp://ADDR/y", nobody},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t, nil)
			opts := &Options{
				Named: Origins(strings.Replace(tt.by, "ADDR", f.l.Addr().String(), 1)),
				Login: func(host string) *url.Userinfo {
					if host != "127.0.0.1" {
						t.Errorf("asked for %q", host)
					}
					return tt.who
				},
			}
			s := fresh(t, opts)
			session, err := s.Dial(t.Context(), f.url("x"))
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			for _, src := range []source.Source{s, session} {
				if _, _, err := sourcetest.Read(t, src, strings.Replace(f.url("x"), "://", "://"+tt.as, 1), source.From(0)); err != nil {
					t.Fatal(err)
				}
			}
			if got := f.commands(); strings.Count(got, tt.want+"|") != 2 || strings.Count(got, "PASS") != 2 {
				t.Errorf("sent %s, want %s", got, tt.want)
			}
		})
	}
}

// TestLoginThatCannotBeSent: a line break in a password is no command of whoever has written it.
func TestLoginThatCannotBeSent(t *testing.T) {
	f := newFake(t, nil)
	for _, who := range []*url.Userinfo{url.UserPassword("user\r\nDELE x", "p"), url.UserPassword("user", "p\nDELE x")} {
		s := fresh(t, &Options{Named: Origins(f.url("x")), Login: func(string) *url.Userinfo { return who }})
		sourcetest.FailsWith(t, s, f.url("x"), source.KindLocal, 0)
	}
	if got := f.commands(); got != "" {
		t.Errorf("sent %s", got)
	}
}
