package sftpsource

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

// TestNamed: keys, and what the configuration says of the user, are for hosts that the user has named.
func TestNamed(t *testing.T) {
	key := newPair(t, "")
	o := newKeyOrigin(t, key)
	refused := func(t *testing.T, s source.Source, url string) {
		t.Helper()
		before := o.Connections()
		sourcetest.FailsWith(t, s, url, source.KindRefused, 0)
		if n := o.Connections() - before; n > 0 {
			t.Errorf("%d connections to a host that is not named", n)
		}
	}
	works := func(t *testing.T, s source.Source, url string) {
		t.Helper()
		if _, body, err := sourcetest.Read(t, s, url, source.From(0)); err != nil || body != ten {
			t.Errorf("%s: %q, %v", url, body, err)
		}
	}
	with := func(named func(*url.URL) bool) *Options {
		opts := o.options()
		opts.IdentityFiles, opts.Named = []string{key.file}, named
		return opts
	}
	x := "sftp://user@" + o.Addr() + "/x"
	t.Run("nobody is", func(t *testing.T) {
		s := newSource(t, with(nil))
		refused(t, s, x)
		refused(t, s, strings.Replace(x, "user@", "", 1))
		refused(t, s, strings.Replace(x, "user@", ":secret@", 1))
		works(t, s, strings.Replace(x, "user@", "user:secret@", 1))
	})
	t.Run("it is", func(t *testing.T) {
		for _, by := range []string{x, "ssh://" + o.Addr() + "/other", "scp://me:pw@" + o.Addr() + "/y"} {
			s := newSource(t, with(Origins(by)))
			works(t, s, x)
			works(t, s, strings.Replace(x, "sftp:", "scp:", 1))
			session, err := s.Dial(t.Context(), x)
			if err != nil {
				t.Fatal(err)
			}
			works(t, session, x)
			if err := session.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("others are", func(t *testing.T) {
		for _, by := range []string{"sftp://127.0.0.1/x", "sftp://127.0.0.1:1/x", "ftp://" + o.Addr() + "/x", "sftp://[::1]/x", "nonsense"} {
			refused(t, newSource(t, with(Origins(by))), x)
		}
	})
	t.Run("vouched for", func(t *testing.T) {
		s := newSource(t, with(nil))
		res, err := s.Open(source.Vouch(t.Context()), x, source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		refused(t, s, x) // though there may be an idle connection
	})
	t.Run("a key after the password that is wrong", func(t *testing.T) {
		wrong := strings.Replace(x, "user@", "user:wrong@", 1)
		works(t, newSource(t, with(Origins(x))), wrong)
		sourcetest.FailsWith(t, newSource(t, with(nil)), wrong, source.KindAuth, 401)
	})
}

// TestNamedByNobody: neither hops nor new host keys are for a host that the user has not named.
func TestNamedByNobody(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	opts := configured(t, o, "ProxyJump user:secret@ADDR")
	opts.Named = nil
	if err := sourcetest.FailsWith(t, newSource(t, opts), o.url+"x", source.KindRefused, 0); !strings.Contains(err.Error(), "ProxyJump") {
		t.Error(err)
	}
	opts = o.options()
	opts.KnownHosts, opts.AcceptNew, opts.Named = []string{filepath.Join(t.TempDir(), "known_hosts")}, true, nil
	distrust(t, opts, o.url+"x")
	if _, err := os.Stat(opts.KnownHosts[0]); err == nil {
		t.Error("remote data made a host known")
	}
}

func TestLoginOfOptions(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte(ten))
	bare := "sftp://" + o.Addr() + "/x"
	as := func(who *url.Userinfo) func(string) *url.Userinfo {
		return func(host string) *url.Userinfo {
			if host != "127.0.0.1" {
				t.Errorf("asked for %q", host)
			}
			return who
		}
	}
	right := url.UserPassword("user", "secret")
	tests := []struct {
		name, url string
		who       *url.Userinfo
		named     bool
		kind      source.Kind
	}{
		{"all of it", bare, right, true, 0},
		{"the password of that user", strings.Replace(bare, "//", "//user@", 1), right, true, 0},
		{"not of another user", strings.Replace(bare, "//", "//other@", 1), right, true, source.KindAuth},
		{"the URL goes first", strings.Replace(bare, "//", "//user:wrong@", 1), right, true, source.KindAuth},
		{"not elsewhere", bare, right, false, source.KindRefused},
		{"nobody", bare, nil, true, source.KindAuth},
		{"a line break", bare, url.UserPassword("user", "sec\nret"), true, source.KindLocal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := o.options()
			opts.Login, opts.Named = as(tt.who), nil
			if tt.named {
				opts.Named = Origins(bare)
			}
			s := newSource(t, opts)
			if tt.kind == 0 {
				if _, body, err := sourcetest.Read(t, s, tt.url, source.From(0)); err != nil || body != ten {
					t.Errorf("%q, %v", body, err)
				}
				return
			}
			_, _, err := sourcetest.Read(t, s, tt.url, source.From(0))
			if e, ok := err.(*source.Error); !ok || e.Kind != tt.kind {
				t.Errorf("%v, want kind %v", err, tt.kind)
			}
		})
	}
}
