package httpsource

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"spate/source/driver"
)

// parse reads a URL that is to be opened. Its errors do not repeat the URL.
func parse(rawURL string) (*url.URL, error) {
	if err := driver.CheckURL(rawURL); err != nil {
		return nil, err
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("malformed URL: %w", withoutURL(err))
	}
	u.Fragment, u.RawFragment = "", "" // is never sent nor told
	return u, check(u)
}

// check refuses what parses but names no place.
func check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("no support for scheme %q", u.Scheme)
	case u.Opaque != "" || u.Hostname() == "":
		return errors.New("malformed URL: no host in it")
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return fmt.Errorf("malformed URL: no such port as %q", port)
		}
	}
	return nil
}

// withoutURL drops the URL that url.Error repeats.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

// sameOrigin reports whether credentials for a may be sent to b.
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return p
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
