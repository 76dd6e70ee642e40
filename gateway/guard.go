package gateway

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// A guard looks at who asks, before anything else is done.
type guard struct {
	public bool
	token  string // "": none is asked for
	front  *front // whose paths are an origin's; nil: all are ours
	entry  string // the path that links of other sites may lead to; "": there is none
}

// A denial is why a request is not answered.
type denial struct {
	status int
	why    string
}

func (d *denial) Error() string { return d.why }

// check is why r is not answered; nil if it is.
//
// A browser sends requests for any web site, to any address that its user can reach. It says so, by what no page can
// change: the Host is the name that the page used, Origin names the page where it is sent at all, and Sec-Fetch-Site says how
// the two are related, also where an image or a link is all that asks. What is not ours but an origin's that anybody can ask is as
// open to other sites as the origin itself; and a link may lead to our page, by which nothing begins.
func (g *guard) check(r *http.Request) error {
	switch {
	case r.Method == http.MethodConnect || !strings.HasPrefix(r.RequestURI, "/"):
		return &denial{http.StatusBadRequest, "this is no proxy: ask for /s/URL"}
	case !g.public && !isLoopback(r.Host):
		return &denial{http.StatusMisdirectedRequest, "the name in Host is not one of this machine's own"}
	case isForeign(r) && !g.isOpen(r):
		return &denial{http.StatusForbidden, "another web site asks"}
	case g.token != "" && !g.knows(r):
		return &denial{http.StatusUnauthorized, "the token is missing, or another"}
	}
	return nil
}

// inOriginForm is r with a target that is a path, also where it is a whole URL (RFC 9112 §3.2.2): net/http has taken the host of that then,
// in place of Host. What is no URL of a web server stays as it is.
func inOriginForm(r *http.Request) *http.Request {
	u := r.URL
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || r.Method == http.MethodConnect {
		return r
	}
	_, rest, _ := strings.Cut(r.RequestURI, "://")
	target := "/"
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		target = "/" + strings.TrimPrefix(rest[at:], "/")
	}
	path, err := url.ParseRequestURI(target)
	if err != nil {
		return r
	}
	out := r.WithContext(r.Context())
	out.RequestURI, out.URL = target, path
	return out
}

// isOpen reports whether r asks for what any page may have asked.
func (g *guard) isOpen(r *http.Request) bool {
	return g.isEntry(r) || g.public && g.token == "" && g.front != nil && g.front.has(r)
}

// isEntry reports whether somebody has followed a link to our page: it is shown on its own, and not in a frame.
func (g *guard) isEntry(r *http.Request) bool {
	return g.entry != "" && r.Method == http.MethodGet && r.URL.Path == g.entry &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// isLoopback reports whether host, which may have a port, is a name of this machine that nobody else can give it.
func isLoopback(host string) bool {
	u, err := url.Parse("//" + host)
	if err != nil || u.Host != host {
		return false
	}
	name := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	addr, err := netip.ParseAddr(name)
	if isIPv6 := err == nil && addr.Is6(); isIPv6 != strings.HasPrefix(host, "[") {
		return false
	}
	return name == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// isForeign reports whether a page of another site is what asks.
func isForeign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// knows reports whether r has the token, as a bearer's or as the password of basic authentication: that is what players
// can be given in a URL.
func (g *guard) knows(r *http.Request) bool {
	token, ok := bearer(r.Header.Get("Authorization"))
	if !ok {
		_, token, ok = r.BasicAuth()
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(g.token))
	return ok && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

func bearer(header string) (token string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	return strings.TrimSpace(token), strings.EqualFold(scheme, "Bearer")
}

// deny answers with why r is not.
func deny(w http.ResponseWriter, err error) {
	d, ok := errors.AsType[*denial](err)
	if !ok {
		d = &denial{http.StatusInternalServerError, "internal error"}
	}
	if d.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="spate", charset="UTF-8"`)
	}
	http.Error(w, d.why, d.status)
}
