package ftpsource

import (
	"crypto/tls"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

// opened is what s reads at rawURL.
func opened(t *testing.T, s *Source, rawURL string) string {
	t.Helper()
	res, err := s.Open(t.Context(), rawURL, source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Both the control connection and that of the data go through the proxy, which alone knows where the origin is.
func TestProxy(t *testing.T) {
	for _, secured := range []style{plain, secure} {
		o := newOrigin(t, secured)
		o.Put("/x", []byte(ten))
		host, port, err := net.SplitHostPort(o.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if o.client != nil {
			o.client.ServerName = host // which its certificate is of
		}
		scheme, _, _ := strings.Cut(o.url, ":")
		for _, through := range []string{"http://", "socks5://", "socks5h://", "http://me:s3cret@", "socks5://me:s3cret@"} {
			t.Run(scheme+" by "+through, func(t *testing.T) {
				login, _, _ := strings.Cut(strings.TrimPrefix(through[strings.Index(through, ":"):], "://"), "@")
				p := servers.StartProxy(nil, login, map[string]string{"origin.example": host})
				t.Cleanup(p.Close)
				s := o.source(t, &Options{Proxy: parsed(t, through+p.Addr())})
				if got := opened(t, s, scheme+"://origin.example:"+port+"/x"); got != ten {
					t.Errorf("%q", got)
				}
				asked := p.Asked()
				if len(asked) != 2 || asked[0] != "origin.example:"+port || !strings.HasPrefix(asked[1], "origin.example:") || asked[1] == asked[0] {
					t.Errorf("asked for %q", asked)
				}
			})
		}
	}
}

// A proxy over TLS must have a certificate that is trusted.
func TestProxyOverTLS(t *testing.T) {
	server, client := servers.TLS()
	o := newOrigin(t, plain)
	o.Put("/x", []byte(ten))
	p := servers.StartProxy(server, "", nil)
	t.Cleanup(p.Close)
	if got := opened(t, fresh(t, &Options{Proxy: parsed(t, "https://"+p.Addr()), TLSConfig: client}), o.url+"x"); got != ten || len(p.Asked()) != 2 {
		t.Errorf("%q by way of %q", got, p.Asked())
	}
	sourcetest.FailsWith(t, fresh(t, &Options{Proxy: parsed(t, "https://"+p.Addr())}), o.url+"x", source.KindTLS, 0)
}

func parsed(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestProxyThatRefuses(t *testing.T) {
	p := servers.StartProxy(nil, "me:s3cret", nil)
	t.Cleanup(p.Close)
	for through, kind := range map[string]source.Kind{"http://": source.KindAuth, "http://me:wrong@": source.KindAuth, "socks5://me:wrong@": source.KindNetwork} {
		s := fresh(t, &Options{Proxy: parsed(t, through+p.Addr())})
		if err := sourcetest.FailsWith(t, s, "ftp://origin.example/x", kind, 0); strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: tells the password: %v", through, err)
		}
	}
	if asked := p.Asked(); len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
}

// A proxy that does not answer is waited for as long as an origin.
func TestProxyThatIsSilent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, through := range []string{"http://", "https://", "socks5://"} {
		s := fresh(t, &Options{Proxy: parsed(t, through+l.Addr().String()), ConnectTimeout: 1})
		sourcetest.FailsWith(t, s, "ftp://origin.example/x", source.KindTimeout, 0)
	}
}

func TestWay(t *testing.T) {
	o := newOrigin(t, plain)
	o.Put("/x", []byte(ten))
	_, port, err := net.SplitHostPort(o.Addr())
	if err != nil {
		t.Fatal(err)
	}
	named := "ftp://origin.example:" + port + "/x"
	resolve := map[string][]string{"origin.example:" + port: {"127.0.0.1"}}
	if got := opened(t, fresh(t, &Options{Resolve: resolve}), named); got != ten {
		t.Errorf("resolved: %q", got)
	}
	if got := opened(t, fresh(t, &Options{Network: "tcp4"}), o.url+"x"); got != ten {
		t.Errorf("IPv4: %q", got)
	}
	sourcetest.FailsWith(t, fresh(t, &Options{Network: "tcp6"}), o.url+"x", source.KindNetwork, 0)
	sourcetest.FailsWith(t, fresh(t, &Options{Network: "tcp6", Resolve: resolve}), named, source.KindNetwork, 0)
}

// A certificate is shown to named origins only.
func TestCertificates(t *testing.T) {
	server, client := servers.TLS()
	var shown []int
	server.ClientAuth = tls.RequestClientCert
	server.VerifyConnection = func(state tls.ConnectionState) error {
		shown = append(shown, len(state.PeerCertificates))
		return nil
	}
	f := servers.StartFTP(server, false)
	t.Cleanup(f.Close)
	f.Put("/x", []byte(ten))
	target := "ftps://" + f.Addr() + "/x"
	for _, named := range []bool{true, false} {
		shown = nil
		s := fresh(t, &Options{TLSConfig: client, Certificates: server.Certificates, Named: func(*url.URL) bool { return named }})
		if got := opened(t, s, target); got != ten {
			t.Errorf("%q", got)
		}
		want := 0
		if named {
			want = 1
		}
		if len(shown) == 0 || slices.ContainsFunc(shown, func(n int) bool { return n != want }) {
			t.Errorf("named: %v: shown %v", named, shown)
		}
	}
}
