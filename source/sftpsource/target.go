package sftpsource

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// A target is a URL in the terms of SFTP.
type target struct {
	rawURL string
	place  place
	path   string
}

// A place is what a URL, or a hop of ProxyJump, says of where to log in.
type place struct {
	host, port  string // port "": not said
	user        string // "": not said
	password    string
	hasPassword bool
	named       bool // by the user: who the user is may be told there
}

// schemes are three names of the same.
var schemes = []string{"sftp", "ssh", "scp"}

func (s *Source) parse(rawURL string) (target, error) {
	u, err := conn.ParseURL(rawURL, schemes...)
	if err != nil {
		return target{}, err
	}
	u.Scheme = schemes[0]
	if err := s.who.Complete(u); err != nil {
		return target{}, err
	}
	t := target{rawURL: rawURL, place: placeOf(u)}
	t.place.named = s.who.IsNamed(u)
	if t.path, err = conn.Unescape(u.EscapedPath()); err != nil {
		return target{}, err
	}
	if home, ok := strings.CutPrefix(t.path, "/~/"); ok {
		t.path = strings.TrimLeft(home, "/")
	}
	if strings.Trim(t.path, "/") == "" || t.path == "/~" {
		return target{}, driver.Classed(source.KindMalformed, errors.New("malformed URL: no file in it"))
	}
	return t, nil
}

func placeOf(u *url.URL) place {
	p := place{host: u.Hostname(), port: u.Port(), user: u.User.Username()}
	p.password, p.hasPassword = u.User.Password()
	return p
}

// key is the same for what one connection can fetch.
func (p place) key() string {
	return strings.Join([]string{p.host, p.port, p.user, p.password, fmt.Sprint(p.hasPassword, p.named)}, "\x00")
}

// parseHop reads [user@]host[:port] or ssh://[user@]host[:port].
func parseHop(hop string) (place, error) {
	if !strings.Contains(hop, "://") {
		hop = "ssh://" + hop
	}
	u, err := conn.ParseURL(hop, "ssh")
	if err != nil {
		return place{}, driver.Classed(source.KindLocal, errors.New("ProxyJump of the SSH configuration is not understood"))
	}
	return placeOf(u), nil
}
