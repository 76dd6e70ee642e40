package httpsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"spate/source/driver"
)

// via is the transport for u: that which shows Certificates, where there are any, for named origins alone.
func (s *Source) via(u *url.URL) *http.Transport {
	if s.certified != nil && s.isNamed(u) {
		return s.certified
	}
	return s.transport
}

// newTransports makes what s connects with. Where one is given s is one connection's worth.
func (s *Source) newTransports(one *http.Protocols) {
	s.transport = newTransport(&s.opts, one)
	if len(s.opts.Certificates) == 0 {
		return
	}
	s.certified = newTransport(&s.opts, one)
	config := s.certified.TLSClientConfig
	config.Certificates = append(slices.Clip(config.Certificates), s.opts.Certificates...)
	config.ClientSessionCache = s.opts.sessions // a session that is resumed shows who began it
}

// newTransport makes connections.
//
// ReadBufferSize is what a small file takes with its header, which come by one read then. A Read that is larger goes from the
// socket into the caller's bytes without another copy.
func newTransport(o *Options, one *http.Protocols) *http.Transport {
	t := &http.Transport{
		Proxy:                  o.Proxy,
		OnProxyConnectResponse: proxyAnswer,
		DialContext:            dialer(o).DialContext,
		TLSClientConfig:        o.TLSConfig.Clone(),
		TLSHandshakeTimeout:    max(o.ConnectTimeout, 0), // a dial may outlive the request it was begun for
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    32,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ReadBufferSize:         32 << 10,
		// Many requests share a connection of HTTP/2; without pings a dead one would fail each of them in turn.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
	if one != nil {
		t.Protocols, t.ForceAttemptHTTP2 = one, one.HTTP2()
		t.MaxConnsPerHost = 1
		if one.HTTP1() {
			t.TLSClientConfig.NextProtos = []string{"http/1.1"} // said, so that an origin that has it can say so
		}
	}
	return t
}

// dialer connects as o says. Its own limit divides the time between a name's addresses; the exchange's watch bounds the
// whole.
func dialer(o *Options) *driver.Dialer {
	return &driver.Dialer{Timeout: o.ConnectTimeout, Network: o.Network, Resolve: o.Resolve, Allow: o.Allow}
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
