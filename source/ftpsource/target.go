package ftpsource

import (
	"errors"
	"net/url"
	"path"
	"strconv"
	"strings"

	"spate/source"
	"spate/source/conn"
	"spate/source/driver"
)

// A target is a URL in the terms of FTP.
type target struct {
	rawURL string
	addr   string // host:port
	host   string
	user   string
	pass   string
	path   string // as RETR wants it; never empty
	name   string // where the URL's last element does not tell it: what was before ";type=i"
	tls    tlsMode
	named  bool // it may know who the user is
}

type tlsMode int

const (
	noTLS       tlsMode = iota
	explicitTLS         // AUTH TLS on the connection that is there
	implicitTLS         // from the first byte on
)

// implicitPort is that of ftps in the days before AUTH TLS.
const implicitPort = "990"

// parse reads a URL that is to be opened.
func (s *Source) parse(rawURL string) (target, error) {
	u, err := conn.ParseURL(rawURL, schemes...)
	if err != nil {
		return target{}, err
	}
	if err := s.who.Complete(u); err != nil {
		return target{}, err
	}
	t := target{rawURL: rawURL, addr: conn.HostPort(u, "21"), host: u.Hostname(), user: "anonymous", pass: "anonymous@"}
	t.named = s.who.IsNamed(u)
	if u.Scheme == "ftps" {
		t.tls = explicitTLS
		if u.Port() == implicitPort {
			t.tls = implicitTLS
		}
	}
	if name := u.User.Username(); name != "" {
		t.user = name
		t.pass, _ = u.User.Password()
	}
	return t, t.setPath(u)
}

// setPath takes the slash away that separates the path from the host, and the type.
func (t *target) setPath(u *url.URL) error {
	escaped := strings.TrimPrefix(u.EscapedPath(), "/")
	escaped, kind, typed := cutType(escaped)
	if typed && !strings.EqualFold(kind, "i") {
		return driver.Classed(source.KindMalformed, errors.New("malformed URL: of the types, only ;type=i gives bytes as they are"))
	}
	var err error
	if t.path, err = conn.Unescape(escaped); err != nil {
		return err
	}
	if strings.Trim(t.path, "/") == "" {
		return driver.Classed(source.KindMalformed, errors.New("malformed URL: no file in it"))
	}
	if typed {
		t.name = path.Base(t.path)
	}
	return nil
}

// cutType cuts ";type=X" off (RFC 1738 §3.2.2).
func cutType(escaped string) (before, kind string, found bool) {
	const typ = ";type="
	i := len(escaped) - len(typ) - 1
	if i < 0 || !strings.EqualFold(escaped[i:i+len(typ)], typ) {
		return escaped, "", false
	}
	return escaped[:i], escaped[i+len(typ):], true
}

// key is the same for what one control connection can fetch.
func (t *target) key() string {
	return strings.Join([]string{t.addr, t.user, t.pass, strconv.Itoa(int(t.tls)), strconv.FormatBool(t.named)}, "\x00")
}
