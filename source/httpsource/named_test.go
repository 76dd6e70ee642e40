package httpsource

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"spate/internal/localcert"
	"spate/source"
	"spate/source/sourcetest"
)

// private is all that tells who asks.
func private(t *testing.T, named ...string) *Options {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range named {
		u, _ := url.Parse(raw)
		jar.SetCookies(u, []*http.Cookie{{Name: "jar", Value: "s3cret"}})
	}
	return &Options{
		Header:  http.Header{"Accept": {"text/x"}},
		Named:   Origins(named...),
		Private: http.Header{"X-Key": {"s3cret"}, "Cookie": {"a=s3cret", "b=s3cret"}},
		Login:   func(string) *url.Userinfo { return url.UserPassword("user", "s3cret") },
		Jar:     jar,
	}
}

// identified reports whether r tells who asks: all of it, or nothing.
func identified(t *testing.T, r *http.Request) bool {
	t.Helper()
	user, password, _ := r.BasicAuth()
	got := strings.Join([]string{user, password, r.Header.Get("X-Key"), r.Header.Get("Cookie")}, "|")
	if r.Header.Get("Accept") != "text/x" {
		t.Errorf("Accept %q", r.Header.Get("Accept"))
	}
	switch got {
	case "user|s3cret|s3cret|a=s3cret; b=s3cret; jar=s3cret":
		return true
	case "|||":
		return false
	}
	t.Errorf("told %q", got)
	return false
}

// Who asks is told to the origins that were named, and to nobody else wherever things lead.
func TestNamed(t *testing.T) {
	first, second := newOrigin(t, plain), newOrigin(t, plain)
	for _, o := range []*origin{first, second} {
		o.on("/end", header(200, "hello", "Set-Cookie", "evil=1"))
	}
	second.on("/back", to(first.URL+"/end"))
	name := strings.Replace(first.URL, "127.0.0.1", "localhost", 1)
	tests := []struct {
		name, open string
		at         *origin // of the last request
		told       bool
	}{
		{"the named one", first.URL + "/end", first, true},
		{"another port", second.URL + "/end", second, false},
		{"another name", name + "/end", first, false},
		{"redirect, same origin", first.on("/same", to("/end")), first, true},
		{"redirect, other port", first.on("/port", to(second.URL+"/end")), second, false},
		{"redirect, other name", first.on("/name", to(name+"/end")), first, false},
		{"redirect, there and back", first.on("/back", to(second.URL+"/back")), first, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, private(t, first.URL+"/anything"))
			for _, src := range []source.Source{s, asSession(t, s)} {
				if _, body, err := sourcetest.Read(t, src, tt.open, source.From(0)); body != "hello" || err != nil {
					t.Fatalf("got %q, %v", body, err)
				}
				all := tt.at.requests()
				if got := identified(t, all[len(all)-1]); got != tt.told {
					t.Errorf("told: %v, want %v", got, tt.told)
				}
				s.opts.Jar.SetCookies(mustURL(first.URL), []*http.Cookie{{Name: "evil", MaxAge: -1}})
			}
		})
	}
}

