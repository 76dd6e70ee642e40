// Package sftpsource opens sftp URLs, and ssh and scp URLs as other names for them: files over SSH (SFTP version 3,
// draft-ietf-secsh-filexfer-02).
package sftpsource

import (
	"context"
	"errors"
	"sync"
	"time"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// Options are how a [Source] behaves. The zero value is what most callers want: what ssh does with the user's own
// configuration, as far as it can be done without asking the user anything.
//
// A time-out of 0 is its default, and a negative one means no limit. None of them bounds the whole transfer. Of a file
// name, a leading ~/ is the user's home.
type Options struct {
	ConnectTimeout time.Duration // resolving the name, connecting, the handshake and the login, each hop included; 15 s
	HeaderTimeout  time.Duration // from then until the file is open; 30 s
	// IdleTimeout is how long a Read of a body waits for a byte; 20 s. The time in which nobody reads does not
	// count: a reader that is slow is no silent origin.
	IdleTimeout time.Duration

	ConfigFiles   []string // in the format of ssh_config; nil: ~/.ssh/config and /etc/ssh/ssh_config. One that is not there is no error
	KnownHosts    []string // nil: those of the configuration, else ~/.ssh/known_hosts, ~/.ssh/known_hosts2 and /etc/ssh/ssh_known_hosts
	IdentityFiles []string // private keys; nil: those of the configuration, else ~/.ssh/id_ed25519, id_ecdsa and id_rsa
	AgentSocket   string   // "": $SSH_AUTH_SOCK; "none": no agent
	// AcceptNew adds the key of a host of which none is known to the first of KnownHosts, and goes on. A key that differs from
	// a known one is an error in any case.
	AcceptNew bool
}

// A Source opens sftp, ssh and scp URLs. [New] makes one. It is safe for concurrent use. Each body has an SSH connection of its own;
// idle ones are kept, up to 32 for a host and login, for 30 seconds.
//
// It implements [source.Source] and [source.Dialer]; a session is one SSH connection.
//
//   - The path is absolute; sftp://host/~/x is relative to where the login leads. A control character in it is an error
//     of KindMalformed, a directory one of KindStatus.
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
	start := time.Now()
	t, err := parse(rawURL)
	if err != nil {
		return nil, driver.Failed("open", rawURL, err)
	}
	for {
		res, err := s.try(ctx, t, rng)
		if errors.Is(err, errStale) {
			continue // each is taken from the idle ones, of which there are not many
		}
		if err != nil {
			return nil, driver.Failed("open", rawURL, err)
		}
		res.Conn.Setup = time.Since(start)
		return res, nil
	}
}

// Dial makes a session for rawURL, with a connection of its own that is made by the first Open. A session opens other
// URLs as well, on a new connection if their host or login is another.
func (s *Source) Dial(_ context.Context, rawURL string) (source.Session, error) {
	if _, err := parse(rawURL); err != nil {
		return nil, driver.Failed("dial", rawURL, err)
	}
	own := &Source{opts: s.opts, times: s.times, config: s.config}
	own.pool.Max = 1
	return driver.NewSession(own), nil
}

// CloseIdleConnections closes the connections that carry no body at the moment.
func (s *Source) CloseIdleConnections() { s.pool.CloseIdle() }
