package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/skeema/knownhosts"

	"spate/internal/farm"
	"spate/internal/servers"
	"spate/source"
	"spate/source/ftpsource"
	"spate/source/httpsource"
	"spate/source/sftpsource"
)

// A place is a scheme's server with the object in it.
type place struct {
	*servers.Tree
	url string // of the object, which is at home/x
}

const atHome = "/home/x"

// schemesScene is data at a server of each scheme: http, which is a farm, ftp and sftp.
func schemesScene(t *testing.T, data []byte) (s *scene, ftp, sftp place) {
	s = newScene(t, data, farm.Resource{})
	one, two := servers.StartFTP(nil, false), servers.StartSFTP()
	t.Cleanup(one.Close)
	t.Cleanup(two.Close)
	one.Put(atHome, data)
	two.Put(atHome, data)
	known := filepath.Join(t.TempDir(), "known_hosts")
	must(t, os.WriteFile(known, []byte(knownhosts.Line([]string{two.Addr()}, two.Key.PublicKey())+"\n"), 0o600))
	http, overFTP := httpsource.New(nil), ftpsource.New(nil)
	overSSH := sftpsource.New(&sftpsource.Options{ConfigFiles: []string{}, KnownHosts: []string{known}, IdentityFiles: []string{}, AgentSocket: "none"})
	for _, idle := range []interface{ CloseIdleConnections() }{http, overFTP, overSSH} {
		t.Cleanup(idle.CloseIdleConnections)
	}
	s.src = source.Mux{"http": http, "ftp": overFTP, "sftp": overSSH}
	return s, place{one.Tree, "ftp://" + one.Addr() + atHome}, place{two.Tree, "sftp://user:secret@" + two.Addr() + atHome}
}

// TestSchemes: what the other schemes have, alone and as mirrors.
func TestSchemes(t *testing.T) {
	data := whole
	for _, c := range []struct {
		name string
		urls func(s *scene, ftp, sftp place) []string
		is   error // of the error, where there is one
	}{
		{"ftp", func(_ *scene, ftp, _ place) []string { return []string{ftp.url} }, nil},
		{"sftp", func(_ *scene, _, sftp place) []string { return []string{sftp.url} }, nil},
		{"ftp and http", func(s *scene, ftp, _ place) []string { return []string{ftp.url, s.urls[0]} }, nil},
		{"http and ftp", func(s *scene, ftp, _ place) []string { return []string{s.urls[0], ftp.url} }, nil},
		{"all three", func(s *scene, ftp, sftp place) []string { return []string{sftp.url, s.urls[0], ftp.url} }, nil},
		{"ftp, which lies, and http", func(s *scene, ftp, _ place) []string {
			ftp.Put(atHome, other(len(data)))
			return []string{s.urls[0], ftp.url}
		}, nil},
		{"sftp, of another size, and http", func(s *scene, _, sftp place) []string {
			sftp.Put(atHome, other(MiB))
			return []string{s.urls[0], sftp.url}
		}, nil},
		{"ftp, which breaks, and http", func(s *scene, ftp, _ place) []string {
			ftp.Break(atHome, 5*MiB, false)
			return []string{ftp.url, s.urls[0]}
		}, nil},
		{"sftp, which breaks, and http", func(s *scene, _, sftp place) []string {
			sftp.Break(atHome, 5*MiB, false)
			return []string{sftp.url, s.urls[0]}
		}, nil},
		{"sftp, which falls silent, and http", func(s *scene, _, sftp place) []string {
			sftp.Break(atHome, 5*MiB, true)
			return []string{sftp.url, s.urls[0]}
		}, nil},
		{"ftp has no such file, http does", func(s *scene, ftp, _ place) []string { return []string{ftp.url + "x", s.urls[0]} }, nil},
		{"none has such a file", func(s *scene, ftp, sftp place) []string { return []string{ftp.url + "x", sftp.url + "x"} }, fs.ErrNotExist},
	} {
		for _, n := range []int{1, 4, 0} {
			t.Run(fmt.Sprintf("%s, %d connections", c.name, n), func(t *testing.T) {
				t.Parallel()
				s, ftp, sftp := schemesScene(t, data)
				s.urls = c.urls(s, ftp, sftp)
				o := s.get(n)
				if c.is == nil {
					o.wantFile(t, data)
				} else if o.wantLeft(t, data); !errors.Is(o.err, c.is) {
					t.Errorf("%v, want %v", causes(o.err), c.is)
				}
			})
		}
	}
}
