package servers

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Nginx is an nginx on loopback: a server as they are met, in a process of its own.
type Nginx struct {
	l   net.Listener
	cmd *exec.Cmd
	log bytes.Buffer
}

// ErrNoNginx is why there is none.
var ErrNoNginx = errors.New("nginx is not installed")

// StartNginx starts one that serves the files in dir; what belongs to nginx is in dir/nginx. http and server are what its
// configuration says in these blocks, beside what all have. With a certificate it speaks TLS, and offers HTTP/2.
//
// Who connects before it is there waits: its socket is open already.
func StartNginx(dir, http, server string, cert *tls.Certificate) (*Nginx, error) {
	path, err := lookNginx()
	if err != nil {
		return nil, err
	}
	n := &Nginx{}
	if n.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	socket, err := n.l.(*net.TCPListener).File()
	check(err)
	defer socket.Close()
	own := filepath.Join(dir, "nginx")
	check(os.Mkdir(own, 0o700))
	listen := n.Addr()
	if cert != nil {
		listen += " ssl http2"
		server += certify(own, cert)
	}
	config := filepath.Join(own, "nginx.conf")
	check(os.WriteFile(config, fmt.Appendf(nil, nginxConfig, own, http, listen, dir, server, nginxUser()), 0o600))
	n.cmd = exec.Command(path, "-p", own, "-c", config, "-e", "stderr")
	n.cmd.Env = append(os.Environ(), "NGINX=3;") // the socket that it goes on with, as if it had just replaced another nginx
	n.cmd.ExtraFiles = []*os.File{socket}
	n.cmd.Stderr = &n.log
	if err := n.cmd.Start(); err != nil {
		n.l.Close()
		return nil, err
	}
	return n, nil
}

const nginxConfig = `
daemon off;
worker_processes 1;
%[6]s
pid %[1]s/pid;
error_log stderr;
events { worker_connections 256; }
http {
	access_log off;
	default_type application/octet-stream;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	%[2]s
	server {
		listen %[3]s;
		root %[4]s;
		%[5]s
	}
}
`

// nginxUser keeps nginx from becoming somebody who cannot read what the tests have written.
func nginxUser() string {
	if os.Geteuid() == 0 {
		return "user root root;"
	}
	return ""
}

// lookNginx finds nginx also where only the administrator's path has it.
func lookNginx() (string, error) {
	for _, name := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoNginx
}

// certify puts cert into dir, and returns the lines that name it.
func certify(dir string, cert *tls.Certificate) string {
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	check(err)
	both := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, der := range cert.Certificate {
		both = append(both, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	name := filepath.Join(dir, "cert.pem")
	check(os.WriteFile(name, both, 0o600))
	return fmt.Sprintf("\nssl_certificate %[1]s;\nssl_certificate_key %[1]s;\n", name)
}

// Addr is host:port.
func (n *Nginx) Addr() string { return n.l.Addr().String() }

// Close ends it, and returns what it had to say.
func (n *Nginx) Close() string {
	n.l.Close()
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	_ = n.cmd.Wait()
	return n.log.String()
}
