package ftpsource

import (
	"crypto/tls"
	"testing"

	"spate/internal/leak"
	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A style is how a server and its clients talk.
type style int

const (
	plain style = iota
	secure
	implicit
)

// An origin is a server and a client for it.
type origin struct {
	*servers.FTP
	url    string // of its root
	client *tls.Config
}

func newOrigin(t *testing.T, s style) *origin {
	var server, client *tls.Config
	scheme := "ftp://"
	if s != plain {
		server, client = servers.TLS()
		scheme = "ftps://"
	}
	o := &origin{FTP: servers.StartFTP(server, s == implicit), client: client}
	t.Cleanup(o.Close)
	o.url = scheme + o.Addr() + "/"
	return o
}

// source is one for o that lives as long as t.
func (o *origin) source(t *testing.T, opts *Options) *Source {
	var own Options
	if opts != nil {
		own = *opts
	}
	own.TLSConfig = o.client
	s := New(&own)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

func (o *origin) harness(s source.Source, settle func()) sourcetest.Harness {
	return sourcetest.Harness{Source: s, Seekable: true, Settle: settle, Malformed: malformed}.Of(o.FTP, o.url)
}

func TestConformance(t *testing.T) {
	for name, s := range map[string]style{"plain": plain, "explicit TLS": secure} {
		t.Run(name, func(t *testing.T) {
			o := newOrigin(t, s)
			src := o.source(t, nil)
			sourcetest.Run(t, o.harness(src, src.CloseIdleConnections))
		})
	}
	t.Run("session", func(t *testing.T) {
		o := newOrigin(t, plain)
		session, err := o.source(t, nil).Dial(t.Context(), o.url+"x")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = session.Close() })
		h := o.harness(session, nil)
		sourcetest.Run(t, h)
	})
}
