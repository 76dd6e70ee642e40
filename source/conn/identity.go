package conn

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"spate/source"
	"spate/source/driver"
)

// Origins tells the URLs of which scheme, host and port are those of one of urls; what is none of schemes is left out.
// The port that a scheme has is to be written out in both, or in neither: what the configuration of SSH calls a host may be
// at another.
func Origins(urls []string, schemes ...string) func(*url.URL) bool {
	var all []*url.URL
	for _, raw := range urls {
		if u, err := ParseURL(raw, schemes...); err == nil {
			all = append(all, u)
		}
	}
	return func(u *url.URL) bool {
		return slices.ContainsFunc(all, func(o *url.URL) bool {
			return o.Scheme == u.Scheme && strings.EqualFold(o.Hostname(), u.Hostname()) && o.Port() == u.Port()
		})
	}
}

// An Identity is who the user is.
type Identity struct {
	Named func(*url.URL) bool             // the origins that may know; nil: none
	Login func(host string) *url.Userinfo // nil, or an answer of nil: nobody
}

// IsNamed reports whether u may know.
func (i Identity) IsNamed(u *url.URL) bool { return i.Named != nil && i.Named(u) }

// Complete gives u the user and password that there are for its host, if it has none itself and may know. One that has
// a user, and no password, gets that of the same user.
func (i Identity) Complete(u *url.URL) error {
	if _, has := u.User.Password(); has || i.Login == nil || !i.IsNamed(u) {
		return nil
	}
	who := i.Login(u.Hostname())
	if who.Username() == "" || u.User.Username() != "" && u.User.Username() != who.Username() {
		return nil
	}
	if password, _ := who.Password(); hasControl(who.Username()) || hasControl(password) {
		return driver.Classed(source.KindLocal, errors.New("a control character in the user name or password"))
	}
	u.User = who
	return nil
}
