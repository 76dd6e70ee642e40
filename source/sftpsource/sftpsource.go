// Package sftpsource opens sftp URLs, and ssh and scp URLs as other names for them: files over SSH (SFTP version 3,
// draft-ietf-secsh-filexfer-02).
package sftpsource

import (
	"context"
	"crypto/tls"
	"net/url"
	"sync"
	"time"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// Options are how a [Source] behaves. The zero value is what ssh does with the user's own configuration, as far as it can
// be done without asking the user anything, for nobody: Named says at which origins the user's keys may be used.
//
// A time-out of 0 is its default, and a negative one means no limit. None of them bounds the whole transfer. Of a file
// name, a leading ~/ is the user's home.
type Options struct {
	ConnectTimeout time.Duration // resolving the name, connecting, the handshake and the login, each hop included; 15 s
	HeaderTimeout  time.Duration // from then until the file is open; 30 s
	// IdleTimeout is how long a Read of a body waits for a byte; 20 s. The time in which nobody reads does not
	// count: a reader that is slow is no silent origin.
	IdleTimeout time.Duration

	Network string              // "tcp4" or "tcp6": connect by IPv4 or IPv6 alone; default either
	Resolve map[string][]string // "host:port", lower case, to IP addresses, tried in order
	Allow   driver.Allow        // nil: every address. What is behind a proxy is for that to connect to
	Proxy   *url.URL            // through which all connections go, of scheme http, https, socks5 or socks5h; nil: none. See [conn.Dialer]
	// TLSConfig is for a Proxy of https; nil: the system's roots.
	TLSConfig *tls.Config

	ConfigFiles   []string // in the format of ssh_config; nil: ~/.ssh/config and /etc/ssh/ssh_config. One that is not there is no error
	KnownHosts    []string // nil: those of the configuration, else ~/.ssh/known_hosts, ~/.ssh/known_hosts2 and /etc/ssh/ssh_known_hosts
	IdentityFiles []string // private keys; nil: those of the configuration, else ~/.ssh/id_ed25519, id_ecdsa and id_rsa
	AgentSocket   string   // "": $SSH_AUTH_SOCK; "none": no agent
	// AcceptKeys are the fingerprints ("SHA256:…") of host keys that are taken for known, whichever host of which no other key
	// is known shows them. Nothing is written down.
	AcceptKeys []string
	// AcceptNew adds the key of a host of which none is known to the first of KnownHosts, and goes on. A key that differs from
	// a known one is an error in any case.
	AcceptNew bool

	// Named tells the origins that may know who the user is; nil: none. It is called for each Open, from several
	// goroutines, with sftp as the scheme. See [Origins]. At another origin neither keys nor Login, nor the user and the hops of the
	// configuration, are used, and no new host key is taken, unless [source.IsVouched]: its URL must have user and password
	// itself. A manifest from the network could have the keys tried anywhere otherwise.
	Named func(*url.URL) bool
	// Login is asked for the user and password of a host, without port, where the URL has none, or has the same user
	// without a password; nil is none.
	Login func(host string) *url.Userinfo
}

// Origins is what [Options].Named can be: it tells the URLs of which host and port are those of one of urls.
func Origins(urls ...string) func(*url.URL) bool {
	return conn.Origins(asSFTP(urls), schemes...)
}

// asSFTP gives urls the first name of their scheme.
func asSFTP(urls []string) []string {
	var all []string
	for _, raw := range urls {
		if u, err := conn.ParseURL(raw, schemes...); err == nil {
			u.Scheme = schemes[0]
			all = append(all, u.String())
		}
	}
	return all
}

// A Source opens sftp, ssh and scp URLs. [New] makes one. It is safe for concurrent use. Each body has an SSH connection of its own;
// idle ones are kept, up to 32 for a host and login, for 30 seconds.
//
// It implements [source.Source] and [source.Dialer]; a session is one SSH connection.
//
//   - The path is absolute; sftp://host/~/x is relative to where the login leads. A control character in it is an error
//     of KindMalformed, a directory one of KindStatus.
//   - What tells who the user is goes to named origins only, see [Options].Named.
//   - A password in the URL is used, as password and as the answer to whatever is asked for without being shown; then
//     keys: those that the configuration names, those of the agent, and the usual files. An encrypted key serves only
//     through an agent; the error says so.
//   - Of the configuration HostName, Port, User, IdentityFile, IdentitiesOnly, IdentityAgent, UserKnownHostsFile,
//     GlobalKnownHostsFile, HostKeyAlias, StrictHostKeyChecking and ProxyJump are followed. Match blocks are not looked at,
//     ProxyCommand is an error. What the URL says goes first.
//   - The host key must be known, see [HostKeyError] and [Options].AcceptNew.
//   - Info.Size and Info.ModTime are those of the open file. Info.Validator is made of both; it is weak where the file was
//     modified within the last minute (see [conn.Validator]).
//   - Regular files can seek. They are as long as they were when they were opened; if one has shrunk since, the body ends
//     with io.ErrUnexpectedEOF. Those that say they are empty and are not, as in /proc, and devices have no size and are
//     read from 0.
//   - Up to 64 reads of 32 KiB are under way at the same time, so that latency does not bound the speed.
type Source struct {
	opts   Options
	who    conn.Identity
	times  conn.Timeouts
	pool   conn.Pool[*link]
	config *config
}

// New makes a Source. opts may be nil. The configuration is read when it is needed first.
func New(opts *Options) *Source {
	s := &Source{}
	if opts != nil {
		s.opts = *opts
	}
	s.who = conn.Identity{Named: s.opts.Named, Login: s.opts.Login}
	s.times = conn.Timeouts{Connect: s.opts.ConnectTimeout, Header: s.opts.HeaderTimeout, Idle: s.opts.IdleTimeout}.WithDefaults()
	files := s.opts.ConfigFiles
	if files == nil {
		files = []string{"~/.ssh/config", "/etc/ssh/ssh_config"}
	}
	s.config = &config{load: sync.OnceValues(func() (settings, error) { return readConfig(files) })}
	return s
}

// Open returns once the file is open. See [source.Source].
func (s *Source) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	t, err := s.parse(rawURL)
	if err != nil {
		return nil, driver.Failed("open", rawURL, err)
	}
	t.place.named = t.place.named || source.IsVouched(ctx)
	return conn.Open(rawURL, func() (*source.Resource, error) { return s.try(ctx, t, rng) })
}

// Dial makes a session for rawURL, with a connection of its own that is made by the first Open. A session opens other
// URLs as well, on a new connection if their host or login is another.
func (s *Source) Dial(_ context.Context, rawURL string) (source.Session, error) {
	if _, err := s.parse(rawURL); err != nil {
		return nil, driver.Failed("dial", rawURL, err)
	}
	own := &Source{opts: s.opts, who: s.who, times: s.times, config: s.config}
	own.pool.Max = 1
	return driver.NewSession(own), nil
}

// CloseIdleConnections closes the connections that carry no body at the moment.
func (s *Source) CloseIdleConnections() { s.pool.CloseIdle() }
