package conn

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"golang.org/x/net/proxy"

	"spate/source"
	"spate/source/driver"
)

// A Dialer connects, maybe through a proxy, to which the rest of it leads then.
type Dialer struct {
	driver.Dialer
	Proxy    *url.URL    // of scheme http or https, which are asked to CONNECT, socks5 or socks5h; nil: none
	ProxyTLS *tls.Config // of one of https; nil: the system's roots
}

// DialContext is that of [net.Dialer]. A proxy is told the name, and resolves it.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.Proxy == nil {
		return d.Dialer.DialContext(ctx, network, addr)
	}
	if d.Proxy.Scheme == "http" || d.Proxy.Scheme == "https" {
		return d.tunnel(ctx, addr)
	}
	var who *proxy.Auth
	if user := d.Proxy.User; user != nil {
		password, _ := user.Password()
		who = &proxy.Auth{User: user.Username(), Password: password}
	}
	socks, err := proxy.SOCKS5("tcp", HostPort(d.Proxy, "1080"), who, forward{&d.Dialer})
	if err != nil {
		return nil, err
	}
	return socks.(proxy.ContextDialer).DialContext(ctx, "tcp", addr)
}

// forward is what package proxy wants of a dialer; it calls DialContext alone.
type forward struct{ *driver.Dialer }

func (f forward) Dial(network, addr string) (net.Conn, error) {
	return f.DialContext(context.Background(), network, addr)
}

// tunnel has an HTTP proxy connect to addr (RFC 9110 §9.3.6).
func (d *Dialer) tunnel(ctx context.Context, addr string) (net.Conn, error) {
	port := "80"
	if d.Proxy.Scheme == "https" {
		port = "443"
	}
	c, err := d.Dialer.DialContext(ctx, "tcp", HostPort(d.Proxy, port))
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	t, err := d.open(ctx, c, addr)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return t, nil
}

// open asks over c for a tunnel to addr.
func (d *Dialer) open(ctx context.Context, c net.Conn, addr string) (net.Conn, error) {
	if d.Proxy.Scheme == "https" {
		config := d.ProxyTLS.Clone()
		if config == nil {
			config = new(tls.Config)
		}
		config.ServerName = d.Proxy.Hostname()
		secure := tls.Client(c, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		c = secure
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: http.Header{"User-Agent": {"spate"}}}
	if user := d.Proxy.User; user != nil {
		password, _ := user.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	if err := req.Write(c); err != nil {
		return nil, err
	}
	early := bufio.NewReader(c)
	resp, err := http.ReadResponse(early, req)
	if err != nil {
		return nil, err
	}
	return &tunnel{c, early}, refusal(resp.StatusCode)
}

// refusal is the error of what a proxy has answered; nil if that is a tunnel.
func refusal(status int) error {
	if status == http.StatusOK {
		return nil
	}
	kind := source.KindNetwork
	if status == http.StatusProxyAuthRequired {
		kind = source.KindAuth
	}
	return driver.Classed(kind, errors.New(fmt.Sprint("the proxy answered ", status, " ", http.StatusText(status))))
}

// A tunnel is a connection of which the first bytes may have come with the answer of the proxy: over FTP and SSH it is the origin
// that speaks first.
type tunnel struct {
	net.Conn
	early *bufio.Reader
}

func (t *tunnel) Read(p []byte) (int, error) { return t.early.Read(p) }
