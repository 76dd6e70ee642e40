// Package ftpsource opens ftp and ftps URLs: FTP (RFC 959) over passive connections, and over TLS (RFC 4217).
package ftpsource

import (
	"context"
	"crypto/tls"
	"net/url"
	"time"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// Options are how a [Source] behaves. The zero value is what most callers want.
//
// A time-out of 0 is its default, and a negative one means no limit. None of them bounds the whole transfer.
type Options struct {
	ConnectTimeout time.Duration // resolving the name, connecting, TLS, the greeting and the login; 15 s
	HeaderTimeout  time.Duration // from then until the transfer begins; 30 s
	// IdleTimeout is how long a Read of a body waits for a byte; 20 s. The time in which nobody reads does not
	// count: a reader that is slow is no silent origin.
	IdleTimeout time.Duration

	TLSConfig *tls.Config // cloned; default: the system's roots

	Network string              // "tcp4" or "tcp6": connect by IPv4 or IPv6 alone; default either
	Resolve map[string][]string // "host:port", lower case, to IP addresses, tried in order
	Allow   driver.Allow        // nil: every address. What is behind a proxy is for that to connect to
	Proxy   *url.URL            // through which all connections go, of scheme http, https, socks5 or socks5h; nil: none. See [conn.Dialer]

	// Named tells the origins that Login and Certificates are for; nil: none. It is called for each Open, from several goroutines. See
	// [Origins].
	Named func(*url.URL) bool
	// Login is asked for the user and password of a host, without port, where the URL has none, or has the same user
	// without a password; nil is none.
	Login func(host string) *url.Userinfo
	// Certificates are shown to servers that want one.
	Certificates []tls.Certificate
}

var schemes = []string{"ftp", "ftps"}

// Origins is what [Options].Named can be: it tells the URLs of which scheme, host and port are those of one of urls.
func Origins(urls ...string) func(*url.URL) bool { return conn.Origins(urls, schemes...) }

// A Source opens ftp and ftps URLs. [New] makes one. It is safe for concurrent use. Each body has a control connection
// of its own; idle ones are kept, up to 32 for a host and login, for 30 seconds.
//
// It implements [source.Source] and [source.Dialer]; a session is one control connection.
//
//   - ftps is explicit TLS (AUTH TLS), on port 21 where the URL names none, and implicit TLS on port 990. The data
//     connection is encrypted too. An origin that offers no TLS is an error of KindTLS: nothing is ever sent in the
//     clear instead.
//   - User and password are those of the URL, else those of [Options].Login where the origin is named, else "anonymous"
//     and "anonymous@".
//   - The path is relative to where the login leads (RFC 1738 §3.2.2); ftp://host/%2Fetc/motd and ftp://host//etc/motd
//     are absolute. It is sent whole, not as a CWD for each element. ";type=i" at its end is allowed, other types are
//     not: bytes are fetched as they are. A line break or another control character is an error of KindMalformed.
//   - Info.Size is that of SIZE, and Info.ModTime that of MDTM. Info.Validator is made of both; it is weak where the
//     file was modified within the last minute (see [conn.Validator]), and "" where either is not told.
//   - Info.Seekable is true where the size is known and the origin said, or has shown, that REST works. Where either is
//     not so the body starts at 0.
//   - A body ends well if it has all bytes of the size and the origin did not call the transfer broken; where the size is
//     not known, the origin must confirm it. A file that proves longer than its size is an error of KindChanged.
//
// The replies become kinds and, where there is one, the status HTTP has for it: 550 is 404, or 403 where its text tells
// of permissions, or if it is a directory; 530 is 401; other replies that say "not now", 503.
//
// A body that is left early costs its control connection: what the origin would still say of it is not waited for.
type Source struct {
	opts  Options
	who   conn.Identity
	times conn.Timeouts
	pool  conn.Pool[*control]
}

// New makes a Source. opts may be nil.
func New(opts *Options) *Source {
	s := &Source{}
	if opts != nil {
		s.opts = *opts
	}
	s.who = conn.Identity{Named: s.opts.Named, Login: s.opts.Login}
	s.times = conn.Timeouts{Connect: s.opts.ConnectTimeout, Header: s.opts.HeaderTimeout, Idle: s.opts.IdleTimeout}.WithDefaults()
	return s
}

// Open returns once the origin has begun to send. See [source.Source].
func (s *Source) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	t, err := s.parse(rawURL)
	if err != nil {
		return nil, driver.Failed("open", rawURL, err)
	}
	return conn.Open(rawURL, func() (*source.Resource, error) { return s.try(ctx, t, rng) })
}

// Dial makes a session for rawURL, with a connection of its own that is made by the first Open. A session opens other
// URLs as well, on a new connection if their host or login is another.
func (s *Source) Dial(_ context.Context, rawURL string) (source.Session, error) {
	if _, err := s.parse(rawURL); err != nil {
		return nil, driver.Failed("dial", rawURL, err)
	}
	own := &Source{opts: s.opts, who: s.who, times: s.times}
	own.pool.Max = 1
	return driver.NewSession(own), nil
}

// CloseIdleConnections closes the connections that carry no body at the moment.
func (s *Source) CloseIdleConnections() { s.pool.CloseIdle() }
