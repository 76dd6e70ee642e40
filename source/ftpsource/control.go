package ftpsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/jlaffaye/ftp"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// A control is a control connection, logged in. It carries one exchange at a time.
type control struct {
	*ftp.ServerConn
	tap  *tap
	raw  net.Conn // below TLS, if there is TLS
	tls  *tls.Config
	dial func(network, addr string) (net.Conn, error) // for data, within the exchange
	data net.Conn                                     // of the exchange
}

// Close closes the connection at once. There is nothing that an origin needs to hear.
func (c *control) Close() error { return c.raw.Close() }

// connect makes a control connection for t.
func (s *Source) connect(ctx context.Context, w *driver.Watch, t *target) (*control, error) {
	w.Wait("no connection within", s.times.Connect)
	defer w.Done()
	c := &control{tap: &tap{}}
	if t.tls != noTLS {
		c.tls = tlsConfig(s.opts.TLSConfig, t.host)
		if t.named {
			c.tls.Certificates = append(slices.Clip(c.tls.Certificates), s.opts.Certificates...)
		}
	}
	err := safely(func() (err error) {
		c.ServerConn, err = ftp.Dial(t.addr, c.options(ctx, w, t, s.dialer())...)
		if err != nil {
			return err
		}
		return c.Login(t.user, t.pass)
	})
	if err != nil {
		return nil, c.explain(err)
	}
	return c, nil
}

// dialer divides the time for connecting between a name's addresses; the watch bounds the whole.
func (s *Source) dialer() *conn.Dialer {
	return &conn.Dialer{Dialer: driver.Dialer{Timeout: s.times.Connect, Network: s.opts.Network, Resolve: s.opts.Resolve, Allow: s.opts.Allow},
		Proxy: s.opts.Proxy, ProxyTLS: s.opts.TLSConfig}
}

// options make the client use our connections, which the watch can close.
func (c *control) options(ctx context.Context, w *driver.Watch, t *target, d *conn.Dialer) []ftp.DialOption {
	options := []ftp.DialOption{
		ftp.DialWithDebugOutput(c.tap),
		ftp.DialWithDialFunc(func(network, addr string) (net.Conn, error) {
			if c.raw != nil {
				return c.dial(network, addr)
			}
			raw, err := dialWatched(ctx, w, d, addr)
			if err != nil {
				return nil, err
			}
			c.raw = raw
			if t.tls == implicitTLS {
				return tls.Client(raw, c.tls), nil
			}
			return raw, nil
		}),
	}
	switch t.tls {
	case implicitTLS:
		options = append(options, ftp.DialWithTLS(c.tls))
	case explicitTLS:
		options = append(options, ftp.DialWithExplicitTLS(c.tls))
	}
	return options
}

func dialWatched(ctx context.Context, w *driver.Watch, d *conn.Dialer, addr string) (net.Conn, error) {
	raw, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if !w.Add(raw) {
		return nil, net.ErrClosed
	}
	return raw, nil
}

// begin makes ready for an exchange with host.
func (c *control) begin(ctx context.Context, w *driver.Watch, d *conn.Dialer, host string) {
	c.tap.begin()
	c.data = nil
	c.dial = func(_, addr string) (net.Conn, error) {
		if _, port, err := net.SplitHostPort(addr); err == nil && d.Proxy != nil {
			addr = net.JoinHostPort(host, port) // the client takes the proxy for the origin
		}
		raw, err := dialWatched(ctx, w, d, addr)
		if err != nil {
			return nil, err
		}
		c.data = raw
		if c.tls != nil {
			c.data = tls.Client(raw, c.tls)
		}
		return c.data, nil
	}
}

// secure does the handshake of the data connection, which begins when the origin has said that it will send.
func (c *control) secure(ctx context.Context) error {
	if t, ok := c.data.(*tls.Conn); ok {
		return t.HandshakeContext(ctx)
	}
	return nil
}

// tlsConfig is the caller's with a session cache: many origins want the data connection to resume the session of the
// control connection, so that nobody else can take its place.
func tlsConfig(c *tls.Config, host string) *tls.Config {
	c = c.Clone()
	if c == nil {
		c = new(tls.Config)
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	return c
}

// safely calls f, which may panic over what an origin sends.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = driver.Classed(source.KindProtocol, fmt.Errorf("an answer that makes no sense: %v", p))
		}
	}()
	return f()
}

// modTime is when path was modified, zero where the origin does not tell.
func (c *control) modTime(path string) (time.Time, error) {
	if !c.IsGetTimeSupported() {
		return time.Time{}, nil
	}
	at, err := c.GetTime(path)
	if err != nil {
		return time.Time{}, c.unlessReply(err)
	}
	return at, nil
}

// size is that of path, -1 where the origin does not tell.
func (c *control) size(path string) (int64, error) {
	n, err := c.FileSize(path)
	if err != nil {
		return -1, c.unlessReply(err)
	}
	return max(n, -1), nil
}
