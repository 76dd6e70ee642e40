package fetch

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"spate/event"
	"spate/internal/servers"
	"spate/source"
	"spate/source/ftpsource"
	"spate/source/sftpsource"
)

// A schemePair is two servers, of FTP and SFTP, with a file of the same name.
type schemePair struct {
	ftp     *servers.FTP
	sftp    *servers.SFTP
	src     source.Mux
	opts    ObjectOptions
	ftpURL  string
	sftpURL string
}

const served = "/home/x"

func newSchemePair(t *testing.T) *schemePair {
	p := &schemePair{ftp: servers.StartFTP(nil, false), sftp: servers.StartSFTP(), opts: ObjectOptions{Hashes: sha256Only, Connections: 4}}
	t.Cleanup(p.ftp.Close)
	t.Cleanup(p.sftp.Close)
	overFTP := ftpsource.New(nil)
	overSSH := sftpsource.New(&sftpsource.Options{ConfigFiles: []string{}, KnownHosts: []string{}, IdentityFiles: []string{}, AgentSocket: "none",
		AcceptKeys: []string{p.sftp.Fingerprint()}})
	t.Cleanup(overFTP.CloseIdleConnections)
	t.Cleanup(overSSH.CloseIdleConnections)
	p.src = source.Mux{"ftp": overFTP, "sftp": overSSH}
	p.ftpURL, p.sftpURL = "ftp://"+p.ftp.Addr()+served, "sftp://user:secret@"+p.sftp.Addr()+served
	return p
}

// put makes data what both have.
func (p *schemePair) put(data []byte, modified time.Time) {
	for _, tree := range []*servers.Tree{p.ftp.Tree, p.sftp.Tree} {
		tree.PutAt(served, data, modified)
		tree.Mend(served)
	}
}

// breakAt makes both end behind so many bytes.
func (p *schemePair) breakAt(n int) {
	p.ftp.Break(served, n, false)
	p.sftp.Break(served, n, false)
}

// get goes on with what is at path, if anything is.
func (p *schemePair) get(ctx context.Context, t *testing.T, path, url string) (*Done, error) {
	t.Helper()
	file, err := Resume(ctx, path, nil)
	must(t, err)
	opts := p.opts
	opts.Left = file
	o, err := OpenObject(ctx, p.src, []Mirror{{URL: url}}, &opts)
	if err != nil {
		if file != nil {
			must(t, file.Keep())
		}
		return nil, err
	}
	defer o.Close()
	if file == nil {
		file, err = Create(path, nil)
		must(t, err)
	}
	return o.To(file)
}

// cutShort begins a download, and ends it when it waits for what has broken.
func (p *schemePair) cutShort(t *testing.T, path, url string) *Done {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	enough := errors.New("enough")
	p.opts.Events = func(e event.Event) {
		if e.Type == event.Waiting {
			cancel(enough)
		}
	}
	left, err := p.get(ctx, t, path, url)
	p.opts.Events = nil
	if !errors.Is(err, enough) || left == nil || left.Size == 0 {
		t.Fatalf("%+v, %v: it was to break", left, err)
	}
	return left
}

// TestResumeOfSchemes: what FTP and SFTP have begun goes on, also from the other, and only with the same bytes. Of
// a file that is new they tell a weak validator: bytes are compared then.
func TestResumeOfSchemes(t *testing.T) {
	data := content(8 << 20)
	changed := content(8 << 20)
	for i := range changed {
		changed[i] ^= 1
	}
	ftp := func(p *schemePair) string { return p.ftpURL }
	sftp := func(p *schemePair) string { return p.sftpURL }
	old, young := servers.Modified, time.Now().Add(time.Hour) // that stays young however long the test takes
	for _, c := range []struct {
		name       string
		begun, now func(*schemePair) string
		wasOf      time.Time
		is         []byte
		isOf       time.Time
		want       error
	}{
		{"ftp", ftp, ftp, old, data, old, nil},
		{"sftp", sftp, sftp, old, data, old, nil},
		{"ftp, and then sftp", ftp, sftp, old, data, old, nil},
		{"sftp, and then ftp", sftp, ftp, old, data, old, nil},
		{"ftp, changed since", ftp, ftp, old, changed, old.Add(time.Hour), source.ErrChanged},
		{"sftp, changed since", sftp, sftp, old, changed, old.Add(time.Hour), source.ErrChanged},
		{"ftp, another size", ftp, ftp, old, data[1:], old, source.ErrChanged},
		{"sftp, another size", sftp, sftp, old, data[1:], old, source.ErrChanged},
		{"ftp, new", ftp, ftp, young, data, young, nil},
		{"sftp, new", sftp, sftp, young, data, young, nil},
		{"ftp, new, changed within the second", ftp, ftp, young, changed, young, source.ErrChanged},
		{"sftp, new, changed within the second", sftp, sftp, young, changed, young, source.ErrChanged},
		{"another file by sftp", ftp, sftp, old, changed, old, source.ErrChanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newSchemePair(t)
			p.put(data, c.wasOf)
			p.breakAt(6 << 20)
			path := filepath.Join(t.TempDir(), "x")
			left := p.cutShort(t, path, c.begun(p))
			wantLeft(t, path, data, left.Size)
			p.put(c.is, c.isOf)
			done, err := p.get(t.Context(), t, path, c.now(p))
			if !errors.Is(err, c.want) {
				t.Fatalf("%+v, %v, want %v", done, err, c.want)
			}
			if c.want != nil {
				wantLeft(t, path, data, left.Size)
				return
			}
			if done.Resumed != left.Size || done.Fetched != int64(len(data))-left.Size {
				t.Errorf("%+v, after %d bytes", done, left.Size)
			}
			wantWhole(t, path, data, done)
		})
	}
}
