package driver

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"spate/source"
)

// TestAllow: of the addresses of a name, those that are not allowed are never connected to, and the others are.
func TestAllow(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	errPrivate := errors.New("private")
	var asked []string
	d := &Dialer{
		Resolve: map[string][]string{"name:" + port: {"127.0.0.2", "127.0.0.1"}},
		Allow: func(host string, addr netip.AddrPort) error {
			asked = append(asked, host+" "+addr.String())
			if addr.Addr() == netip.MustParseAddr("127.0.0.2") {
				return errPrivate
			}
			return nil
		},
	}
	c, err := d.DialContext(t.Context(), "tcp", "name:"+port)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if got, want := strings.Join(asked, ", "), "name 127.0.0.2:"+port+", name 127.0.0.1:"+port; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}

	_, err = d.DialContext(t.Context(), "tcp", "127.0.0.2:"+port)
	e, ok := errors.AsType[*source.Error](err)
	if !ok || e.Kind != source.KindRefused || !errors.Is(err, errPrivate) {
		t.Errorf("got %v, want one that is refused", err)
	}
}
