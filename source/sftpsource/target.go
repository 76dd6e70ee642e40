package sftpsource

import (
	"errors"
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
}

func parse(rawURL string) (target, error) {
	u, err := conn.ParseURL(rawURL, "sftp", "ssh", "scp")
	if err != nil {
		return target{}, err
	}
	t := target{rawURL: rawURL, place: placeOf(u)}
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
	has := ""
	if p.hasPassword {
		has = "\x00"
	}
	return strings.Join([]string{p.host, p.port, p.user, p.password, has}, "\x00")
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
