package ftpsource

import (
	"crypto/tls"
	"errors"
	"io"
	"strings"
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
	return sourcetest.Harness{
		Source:    s,
		Seekable:  true,
		Settle:    settle,
		Malformed: malformed,
		Missing:   func(*testing.T) string { return o.url + "missing" },
		Put: func(_ *testing.T, name string, content []byte) string {
			o.FTP.Put("/"+name, content)
			return o.url + name
		},
		Cut: func(_ *testing.T, name string, content []byte, at int) string {
			o.FTP.Put("/"+name, content)
			o.Break("/"+name, at, false)
			return o.url + name
		},
		Stall: func(_ *testing.T, name string, content []byte, at int) string {
			o.FTP.Put("/"+name, content)
			o.Break("/"+name, at, true)
			return o.url + name
		},
	}
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

// read opens url and reads all of it.
func read(t *testing.T, src source.Source, url string, rng source.Range) (*source.Resource, string, error) {
	t.Helper()
	res, err := src.Open(t.Context(), url, rng)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

// fails opens and reads url, which has to fail with an error of that kind and status.
func fails(t *testing.T, src source.Source, url string, kind source.Kind, status int) *source.Error {
	t.Helper()
	_, body, err := read(t, src, url, source.From(0))
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case !ok:
		t.Fatalf("got %q, %v, want an error of kind %v", body, err, kind)
	case e.Kind != kind || e.Status != status:
		t.Errorf("%v is of kind %v, status %d, want %v, %d", err, e.Kind, e.Status, kind, status)
	case errors.Is(err, io.EOF):
		t.Errorf("%v looks like io.EOF", err)
	case e.URL != url:
		t.Errorf("%v is about %q, want %q", err, e.URL, url)
	case strings.ContainsAny(err.Error(), "\r\n"):
		t.Errorf("%q is more than one line", err)
	}
	return e
}
