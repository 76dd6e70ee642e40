package sftpsource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// maxJumps bounds a chain of ProxyJump.
const maxJumps = 8

// A link is an SSH connection with SFTP on it. It carries one exchange at a time.
type link struct {
	raw   net.Conn
	ssh   *ssh.Client
	sftp  *sftp.Client
	guard *guard
	hop   *link // through which it goes; without SFTP
}

// wire is the connection of the first hop, below all others.
func (l *link) wire() net.Conn {
	if l.hop != nil {
		return l.hop.wire()
	}
	return l.raw
}

// Close closes the connection at once, and ends its goroutines.
func (l *link) Close() error {
	_ = l.wire().Close()
	if l.sftp != nil {
		_ = l.sftp.Close()
	}
	_ = l.ssh.Close()
	if l.hop != nil {
		_ = l.hop.Close()
	}
	return nil
}

// connect logs in at p and starts SFTP.
func (s *Source) connect(ctx context.Context, w *driver.Watch, p place) (*link, error) {
	w.Wait("no connection within", s.times.Connect)
	l, err := s.logIn(ctx, w, route{to: p})
	w.Done()
	if err != nil {
		return nil, err
	}
	w.Wait("no answer within", s.times.Header)
	defer w.Done()
	if err := l.start(); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("SFTP: %w", err)
	}
	return l, nil
}

// start begins SFTP, as the subsystem of a session.
func (l *link) start() error {
	session, err := l.ssh.NewSession()
	if err != nil {
		return err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.RequestSubsystem("sftp"); err != nil {
		return err
	}
	l.guard = newGuard(out)
	l.sftp, err = sftp.NewClientPipe(l.guard, in)
	return err
}

// A route is a place, and how to get there.
type route struct {
	to    place
	via   []string // hops; none: as the configuration says
	depth int      // hops behind it
}

// logIn makes an SSH connection through the hops that the configuration wants.
func (s *Source) logIn(ctx context.Context, w *driver.Watch, r route) (*link, error) {
	h, err := s.host(r.to)
	if err != nil {
		return nil, err
	}
	if r.depth > maxJumps {
		return nil, driver.Classed(source.KindLocal, errors.New("ProxyJump of the SSH configuration goes in circles"))
	}
	if len(r.via) > 0 {
		h.jumps = r.via
	}
	l := &link{}
	if l.raw, l.hop, err = s.reach(ctx, w, h, r.depth); err != nil {
		return nil, err
	}
	if err := l.shake(ctx, w, h); err != nil {
		_ = l.raw.Close()
		if l.hop != nil {
			_ = l.hop.Close()
		}
		return nil, err
	}
	return l, nil
}

// reach connects to h, or has its last hop do so, which is reached through the others.
func (s *Source) reach(ctx context.Context, w *driver.Watch, h *host, depth int) (net.Conn, *link, error) {
	if len(h.jumps) == 0 {
		d := conn.Dialer{Dialer: driver.Dialer{Timeout: s.times.Connect, Network: s.opts.Network, Resolve: s.opts.Resolve, Allow: s.opts.Allow},
			Proxy: s.opts.Proxy, ProxyTLS: s.opts.TLSConfig}
		raw, err := d.DialContext(ctx, "tcp", h.addr)
		if err == nil && !w.Add(raw) {
			err = net.ErrClosed
		}
		return raw, nil, err
	}
	last := len(h.jumps) - 1
	p, err := parseHop(strings.TrimSpace(h.jumps[last]))
	if err != nil {
		return nil, nil, err
	}
	p.named = true // by the user's configuration
	hop, err := s.logIn(ctx, w, route{p, h.jumps[:last], depth + 1})
	if err != nil {
		return nil, nil, err
	}
	raw, err := hop.ssh.DialContext(ctx, "tcp", h.addr)
	if err != nil {
		_ = hop.Close()
		return nil, nil, err
	}
	return raw, hop, nil
}

// shake does the handshake and logs in.
func (l *link) shake(ctx context.Context, w *driver.Watch, h *host) error {
	k, err := newKeeper(h)
	if err != nil {
		return err
	}
	in := newLogin(ctx, w, h)
	defer in.close()
	var distrust error
	c, channels, requests, err := ssh.NewClientConn(l.raw, h.addr, &ssh.ClientConfig{
		User:              h.user,
		Auth:              in.methods(),
		ClientVersion:     "SSH-2.0-spate",
		HostKeyAlgorithms: k.algorithms(),
		HostKeyCallback: func(name string, remote net.Addr, key ssh.PublicKey) error {
			distrust = k.check(name, remote, key)
			return distrust
		},
	})
	switch {
	case err == nil:
		l.ssh = ssh.NewClient(c, channels, requests)
		return nil
	case distrust != nil:
		return untrusted(distrust)
	case isRefusal(err):
		return in.refused()
	}
	return err
}

func untrusted(err error) error {
	if _, ok := errors.AsType[*source.Error](err); ok {
		return err
	}
	return driver.Classed(source.KindTLS, err)
}

// isRefusal tells the end of all attempts, on either side. These errors have no types.
func isRefusal(err error) bool {
	text := err.Error()
	return strings.Contains(text, "unable to authenticate") || strings.Contains(text, "too many authentication attempts") ||
		strings.Contains(text, "Too many authentication failures")
}
