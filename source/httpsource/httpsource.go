// Package httpsource opens http and https URLs: HTTP/1.1 and HTTP/2, through the proxies of the environment.
//
// What is asked for is the bytes as they are: "identity" is the only content coding accepted, and an answer in
// another one is an error. An answer that is not certainly the right one (another range than asked for, a status
// that says neither yes nor no) is an error too.
package httpsource

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"sync"
	"time"

	"spate/source"
	"spate/source/driver"
)

// Options are how a [Source] behaves. The zero value is what most callers want.
//
// A time-out of 0 is its default, and a negative one means no limit. None of them bounds the whole transfer.
type Options struct {
	ConnectTimeout time.Duration // resolving the name, connecting (to the proxy as well) and the TLS handshake; 15 s
	HeaderTimeout  time.Duration // from the request being sent to the answer's header; 30 s
	// IdleTimeout is how long a Read of a body waits for a byte; 20 s. The time in which nobody reads does not
	// count: a reader that is slow is no silent origin.
	IdleTimeout time.Duration

	Proxy        func(*http.Request) (*url.URL, error) // default http.ProxyFromEnvironment
	TLSConfig    *tls.Config                           // cloned; default: the system's roots
	UserAgent    string                                // default "spate"
	MaxRedirects int                                   // default 20; below 0: none is followed
	Network      string                                // "tcp4" or "tcp6": connect by IPv4 or IPv6 alone; default either
	Resolve      map[string][]string                   // "host:port", lower case, to IP addresses, tried in order
	Allow        driver.Allow                          // nil: every address. What is behind a proxy is for that to connect to

	// Header is sent to every origin, also in place of what is sent otherwise. A field without values is not sent.
	// Names are canonical.
	Header http.Header

	// Named tells the origins that what follows is for. No other one sees any of it, wherever a redirect or a manifest
	// leads. nil: none. It is called for each request, from several goroutines. See [Origins].
	Named func(*url.URL) bool
	// Private is as Header. What it has of Cookie goes with the cookies of Jar.
	Private http.Header
	// Login is asked for the user and password of a host, without port, where the URL has none; nil is none.
	Login func(host string) *url.Userinfo
	// Jar keeps the cookies of answers and gives those of requests; nil: none.
	Jar http.CookieJar
	// Certificates are shown to servers that want one.
	Certificates []tls.Certificate

	sessions tls.ClientSessionCache // of connections that show Certificates
}

// A Source opens http and https URLs. [New] makes one. It is safe for concurrent use and keeps idle connections, up
// to 32 for a host and for 30 seconds.
//
// It implements [source.Source] and [source.Dialer]. What its answers tell:
//
//   - Info.Size comes from Content-Length or Content-Range.
//   - Info.Validator is the ETag as it is, if it is strong; else the Last-Modified date behind "date ", if it is older
//     than the answer, so that the bytes cannot have changed within its second (RFC 9110 §8.8.2.2), and the same
//     as a weak one if it is not; else the weak ETag.
//   - Info.Name is the file name of Content-Disposition.
//   - Info.Digests are those of Repr-Digest, of Content-Digest where the body is the whole, and of the older Digest, the
//     first of each algorithm in that order (RFC 9530). They are asked for with requests that begin at 0.
//   - Info.Links are those of Link, and of the answers that redirected (RFC 6249). If such an answer has duplicates, what
//     its Digest has comes before that of the final answer.
//   - Info.Header is that of the final answer.
//   - Info.Seekable is true if the origin answered a range, or was asked for none and said "Accept-Ranges: bytes".
//
// A Range header is sent unless the whole is asked for. An origin that ignores it answers from 0: Resource.Off says
// so, and the body ends where the range does. An empty range costs one byte. A range from 0 of math.MaxInt64 bytes asks
// for "bytes=0-": the answer is the whole as well, and shows whether there are ranges.
//
// A 200 has content, maybe none, and a 206; a 416 is the end where what was asked for begins there. No other status is
// success: 204 and 205 say that there is no content to have.
//
// Redirects (301, 302, 303, 307, 308) are followed to http and https only. The userinfo of a URL is sent as basic
// authentication and never follows a redirect to another scheme, host or port; nor does what Options has for named
// origins alone, unless that is one of them.
type Source struct {
	opts      Options
	transport *http.Transport
	certified *http.Transport // of named origins where there are Certificates; else nil

	noHTTP1 *sync.Map // the origins, "scheme://host:port", that speak HTTP/2 alone; shared with the sessions
	streams *Source   // of a session: as it is, by HTTP/2
}

// New makes a Source. opts may be nil.
func New(opts *Options) *Source {
	s := &Source{opts: opts.withDefaults(), noHTTP1: new(sync.Map)}
	s.newTransports(nil)
	return s
}

// Open sends a GET and returns once its header has come. See [source.Source].
func (s *Source) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	start := time.Now()
	u, err := parse(rawURL)
	if err != nil {
		return nil, &source.Error{Op: "open", URL: rawURL, Kind: source.KindMalformed, Err: err}
	}
	a, err := s.follow(ctx, u, rng)
	if err != nil {
		return nil, driver.Failed("open", rawURL, err)
	}
	res, err := a.resource(rng)
	if err != nil {
		a.discard()
		return nil, driver.Failed("open", rawURL, a.redirected(err))
	}
	res.Conn = a.conn(start)
	res.Body = newBody(a, rawURL, res, rng)
	return res, nil
}

// CloseIdleConnections closes the connections that carry no request at the moment.
func (s *Source) CloseIdleConnections() {
	s.transport.CloseIdleConnections()
	if s.certified != nil {
		s.certified.CloseIdleConnections()
	}
	if s.streams != nil {
		s.streams.CloseIdleConnections()
	}
}

func (o *Options) withDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	d.ConnectTimeout = orDefault(d.ConnectTimeout, 15*time.Second)
	d.HeaderTimeout = orDefault(d.HeaderTimeout, 30*time.Second)
	d.IdleTimeout = orDefault(d.IdleTimeout, 20*time.Second)
	d.MaxRedirects = orDefault(d.MaxRedirects, 20)
	d.UserAgent = orDefault(d.UserAgent, "spate")
	if d.Proxy == nil {
		d.Proxy = http.ProxyFromEnvironment
	}
	d.TLSConfig = tlsConfig(d.TLSConfig)
	d.sessions = tls.NewLRUClientSessionCache(0)
	return d
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
