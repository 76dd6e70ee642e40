package sftpsource

import (
	"net/url"
	"os"
	"path/filepath"
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
	return sourcetest.Harness{Source: s, Seekable: true, Settle: settle, Malformed: malformed}.Of(o.SFTP, o.url)
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
