package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spate/source"
	"spate/source/filesource"
)

// A Policy says what may be asked for, and where its bytes may come from. Its zero value is for a gateway that only its
// user can reach: everything that the user could reach, but for files. It must not be changed once it is in use.
type Policy struct {
	// Public says that others can ask. Then no connection is made to an address that is not of the public internet, other
	// than to hosts of Named, and what is asked for by its URL has to be of Hosts.
	Public bool
	// Hosts are those of which URLs may be asked for: "example.org", or "*.example.org" for those below it; a port, where
	// there is one, has to be the URL's. None: all, or none if Public.
	Hosts []string
	// Named are URLs that the operator has named: they may be opened, and their hosts connected to, wherever they are.
	Named []string
	// Dirs are folders; the files below them may be read. Others may not, but for those of Named.
	Dirs []string
}

var (
	errHost    = errors.New("URLs of this host are not served here")
	errFile    = errors.New("files outside of the folders that are allowed are not served")
	errAddress = errors.New("the address is not one of the public internet")
)

// AllowURL reports whether rawURL may be asked for by whoever can reach the gateway; its error is of
// [source.KindRefused], or of KindMalformed.
func (p *Policy) AllowURL(rawURL string) error {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return refused(rawURL, source.KindMalformed, errors.New("it is no URL"))
	case slices.Contains(p.Named, rawURL):
		return nil
	case isFile(u):
		return p.allowFile(rawURL, u)
	case !p.Public && len(p.Hosts) == 0:
		return nil
	case slices.ContainsFunc(p.Hosts, func(pattern string) bool { return matches(pattern, u) }):
		return nil
	}
	return refused(rawURL, source.KindRefused, errHost)
}

func refused(rawURL string, kind source.Kind, err error) error {
	return &source.Error{Op: "open", URL: rawURL, Kind: kind, Err: err}
}

func isFile(u *url.URL) bool { return strings.EqualFold(u.Scheme, "file") }

// matches reports whether u is of a host that pattern stands for.
func matches(pattern string, u *url.URL) bool {
	host, port, err := net.SplitHostPort(pattern)
	if err != nil {
		host, port = strings.Trim(pattern, "[]"), ""
	}
	if port != "" && port != portOf(u) {
		return false
	}
	if below, ok := strings.CutPrefix(host, "*."); ok {
		_, parent, _ := strings.Cut(u.Hostname(), ".")
		for ; parent != ""; _, parent, _ = strings.Cut(parent, ".") {
			if strings.EqualFold(parent, below) {
				return true
			}
		}
		return false
	}
	return strings.EqualFold(host, u.Hostname())
}

var defaultPorts = map[string]string{"http": "80", "https": "443", "ftp": "21", "ftps": "990", "sftp": "22", "ssh": "22", "scp": "22", "peer": "5100"}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return defaultPorts[strings.ToLower(u.Scheme)]
}

// AllowAddr reports whether host, which is at addr, may be connected to: a [driver.Allow] of every driver.
func (p *Policy) AllowAddr(host string, addr netip.AddrPort) error {
	if !p.Public || IsPublic(addr.Addr()) {
		return nil
	}
	for _, named := range p.Named {
		u, err := url.Parse(named)
		if err == nil && strings.EqualFold(u.Hostname(), host) && portOf(u) == fmt.Sprint(addr.Port()) {
			return nil
		}
	}
	return errAddress
}

// special are networks that are not of the public internet, beside those that package netip knows (RFC 6890 and its
// registries), and those that stand for addresses of IPv4. Of IPv6, all beyond globalUnicast are.
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // between customers and their provider
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("192.88.99.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("3fff::/20"),
}

// globalUnicast is what IANA gives out of IPv6 (RFC 4291 §2.4). All else is special, or may become so.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// IsPublic reports whether addr is one of the public internet.
func IsPublic(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr.IsGlobalUnicast() && (addr.Is4() || globalUnicast.Contains(addr)) && !addr.IsPrivate() &&
		!slices.ContainsFunc(special, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// Wrap is src, of whose files only those may be opened that p allows. It forwards Dial.
func (p *Policy) Wrap(src source.Source) source.Source { return guarded{src, p} }

type guarded struct {
	source.Source
	policy *Policy
}

func (g guarded) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	u, isBelow := g.policy.belowDirs(rawURL)
	if !isBelow {
		return g.Source.Open(ctx, rawURL, rng)
	}
	dir, name, err := g.policy.find(rawURL, u)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return filesource.OpenIn(ctx, dir, name, rawURL, rng)
}

func (g guarded) Dial(ctx context.Context, rawURL string) (source.Session, error) {
	if _, isBelow := g.policy.belowDirs(rawURL); isBelow {
		return source.Dial(ctx, struct{ source.Source }{g}, rawURL) // each Open of the session is one of g
	}
	return source.Dial(ctx, g.Source, rawURL)
}

// belowDirs reports whether rawURL, which a manifest may have named, is of a file that has to be below one of Dirs.
func (p *Policy) belowDirs(rawURL string) (u *url.URL, ok bool) {
	u, err := url.Parse(rawURL)
	return u, err == nil && isFile(u) && !slices.Contains(p.Named, rawURL) // else the driver says what is wrong
}

// allowFile reports whether a file may be asked for.
func (p *Policy) allowFile(rawURL string, u *url.URL) error {
	dir, _, err := p.find(rawURL, u)
	if err != nil {
		return err
	}
	return dir.Close()
}

// find is the one of Dirs that a file is in, which is to be closed, and where there it is. Links are followed: what counts is where the
// file is. Whoever opens name in dir gets nothing else, whatever becomes of the links meanwhile.
func (p *Policy) find(rawURL string, u *url.URL) (dir *os.Root, name string, err error) {
	path, err := filepath.EvalSymlinks(filepath.FromSlash(u.Path))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, "", refused(rawURL, source.KindRefused, errFile)
	}
	if err != nil {
		path = filepath.Clean(filepath.FromSlash(u.Path))
	}
	for _, allowed := range p.Dirs {
		allowed, err := filepath.EvalSymlinks(allowed)
		if err != nil {
			continue
		}
		if name, ok := below(allowed, path); ok {
			dir, err := os.OpenRoot(allowed)
			if err != nil {
				return nil, "", refused(rawURL, source.KindLocal, err)
			}
			return dir, name, nil
		}
	}
	return nil, "", refused(rawURL, source.KindRefused, errFile)
}

// below is where in dir path is.
func below(dir, path string) (name string, ok bool) {
	rel, err := filepath.Rel(dir, path)
	return rel, err == nil && filepath.IsLocal(rel)
}
