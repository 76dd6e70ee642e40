package sftpsource

import (
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"

	"spate/internal/servers"
	"spate/source"
)

func TestWay(t *testing.T) {
	o := newOrigin(t)
	o.Put("/x", []byte("ten bytes!"))
	host, port, err := net.SplitHostPort(o.Addr())
	if err != nil {
		t.Fatal(err)
	}
	name := "origin.example:" + port
	write(t, o.known, knownhosts.Line([]string{o.Addr(), name}, o.Key.PublicKey())+"\n")
	byName := "sftp://user:secret@" + name + "/x"
	p := servers.StartProxy(nil, "me:s3cret", map[string]string{"origin.example": host})
	t.Cleanup(p.Close)
	for _, test := range []struct {
		way   string
		url   string
		set   func(*Options)
		fails bool
	}{
		{"an HTTP proxy", byName, func(o *Options) {
			o.Proxy = &url.URL{Scheme: "http", Host: p.Addr(), User: url.UserPassword("me", "s3cret")}
		}, false},
		{"a SOCKS proxy", byName, func(o *Options) {
			o.Proxy = &url.URL{Scheme: "socks5h", Host: p.Addr(), User: url.UserPassword("me", "s3cret")}
		}, false},
		{"a proxy that refuses", byName, func(o *Options) { o.Proxy = &url.URL{Scheme: "http", Host: p.Addr()} }, true},
		{"resolved", byName, func(o *Options) { o.Resolve = map[string][]string{name: {host}} }, false},
		{"IPv4", o.url + "x", func(o *Options) { o.Network = "tcp4" }, false},
		{"IPv6", o.url + "x", func(o *Options) { o.Network = "tcp6" }, true},
	} {
		t.Run(test.way, func(t *testing.T) {
			opts := o.options()
			test.set(opts)
			res, err := newSource(t, opts).Open(t.Context(), test.url, source.From(0))
			if test.fails {
				if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindNetwork && e.Kind != source.KindAuth {
					t.Fatalf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if body, err := io.ReadAll(res.Body); err != nil || string(body) != "ten bytes!" {
				t.Errorf("%q, %v", body, err)
			}
		})
	}
	if asked := strings.Join(p.Asked(), " "); asked != name+" "+name {
		t.Errorf("the proxy was asked for %q", asked)
	}
}
