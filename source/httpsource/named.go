package httpsource

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Origins is what [Options].Named can be: it tells the URLs of which scheme, host and port are those of one of urls.
func Origins(urls ...string) func(*url.URL) bool {
	var all []*url.URL
	for _, raw := range urls {
		if u, err := parse(raw); err == nil {
			all = append(all, u)
		}
	}
	return func(u *url.URL) bool {
		return slices.ContainsFunc(all, func(o *url.URL) bool { return sameOrigin(o, u) })
	}
}

func (s *Source) isNamed(u *url.URL) bool { return s.opts.Named != nil && s.opts.Named(u) }

// identify adds to req, a request for u, who asks: what u says itself, and for a named origin what the Options have.
func (s *Source) identify(req *http.Request, u *url.URL) {
	user, named := u.User, s.isNamed(u)
	if user == nil && named && s.opts.Login != nil {
		user = s.opts.Login(u.Hostname())
	}
	if user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	if !named {
		return
	}
	setAll(req.Header, s.opts.Private)
	if given := req.Header["Cookie"]; len(given) > 1 {
		req.Header.Set("Cookie", strings.Join(given, "; "))
	}
	for _, c := range s.cookies(u) {
		req.AddCookie(c)
	}
}

// setAll puts the fields of from into h, in place of those of the same name; one without values is not sent.
func setAll(h, from http.Header) {
	for name, values := range from {
		switch {
		case len(values) > 0:
			h[name] = slices.Clone(values)
		case name == "User-Agent":
			h[name] = []string{""} // net/http would have one of its own
		default:
			delete(h, name)
		}
	}
}

// cookies are those of the jar for u.
func (s *Source) cookies(u *url.URL) []*http.Cookie {
	if s.opts.Jar == nil || !s.isNamed(u) {
		return nil
	}
	return s.opts.Jar.Cookies(u)
}

// keepCookies puts those of an answer of u into the jar.
func (s *Source) keepCookies(u *url.URL, resp *http.Response) {
	if s.opts.Jar == nil || !s.isNamed(u) {
		return
	}
	if all := resp.Cookies(); len(all) > 0 {
		s.opts.Jar.SetCookies(u, all)
	}
}

// A visit is what tells one request of a chain of redirects from another: an origin may well redirect to the same URL
// once it has handed out a cookie.
type visit struct {
	url     *url.URL
	cookies string
}

func (v visit) isSame(o visit) bool {
	return v.cookies == o.cookies && v.url.String() == o.url.String()
}

// cookieText is the cookies for u as one text.
func (s *Source) cookieText(u *url.URL) string {
	var b strings.Builder
	for _, c := range s.cookies(u) {
		b.WriteString("\n" + c.Name + "=" + c.Value)
	}
	return b.String()
}
