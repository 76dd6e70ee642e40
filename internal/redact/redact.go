// Package redact takes secrets out of URLs before they are shown.
//
// It is meant for log lines and error messages, where a URL may come from anywhere and need not be one: it works on
// the text and keeps everything that is no secret as it was written. Where it has to guess, it hides too much.
package redact

import (
	"net/url"
	"strings"
)

// mask stands where a secret was.
const mask = "xxxxx"

// maxNesting bounds how deep URLs within query values are followed; what is nested deeper is hidden whole.
const maxNesting = 4

// URL returns s with the password of its userinfo and the secret-looking values of its query and fragment replaced
// by "xxxxx". URLs within the path and within query values are treated in the same way. A user name without a
// password is kept. s may be malformed.
//
// A value is taken for a secret by its key, in upper or lower case: if one of the key's words is auth, jwt, key,
// pass, pwd, sid or sig (as in "api-key"), if it contains token, secret, signature, password, credential, session or
// the like, and if it begins with X-Amz- or X-Goog-.
func URL(s string) string { return redact(s, 0) }

func redact(s string, depth int) string {
	s, fragment, hasFragment := strings.Cut(hidePasswords(s), "#")
	s, query, hasQuery := strings.Cut(s, "?")
	if hasQuery {
		s += "?" + hideValues(query, depth)
	}
	if hasFragment {
		s += "#" + hideValues(fragment, depth)
	}
	return s
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

// Words that make a key secret: as one of its words, anywhere in it, and at its start.
var (
	secretWords    = []string{"auth", "jwt", "key", "pass", "pwd", "sid", "sig"}
	secretParts    = []string{"accesskey", "apikey", "authoriz", "credential", "hmac", "oauth", "passphrase", "passw", "secret", "session", "signature", "token"}
	secretPrefixes = []string{"x-amz-", "x-goog-"}
)

func secretKey(key string) bool {
	key = strings.ToLower(key)
	for _, p := range secretPrefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	for _, p := range secretParts {
		if strings.Contains(key, p) {
			return true
		}
	}
	for _, word := range strings.FieldsFunc(key, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		for _, w := range secretWords {
			if word == w {
				return true
			}
		}
	}
	return false
}