func mustURL(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

func TestNobodyIsNamed(t *testing.T) {
	o := newOrigin(t, plain)
	url := o.on("/", header(200, "hello"))
	opts := private(t, url)
	opts.Named = nil
	if _, _, err := sourcetest.Read(t, newSource(t, opts), url, source.From(0)); err != nil || identified(t, o.requests()[0]) {
		t.Errorf("told, or %v", err)
	}
}

// A URL's own userinfo is for that URL, before that of Login; the header of the user is before both.
func TestWhichCredentials(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/", header(200, "hello"))
	own := strings.Replace(o.URL, "://", "://own:pw@", 1) + "/"
	login := func(host string) *url.Userinfo {
		if host != "127.0.0.1" {
			t.Errorf("asked for %q", host)
		}
		return url.UserPassword("login", "pw")
	}
	for _, tt := range []struct {
		name, url string
		opts      Options
		want      string
	}{
		{"URL", own, Options{Login: login}, "own"},
		{"Login", o.URL + "/", Options{Login: login}, "login"},
		{"nobody", o.URL + "/", Options{Login: func(string) *url.Userinfo { return nil }}, ""},
		{"header", own, Options{Login: login, Private: http.Header{"Authorization": {"Basic aGVhZGVyOg=="}}}, "header"},
		{"none", own, Options{Login: login, Private: http.Header{"Authorization": nil}}, ""},
	} {
		tt.opts.Named = Origins(o.URL)
		if _, _, err := sourcetest.Read(t, newSource(t, &tt.opts), tt.url, source.From(0)); err != nil {
			t.Fatal(err)
		}
		all := o.requests()
		if user, _, _ := all[len(all)-1].BasicAuth(); user != tt.want {
			t.Errorf("%s: sent %q, want %q", tt.name, user, tt.want)
		}
	}
}

func TestHeader(t *testing.T) {
	o := newOrigin(t, plain)
	url := o.on("/", header(200, "hello"))
	sent := http.Header{"User-Agent": nil, "Want-Digest": nil, "X-A": {"1", "2"}, "Range": {"bytes=7-"}}
	if _, _, err := sourcetest.Read(t, newSource(t, &Options{Header: sent}), url, source.Range{Len: 3}); err != nil {
		t.Fatal(err)
	}
	h := o.requests()[0].Header
	if len(h["User-Agent"])+len(h["Want-Digest"]) > 0 || strings.Join(h["X-A"], ",") != "1,2" || h.Get("Range") != "bytes=0-2" {
		t.Errorf("sent %v", h)
	}
}

// Some origins hand out a cookie and redirect to the URL that was asked for.
func TestCookieBeforeAnswer(t *testing.T) {
	o := newOrigin(t, plain)
	url := o.on("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("seen"); err != nil {
			header(302, "", "Location", "/", "Set-Cookie", "seen=1")(w, r)
			return
		}
		header(200, "hello")(w, r)
	})
	jar, _ := cookiejar.New(nil)
	if _, body, err := sourcetest.Read(t, newSource(t, &Options{Jar: jar, Named: Origins(url)}), url, source.From(0)); body != "hello" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	sourcetest.Fails(t, newSource(t, nil), url, source.From(0), source.KindProtocol)
	loop := o.on("/loop", header(302, "", "Location", "/loop", "Set-Cookie", "seen=1"))
	sourcetest.Fails(t, newSource(t, &Options{Jar: jar, Named: Origins(url)}), loop, source.From(0), source.KindProtocol)
}

// A certificate is shown to named origins only.
func TestCertificates(t *testing.T) {
	wants := func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
		s.EnableHTTP2 = true
		s.StartTLS()
	}
	shown := func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) > 0 {
			header(200, "shown")(w, r)
			return
		}
		header(200, "hidden")(w, r)
	}
	first, second := newOrigin(t, wants), newOrigin(t, wants)
	first.on("/", shown)
	second.on("/", shown)
	first.on("/away", to(second.URL+"/"))
	for _, named := range []func(*url.URL) bool{Origins(first.URL), nil} {
		s := newSource(t, &Options{Named: named, Certificates: []tls.Certificate{selfSigned(t)}, TLSConfig: &tls.Config{InsecureSkipVerify: true}})
		here := "shown"
		if named == nil {
			here = "hidden"
		}
		for _, src := range []source.Source{s, asSession(t, s)} {
			for url, want := range map[string]string{first.URL + "/": here, second.URL + "/": "hidden", first.URL + "/away": "hidden"} {
				if _, body, err := sourcetest.Read(t, src, url, source.From(0)); body != want || err != nil {
					t.Errorf("%s: %q, %v, want %q", url, body, err, want)
				}
			}
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	pair, _, err := localcert.New()
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func TestNetworkAndResolve(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/", header(200, "hello"))
	_, port, _ := net.SplitHostPort(o.Listener.Addr().String())
	name := "http://Name.invalid:" + port + "/"
	deadPort := mustURL(dead(t)).Port()
	resolve := func(ips ...string) map[string][]string {
		return map[string][]string{"name.invalid:" + port: ips, "name.invalid:" + deadPort: ips}
	}
	tests := []struct {
		name, url string
		opts      Options
		ok        bool
	}{
		{"IPv4", o.URL + "/", Options{Network: "tcp4"}, true},
		{"IPv6", o.URL + "/", Options{Network: "tcp6"}, false},
		{"resolved", name, Options{Resolve: resolve("127.0.0.1")}, true},
		{"resolved to the second", name, Options{Resolve: resolve("256.0.0.1", "127.0.0.1")}, true},
		{"resolved, other port", "http://name.invalid:" + deadPort + "/", Options{Resolve: resolve("127.0.0.1")}, false},
		{"resolved, IPv4", name, Options{Resolve: resolve("::1", "127.0.0.1"), Network: "tcp4"}, true},
		{"resolved, IPv6", name, Options{Resolve: resolve("127.0.0.1"), Network: "tcp6"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSource(t, &tt.opts)
			for _, src := range []source.Source{s, asSession(t, s)} {
				if !tt.ok {
					sourcetest.Fails(t, src, tt.url, source.From(0), source.KindNetwork)
					continue
				}
				if _, body, err := sourcetest.Read(t, src, tt.url, source.From(0)); body != "hello" || err != nil {
					t.Errorf("got %q, %v", body, err)
				}
			}
		})
	}
}
