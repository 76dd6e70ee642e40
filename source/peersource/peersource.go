// Package peersource opens peer URLs: chunks that the peers of a swarm have, as a tracker tells.
package peersource

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
	ConnectTimeout time.Duration // for connecting, to the tracker and to each peer; 15 s
	// HeaderTimeout is how long the tracker is asked for somebody who has a chunk, and how long each peer is waited for
	// until its first byte; 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a peer is waited for that has begun to send; 20 s. The time in which nobody reads does not
	// count.
	IdleTimeout time.Duration

	Network string              // "tcp4" or "tcp6": connect by IPv4 or IPv6 alone; default either
	Resolve map[string][]string // "host:port", lower case, to IP addresses, tried in order
	Allow   driver.Allow        // nil: every address. What is behind a proxy is for that to connect to
	Proxy   *url.URL            // through which all connections go, of scheme http, https, socks5 or socks5h; nil: none. See [conn.Dialer]
	// ProxyTLS is for a proxy of scheme https; default: the system's roots.
	ProxyTLS *tls.Config
}

// A Source opens peer URLs. [New] makes one. It is safe for concurrent use. It implements [source.Source]; as each chunk
// has a connection of its own, it is its own session. To each tracker there is one connection, which is kept for 30
// seconds after the last question. The Source takes chunks and has none: nothing is announced.
//
//   - peer://HOST:PORT/7 is chunk 7 of what the tracker at HOST:PORT knows, peer://HOST:PORT/1-64 are the chunks 1 to 64
//     in order. The port is 5100 where the URL names none. There is no user in it.
//   - ?chunk=BYTES&size=TOTAL behind either says how large all chunks but the last ones are, and the whole. Neither the
//     tracker nor the peers know: it is taken for true, and a chunk that proves longer is an error of KindChanged. Info.Size and
//     Info.Seekable come of it. A chunk of no bytes by that count is not asked for.
//   - Without sizes Info.Size is -1, the body starts at 0, and a chunk that has no byte is taken for one that is not there.
//   - Info.Validator is "": nothing tells one version of a swarm's content from another.
//   - Within a range only the chunks that it touches are asked for; a chunk is always sent from its first byte, so what
//     is before the range is read and dropped.
//   - A chunk comes from one peer at a time, any that has it; of those, one of whom we have nothing open, and who has not failed
//     within the last minute, goes first. If he fails, the next sends the chunk once more from its start: what had come is
//     compared (CRC-64). So bytes of peers that disagree are not mixed; that is an error of KindCorrupt.
//   - A peer is compared with another before it is believed, by the first 64 KiB of the first chunk that comes from it, where another
//     has that and answers soon. Of peers that differ those are right of whom two agree; the others are not asked for half an hour.
//     Without two that agree it is an error of KindCorrupt.
//   - A peer that dies closes its connection as if it were done. With sizes a chunk that is too short is noticed, and the
//     next peer asked. Without, a chunk ends only where a second delivery of it ends, too: of another peer at the same time if there
//     is one that answers, else of the same afterwards. Within a set this is left out for chunks as large as one that was
//     confirmed. What cannot be confirmed is an error that is [io.ErrUnexpectedEOF].
//   - A chunk that the tracker does not know is asked for each second until HeaderTimeout is over. It is an error that is
//     fs.ErrNotExist then, as it is if all peers say that they have it not. Otherwise the error has the reason of each.
//
// That sizes and second deliveries agree proves nothing against who lies: a digest does.
type Source struct {
	opts     Options
	times    conn.Timeouts
	trackers trackers
	givers   givers
}

// New makes a Source. opts may be nil.
func New(opts *Options) *Source {
	s := &Source{}
	if opts != nil {
		s.opts = *opts
	}
	s.times = conn.Timeouts{Connect: s.opts.ConnectTimeout, Header: s.opts.HeaderTimeout, Idle: s.opts.IdleTimeout}.WithDefaults()
	s.trackers = trackers{dial: s.dialer().DialContext, isProxied: s.opts.Proxy != nil, active: map[string]*link{}}
	s.givers = newGivers()
	return s
}

// dialer divides the time for connecting between a name's addresses.
func (s *Source) dialer() *conn.Dialer {
	return &conn.Dialer{Dialer: driver.Dialer{Timeout: s.times.Connect, Network: s.opts.Network, Resolve: s.opts.Resolve, Allow: s.opts.Allow},
		Proxy: s.opts.Proxy, ProxyTLS: s.opts.ProxyTLS}
}

// Open returns once a peer has begun to send. See [source.Source].
func (s *Source) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	start := time.Now()
	t, err := parse(rawURL)
	if err != nil {
		return nil, driver.Failed("open", rawURL, err)
	}
	ctx, w := driver.NewWatch(ctx)
	x := &stream{src: s, ctx: ctx, watch: w, t: t}
	res, err := x.open(rng)
	if err != nil {
		x.drop()
		return nil, driver.Failed("open", rawURL, w.Abandon(err))
	}
	res.Conn.Setup = time.Since(start)
	return res, nil
}

// CloseIdleConnections closes the connections to trackers that nobody waits for an answer of.
func (s *Source) CloseIdleConnections() { s.trackers.idle.CloseIdle() }
