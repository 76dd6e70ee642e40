package httpsource_test

import (
	"errors"
	"net/netip"
	"testing"

	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
)

// TestAllow: an address that is not allowed is not connected to, wherever its name comes from.
func TestAllow(t *testing.T) {
	secret, open := farm.New(), farm.New()
	t.Cleanup(secret.Close)
	t.Cleanup(open.Close)
	secret.Serve("/", farm.Resource{Body: []byte("secret")})
	open.Serve("/redirect", farm.Resource{Redirect: secret.URL("/")})
	open.Serve("/", farm.Resource{Body: []byte("open")})
	errPrivate := errors.New("private")
	allowed := netip.MustParseAddrPort(open.Addr())
	s := httpsource.New(&httpsource.Options{Allow: func(_ string, addr netip.AddrPort) error {
		if addr != allowed {
			return errPrivate
		}
		return nil
	}})
	t.Cleanup(s.CloseIdleConnections)

	for _, url := range []string{secret.URL("/"), open.URL("/redirect")} {
		_, err := s.Open(t.Context(), url, source.From(0))
		if source.KindOf(err) != source.KindRefused || !errors.Is(err, errPrivate) {
			t.Errorf("%s: got %v, want one that is refused", url, err)
		}
	}
	if n := secret.Requests("/"); n > 0 {
		t.Errorf("%d requests came where none was allowed", n)
	}
	res, err := s.Open(t.Context(), open.URL("/"), source.From(0))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
}
