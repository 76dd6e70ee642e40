package redact

import (
	"regexp"
	"strings"
)

// hidePasswords masks the password in front of every host in s: of the URL itself and of those embedded in it.
func hidePasswords(s string) string {
	s = hideInAuthorities(s)
	switch {
	case evident.MatchString(s):
		return s
	case isPath(s):
		return hideInElements(s)
	}
	return hideWide(s)
}

// evident matches what shows by its form where a userinfo can be: a URL with an authority, and a file URL.
var evident = regexp.MustCompile(`^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/\\?#]|[Ff][Ii][Ll][Ee]:/)`)

func isPath(s string) bool { return strings.HasPrefix(strings.TrimLeft(s, "."), "/") }

// hideInElements masks all between a colon and the last '@' of each element of a path.
func hideInElements(path string) string {
	elements := strings.Split(path, "/")
	for i, e := range elements {
		elements[i] = hideWide(e)
	}
	return strings.Join(elements, "/")
}

// hideWide masks all between the first colon, unless it is that of "scheme:/", and the last '@'.
func hideWide(s string) string {
	at := strings.LastIndexByte(s, '@')
	for i := 0; i < at; i++ {
		if s[i] == ':' && s[i+1] != '/' && s[i+1:at] != "" {
			return s[:i+1] + mask + s[at:]
		}
	}
	return s
}

func hideInAuthorities(s string) string {
	var b strings.Builder
	for at := firstAuthority(s); ; {
		b.WriteString(s[:at])
		s = s[at:]
		from, to := password(s, at > 0 || b.Len() > 0)
		if to > from {
			b.WriteString(s[:from] + mask)
			s = s[to:]
		}
		next := strings.Index(s, "://")
		if next < 0 {
			b.WriteString(s)
			return b.String()
		}
		at = next + len("://")
	}
}

// firstAuthority is where the userinfo of s would begin: behind "scheme://" or "//", also where slashes are missing or
// too many, else at the start ("user:password@host", as people type it).
func firstAuthority(s string) int {
	colon := strings.IndexAny(s, ":/?#")
	at := 0
	if colon >= 0 && s[colon] == ':' {
		at = colon + 1
	}
	slashes := len(s[at:]) - len(strings.TrimLeft(s[at:], "/"))
	switch {
	case slashes == 0, at == 0 && slashes == 1: // the latter is a path
		return 0
	case slashes > 2: // file:///path has an empty authority
		return at + 2
	}
	return at + slashes
}

// password finds the password in s, which begins with an authority: s[from:to], empty if there is none. If sure, a
// slash stood before s: then an authority with an impossible port is taken for the start of a password that holds
// a character which should have been escaped.
func password(s string, sure bool) (from, to int) {
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	at := strings.LastIndexByte(s[:end], '@')
	if at < 0 && sure && !portLike(s[:end]) {
		at = lateAt(s, end)
	}
	if at < 0 {
		return 0, 0
	}
	colon := strings.IndexByte(s[:at], ':')
	if colon < 0 {
		return 0, 0
	}
	return colon + 1, at
}

// lateAt finds the '@' that ends a userinfo with unescaped slashes in it: the last one before the next slash.
func lateAt(s string, from int) int {
	first := strings.IndexByte(s[from:], '@')
	if first < 0 {
		return -1
	}
	first += from
	end := strings.IndexAny(s[first:], "/?#")
	if end < 0 {
		return strings.LastIndexByte(s, '@')
	}
	return strings.LastIndexByte(s[:first+end], '@')
}

// portLike reports whether host is a host with or without a port.
func portLike(host string) bool {
	if i := strings.LastIndexByte(host, ']'); i >= 0 {
		host = host[i+1:]
	}
	_, port, _ := strings.Cut(host, ":")
	return strings.Trim(port, "0123456789") == ""
}
