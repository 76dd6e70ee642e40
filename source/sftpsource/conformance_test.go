package sftpsource

import (
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skeema/knownhosts"

	"spate/internal/leak"
	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

func TestMain(m *testing.M) { leak.Main(m) }

// An origin is a server that a file of known hosts knows.
type origin struct {
	*servers.SFTP
	url   string // of its root
	known string
}

func newOrigin(t *testing.T) *origin {
	o := &origin{SFTP: servers.StartSFTP(), known: filepath.Join(t.TempDir(), "known_hosts")}
	t.Cleanup(o.Close)
	o.url = "sftp://user:secret@" + o.Addr() + "/"
	write(t, o.known, knownhosts.Line([]string{o.Addr()}, o.Key.PublicKey())+"\n")
	return o
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// options are for the tests' own files alone, not those of whoever runs them.
func (o *origin) options() *Options {
	return &Options{ConfigFiles: []string{}, KnownHosts: []string{o.known}, IdentityFiles: []string{}, AgentSocket: "none", Named: everywhere}
}

func everywhere(*url.URL) bool { return true }

// newSource makes a Source that lives as long as t.
func newSource(t *testing.T, opts *Options) *Source {
	s := New(opts)
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
			o.SFTP.Put("/"+name, content)
			return o.url + name
		},
		Cut: func(_ *testing.T, name string, content []byte, at int) string {
			o.SFTP.Put("/"+name, content)
			o.Break("/"+name, at, false)
			return o.url + name
		},
		Stall: func(_ *testing.T, name string, content []byte, at int) string {
			o.SFTP.Put("/"+name, content)
			o.Break("/"+name, at, true)
			return o.url + name
		},
	}
}

func TestConformance(t *testing.T) {
	t.Run("source", func(t *testing.T) {
		o := newOrigin(t)
		s := newSource(t, o.options())
		sourcetest.Run(t, o.harness(s, s.CloseIdleConnections))
	})
	t.Run("session", func(t *testing.T) {
		o := newOrigin(t)
		session, err := newSource(t, o.options()).Dial(t.Context(), o.url+"x")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = session.Close() })
		sourcetest.Run(t, o.harness(session, nil))
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
