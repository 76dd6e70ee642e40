package httpsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// newTransport makes the connections of one Source.
//
// ReadBufferSize stays at its default of 4 KiB on purpose: a Read that is larger than the buffer goes from the
// socket into the caller's bytes without another copy.
func newTransport(o *Options) *http.Transport {
	// The dialer's own limit divides the time between a name's addresses; the exchange's watch bounds the whole.
	dialer := &net.Dialer{Timeout: max(o.ConnectTimeout, 0)}
	return &http.Transport{
		Proxy:                  o.Proxy,
		OnProxyConnectResponse: proxyAnswer,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        tlsConfig(o.TLSConfig),
		TLSHandshakeTimeout:    max(o.ConnectTimeout, 0), // a dial may outlive the request it was begun for
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		// Many requests share a connection of HTTP/2; without pings a dead one would fail each of them in turn.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// sessionTransport makes the connections of one session, one at a time: HTTP/1.1, since a session of HTTP/2 would
// be no connection's worth of anything.
func sessionTransport(o *Options) *http.Transport {
	t := newTransport(o)
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ForceAttemptHTTP2 = false
	t.MaxConnsPerHost = 1
	return t
}

// tlsConfig is the caller's with a session cache, so that the many connections to a host share one full handshake.
func tlsConfig(c *tls.Config) *tls.Config {
	c = c.Clone()
	if c == nil {
		c = new(tls.Config)
	}
	if c.ClientSessionCache == nil {
		c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return c
}

// A proxyError is a proxy's refusal to connect us to the origin.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered %s", statusText(e.status))
}

func proxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return &proxyError{resp.StatusCode}
	}
	return nil
}
