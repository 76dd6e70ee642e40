package servers

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"path"
	"sync"

	"github.com/pkg/sftp"
	"github.com/spf13/afero"
	"golang.org/x/crypto/ssh"
)

// SFTP is an SSH server on loopback with SFTP and TCP forwarding, and the files of a Tree. Its home is /home. The user
// "user" logs in with the password "secret" or one of the keys that were allowed.
type SFTP struct {
	*Tree
	Key ssh.Signer // of the host

	l       *crowd
	config  *ssh.ServerConfig
	serving sync.WaitGroup

	keys map[string]bool // the allowed, in wire format
}

// StartSFTP starts a server that has a new host key; allowed are the keys that may log in.
func StartSFTP(allowed ...ssh.PublicKey) *SFTP {
	s := &SFTP{Tree: newTree(), Key: NewKey(), l: listen(), keys: map[string]bool{}}
	for _, k := range allowed {
		s.keys[string(k.Marshal())] = true
	}
	s.config = &ssh.ServerConfig{PasswordCallback: s.password, PublicKeyCallback: s.publicKey}
	s.config.AddHostKey(s.Key)
	s.serving.Go(s.accept)
	return s
}

// NewKey is a new private key.
func NewKey() ssh.Signer {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	key, err := ssh.NewSignerFromKey(private)
	check(err)
	return key
}

// Fingerprint is that of the host key.
func (s *SFTP) Fingerprint() string { return ssh.FingerprintSHA256(s.Key.PublicKey()) }

// Addr is host:port.
func (s *SFTP) Addr() string { return s.l.Addr().String() }

// HangUp closes all connections.
func (s *SFTP) HangUp() { s.l.hangUp() }

// Connections is how many connections there have been.
func (s *SFTP) Connections() int { return s.l.count() }

// Close ends the server.
func (s *SFTP) Close() {
	close(s.over)
	s.l.close()
	s.serving.Wait()
}

var errLogin = errors.New("login incorrect")

func (s *SFTP) password(c ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	if c.User() == "user" && string(password) == "secret" {
		return nil, nil
	}
	return nil, errLogin
}

func (s *SFTP) publicKey(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	if c.User() == "user" && s.keys[string(key.Marshal())] {
		return nil, nil
	}
	return nil, errLogin
}

func (s *SFTP) accept() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() { s.serve(c) })
	}
}

func (s *SFTP) serve(c net.Conn) {
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	defer conn.Close()
	s.serving.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		switch nc.ChannelType() {
		case "session":
			if ch, requests, err := nc.Accept(); err == nil {
				s.serving.Go(func() { s.session(c, ch, requests) })
			}
		case "direct-tcpip":
			s.serving.Go(func() { s.forward(nc) })
		default:
			_ = nc.Reject(ssh.UnknownChannelType, "no")
		}
	}
}

func (s *SFTP) session(c net.Conn, ch ssh.Channel, requests <-chan *ssh.Request) {
	defer ch.Close()
	for r := range requests {
		ok := r.Type == "subsystem" && string(r.Payload[4:]) == "sftp"
		_ = r.Reply(ok, nil)
		if ok {
			s.serving.Go(func() { ssh.DiscardRequests(requests) })
			files := &sftpFiles{s.Tree, c}
			server := sftp.NewRequestServer(ch, sftp.Handlers{FileGet: files, FilePut: files, FileCmd: files, FileList: files},
				sftp.WithStartDirectory("/home"))
			_ = server.Serve()
			_ = server.Close()
			return
		}
	}
}

// forward is for those that jump over this server.
func (s *SFTP) forward(nc ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	check(ssh.Unmarshal(nc.ExtraData(), &to))
	out, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: net.ParseIP(to.Host), Port: int(to.Port)})
	if err != nil {
		_ = nc.Reject(ssh.ConnectionFailed, "no")
		return
	}
	defer out.Close()
	ch, requests, err := nc.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	s.serving.Go(func() { ssh.DiscardRequests(requests) })
	s.serving.Go(func() { _, _ = io.Copy(ch, out); _ = ch.Close() })
	_, _ = io.Copy(out, ch)
}

type sftpFiles struct {
	t *Tree
	c net.Conn
}

// A hangingUp file ends the connection where it breaks: an error of a server is no cut.
type hangingUp struct {
	*brokenContent
	c net.Conn
}

func (h hangingUp) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.brokenContent.ReadAt(p, off)
	if errors.Is(err, errBroken) {
		_ = h.c.Close()
	}
	return n, err
}

func (f *sftpFiles) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	info, err := f.t.fs.Stat(r.Filepath)
	switch {
	case err != nil:
		return nil, os.ErrNotExist
	case path.Base(r.Filepath) == "forbidden":
		return nil, sftp.ErrSSHFxPermissionDenied
	case info.IsDir():
		return bytes.NewReader(nil), nil
	}
	content, err := afero.ReadFile(f.t.fs, r.Filepath)
	if err != nil {
		return nil, err
	}
	whole := bytes.NewReader(content) // the ReadAt of afero is not for concurrent use
	if b, ok := f.t.breakage(r.Filepath); ok {
		return hangingUp{&brokenContent{whole, b, f.t.over}, f.c}, nil
	}
	return whole, nil
}

func (f *sftpFiles) Filewrite(*sftp.Request) (io.WriterAt, error) { return nil, os.ErrPermission }

func (f *sftpFiles) Filecmd(*sftp.Request) error { return os.ErrPermission }

func (f *sftpFiles) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	info, err := f.t.fs.Stat(r.Filepath)
	if err != nil {
		return nil, os.ErrNotExist
	}
	return one{info}, nil
}

type one struct{ os.FileInfo }

func (o one) ListAt(into []os.FileInfo, off int64) (int, error) {
	if off > 0 {
		return 0, io.EOF
	}
	return copy(into, []os.FileInfo{o.FileInfo}), io.EOF
}
