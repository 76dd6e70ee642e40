package conn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"spate/source"
	"spate/source/driver"
)

// ParseURL reads a URL of one of schemes that names a host, maybe a user, and a path, which is still escaped. Its
// error is of KindMalformed, and does not repeat the URL.
func ParseURL(rawURL string, schemes ...string) (*url.URL, error) {
	if err := driver.CheckURL(rawURL); err != nil {
		return nil, driver.Classed(source.KindMalformed, err)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok {
			err = ue.Err
		}
		return nil, driver.Classed(source.KindMalformed, fmt.Errorf("malformed URL: %w", err))
	}
	u.Fragment, u.RawFragment = "", "" // is never sent nor told
	return u, check(u, schemes)
}

func check(u *url.URL, schemes []string) error {
	known := false
	for _, s := range schemes {
		known = known || u.Scheme == s
	}
	switch {
	case !known:
		return driver.Classed(source.KindMalformed, fmt.Errorf("no support for scheme %q", u.Scheme))
	case u.Opaque != "" || u.Hostname() == "":
		return malformed("no host in it")
	case u.RawQuery != "" || u.ForceQuery:
		return malformed("a URL of this scheme has no query (a ? in a name is written %3F)")
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return malformed(fmt.Sprintf("no such port as %q", port))
		}
	}
	password, _ := u.User.Password()
	if hasControl(u.Host) || hasControl(u.User.Username()) || hasControl(password) {
		return malformed("a control character in it")
	}
	return nil
}

// Unescape decodes a path, or a part of one, of which an origin is to be told.
func Unescape(path string) (string, error) {
	plain, err := url.PathUnescape(path)
	if err != nil {
		return "", driver.Classed(source.KindMalformed, fmt.Errorf("malformed URL: %w", err))
	}
	if hasControl(plain) {
		return "", malformed("a control character in its path")
	}
	return plain, nil
}

// hasControl finds what would end a command, or a name, before its end.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// HostPort is the host of u and its port, which is def where u names none.
func HostPort(u *url.URL, def string) string {
	port := u.Port()
	if port == "" {
		port = def
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// WithoutFragment is rawURL as it may be told.
func WithoutFragment(rawURL string) string {
	u, _, _ := strings.Cut(rawURL, "#")
	return u
}

func malformed(why string) error {
	return driver.Classed(source.KindMalformed, errors.New("malformed URL: "+why))
}
