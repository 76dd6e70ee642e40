// Package redact takes secrets out of URLs before they are shown.
//
// It is meant for log lines and error messages, where a URL may come from anywhere and need not be one: it works on
// the text and keeps everything that is no secret as it was written. Where it has to guess, it hides too much.
package redact

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// mask stands where a secret was.
const mask = "xxxxx"

// maxNesting bounds how deep URLs within query values are followed; what is nested deeper is hidden whole.
const maxNesting = 4

// URL returns s with the password of its userinfo and the secret-looking values of its path, query and fragment
// replaced by "xxxxx". URLs within the path and within query values are treated in the same way. A user name without a
// password is kept. s may be malformed: where it has no "scheme://host" to tell the userinfo by, all that stands
// between a colon and the last '@' is taken for a password; in a path that begins with a slash or a dot, within each
// element.
//
// A value is taken for a secret by its key, in upper or lower case: if one of the key's words is auth, code, key, pass,
// policy, pw, sas, sid, sig or the like (as in "api-key", "userPass", "key2"), if it contains token, secret,
// signature, password, credential, session or the like, and if it begins with X-Amz- or X-Goog-. Values of the path
// are those of ";key=value".
func URL(s string) string { return redact(s, 0) }

func redact(s string, depth int) string {
	s, fragment, hasFragment := strings.Cut(hidePasswords(s), "#")
	s, query, hasQuery := strings.Cut(s, "?")
	s = hideParameters(s, depth)
	if hasQuery {
		s += "?" + hideValues(query, depth)
	}
	if hasFragment {
		s += "#" + hideValues(fragment, depth)
	}
	return s
}

// hideParameters treats the ";key=value" pairs of a path's elements.
func hideParameters(path string, depth int) string {
	elements := strings.Split(path, "/")
	for i, e := range elements {
		if name, pairs, ok := strings.Cut(e, ";"); ok {
			elements[i] = name + ";" + hideValues(pairs, depth)
		}
	}
	return strings.Join(elements, "/")
}

// hideValues treats the key=value pairs of a query; both & and ; separate them.
func hideValues(query string, depth int) string {
	var b strings.Builder
	for query != "" {
		end := strings.IndexAny(query, "&;")
		if end < 0 {
			end = len(query)
		}
		b.WriteString(hideValue(query[:end], depth))
		if end < len(query) {
			b.WriteByte(query[end])
			end++
		}
		query = query[end:]
	}
	return b.String()
}

func hideValue(pair string, depth int) string {
	key, value, ok := strings.Cut(pair, "=")
	switch {
	case !ok || value == "":
		return pair
	case secretKey(unescape(key)):
		return key + "=" + mask
	}
	return key + "=" + nested(value, depth+1)
}

// nested redacts a value that may be a URL, escaped or not. A value without a secret stays as it was written.
func nested(value string, depth int) string {
	plain := unescape(value)
	if !strings.ContainsAny(plain, "?#@=%") {
		return value
	}
	if depth > maxNesting {
		return mask
	}
	hidden := redact(plain, depth)
	switch {
	case hidden == plain:
		return value
	case plain == value:
		return hidden
	}
	return url.QueryEscape(hidden)
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// What makes a key secret: as one of its words, anywhere in it, and at its start.
var (
	secretWords = []string{"auth", "bearer", "code", "cookie", "cred", "creds", "jwt", "key", "otp", "pass", "policy", "pw",
		"sas", "sess", "sid", "sig"}
	secretParts = []string{"accesskey", "apikey", "authkey", "authoriz", "credential", "hmac", "oauth", "passcode",
		"passphrase", "passw", "privatekey", "pwd", "secret", "sessid", "session", "signature", "token"}
	secretPrefixes = []string{"x-amz-", "x-goog-"}
)

func secretKey(key string) bool {
	lower := strings.ToLower(key)
	return slices.ContainsFunc(secretPrefixes, func(p string) bool { return strings.HasPrefix(lower, p) }) ||
		slices.ContainsFunc(secretParts, func(p string) bool { return strings.Contains(lower, p) }) ||
		slices.ContainsFunc(words(key), func(w string) bool { return slices.Contains(secretWords, w) })
}

// words are the words of a key in lower case: user and pass of "user-pass", "userPass" and "user2Pass".
func words(key string) []string {
	var b strings.Builder
	var last rune
	for _, r := range key {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return r < 'a' || r > 'z' })
}
