package sftpsource

import (
	"cmp"
	"errors"
	"net"
	"os"
	"os/user"
	"strings"

	"spate/source"
	"spate/source/driver"
)

// A host is a place with all that the configuration says of it.
type host struct {
	place
	addr       string   // what to connect to
	keyAddr    string   // what its key is known by
	known      []string // files; the first gets new keys
	identities []string // files that the configuration names
	usual      []string // those that are tried otherwise
	only       bool     // no keys of the agent but those of identities
	agent      string   // its socket; "" for none
	acceptNew  bool
	accept     []string // fingerprints
	jumps      []string // from here on
}

// host finds out what the configuration says of p.
func (s *Source) host(p place) (*host, error) {
	c, err := s.config.load()
	if err != nil {
		return nil, err
	}
	if !p.named && (p.user == "" || !p.hasPassword) {
		return nil, refused("has no user and password in its URL")
	}
	alias := p.host
	h := &host{place: p}
	h.user = cmp.Or(p.user, c.get(alias, "User"), userName())
	h.port = cmp.Or(p.port, c.get(alias, "Port"), "22")
	tokens := map[byte]string{'h': alias, 'n': alias, 'p': h.port, 'r': h.user, 'u': userName()}
	name := alias
	if n := c.get(alias, "HostName"); n != "" {
		name = expand(n, tokens)
	}
	tokens['h'] = name
	h.addr = net.JoinHostPort(name, h.port)
	h.keyAddr = h.addr
	if a := c.get(alias, "HostKeyAlias"); a != "" {
		h.keyAddr = net.JoinHostPort(a, "22")
	}
	if cmd := c.get(alias, "ProxyCommand"); cmd != "" && !strings.EqualFold(cmd, "none") {
		return nil, driver.Classed(source.KindLocal, errors.New("ProxyCommand of the SSH configuration is not supported; ProxyJump is"))
	}
	if jump := c.get(alias, "ProxyJump"); jump != "" && !strings.EqualFold(jump, "none") {
		h.jumps = strings.Split(jump, ",")
	}
	if !p.named && len(h.jumps) > 0 {
		return nil, refused("is behind the ProxyJump of the SSH configuration")
	}
	h.acceptNew = p.named && (s.opts.AcceptNew || c.says(alias, "StrictHostKeyChecking", "accept-new", "no", "off"))
	h.accept = s.opts.AcceptKeys
	s.setKnown(h, c, tokens)
	s.setIdentities(h, c, tokens)
	return h, nil
}

// refused is why a host that the user has not named is not gone to.
func refused(why string) error {
	return driver.Classed(source.KindRefused, errors.New("keys are for hosts that the command line or a local manifest names, and this one "+why))
}

func (s *Source) setKnown(h *host, c settings, tokens map[byte]string) {
	names := s.opts.KnownHosts
	if names == nil {
		user := cmp.Or(c.get(h.place.host, "UserKnownHostsFile"), "~/.ssh/known_hosts ~/.ssh/known_hosts2")
		global := cmp.Or(c.get(h.place.host, "GlobalKnownHostsFile"), "/etc/ssh/ssh_known_hosts")
		names = append(strings.Fields(user), strings.Fields(global)...)
	}
	h.known = expandAll(names, tokens)
}

func (s *Source) setIdentities(h *host, c settings, tokens map[byte]string) {
	alias := h.place.host
	named := s.opts.IdentityFiles
	if named == nil {
		named = c.list(alias, "IdentityFile")
	}
	h.identities = expandAll(named, tokens)
	if named == nil {
		h.usual = expandAll([]string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}, tokens)
	}
	h.only = c.says(alias, "IdentitiesOnly", "yes")
	h.agent = cmp.Or(s.opts.AgentSocket, c.get(alias, "IdentityAgent"), "SSH_AUTH_SOCK")
	switch {
	case h.agent == "none":
		h.agent = ""
	case h.agent == "SSH_AUTH_SOCK":
		h.agent = os.Getenv("SSH_AUTH_SOCK")
	case strings.HasPrefix(h.agent, "$"):
		h.agent = os.Getenv(strings.Trim(h.agent[1:], "{}"))
	default:
		h.agent = expand(h.agent, tokens)
	}
}

// expandAll leaves out "none".
func expandAll(names []string, tokens map[byte]string) []string {
	var all []string
	for _, name := range names {
		if !strings.EqualFold(name, "none") {
			all = append(all, expand(unquote(name), tokens))
		}
	}
	return all
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return os.Getenv("USER")
}
