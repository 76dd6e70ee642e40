package servers

import (
	"crypto/tls"
	"errors"
	"os"
	"strings"
	"sync"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// FTP is an FTP server on loopback, with the files of a Tree. Anybody may log in as anonymous; user has the password
// "secret", and only he may read what is below /private.
type FTP struct {
	*Tree
	l        *crowd
	settings ftpserver.Settings
	tls      *tls.Config
	serving  sync.WaitGroup
}

// StartFTP starts a server. With a configuration it offers TLS; implicit: it speaks nothing else.
func StartFTP(config *tls.Config, implicit bool) *FTP {
	f := &FTP{Tree: newTree(), l: listen(), tls: config}
	f.settings = ftpserver.Settings{Listener: f.l, ConnectionTimeout: 5, DisableActiveMode: true}
	if implicit {
		f.settings.Listener = tls.NewListener(f.l, config)
		f.settings.TLSRequired = ftpserver.ImplicitEncryption
	} else if config != nil {
		f.settings.TLSRequired = ftpserver.MandatoryEncryption
	}
	server := ftpserver.NewFtpServer(f)
	check(server.Listen())
	f.serving.Go(func() { _ = server.Serve() })
	return f
}

// Addr is host:port.
func (f *FTP) Addr() string { return f.l.Addr().String() }

// HangUp closes all control connections.
func (f *FTP) HangUp() { f.l.hangUp() }

// Connections is how many control connections there have been.
func (f *FTP) Connections() int { return f.l.count() }

// Close ends the server.
func (f *FTP) Close() {
	close(f.over)
	f.l.close()
	f.serving.Wait()
}

// GetSettings, and what follows, is for the server.
func (f *FTP) GetSettings() (*ftpserver.Settings, error) { return &f.settings, nil }

func (f *FTP) ClientConnected(ftpserver.ClientContext) (string, error) { return "hello", nil }

func (f *FTP) ClientDisconnected(ftpserver.ClientContext) {}

func (f *FTP) GetTLSConfig() (*tls.Config, error) {
	if f.tls == nil {
		return nil, errors.New("no TLS here")
	}
	return f.tls, nil
}

func (f *FTP) AuthUser(_ ftpserver.ClientContext, user, pass string) (ftpserver.ClientDriver, error) {
	if user == "anonymous" || user == "user" && pass == "secret" {
		return &ftpFiles{f.fs, f.Tree, user}, nil
	}
	return nil, errors.New("login incorrect")
}

type ftpFiles struct {
	afero.Fs
	t    *Tree
	user string
}

// GetHandle opens a file, which may be broken.
func (f *ftpFiles) GetHandle(name string, _ int, offset int64) (ftpserver.FileTransfer, error) {
	if f.user == "anonymous" && strings.HasPrefix(name, "/private/") {
		return nil, os.ErrPermission
	}
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || info.IsDir() {
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	if b, ok := f.t.breakage(name); ok {
		return &brokenFile{File: file, content: &brokenContent{file, b, f.t.over}, pos: offset}, nil
	}
	return file, nil
}
