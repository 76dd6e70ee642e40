package content

import (
	"net/http"
	"strings"
	"time"

	"spate/source"
)

// settled is the age from which a date is taken to be a strong validator where nothing says when the origin told it. RFC 9110
// §8.8.2.2 wants a second between the two by the origin's clock; this is the minute of RFC 7232 §2.2.2, which allows for
// ours. Drivers take the same.
const settled = time.Minute

// precondition evaluates the conditions of a GET or HEAD in the order of RFC 9110 §13.2.2: 412 or 304 where that is the
// answer, else 0.
func (rep *representation) precondition(h http.Header) int {
	if h.Values("If-Match") != nil {
		if !rep.matches(h.Values("If-Match"), isSameStrongly) {
			return http.StatusPreconditionFailed
		}
	} else if t, ok := rep.date(h, "If-Unmodified-Since"); ok && rep.modified.After(t) {
		return http.StatusPreconditionFailed
	}
	if h.Values("If-None-Match") != nil {
		if rep.matches(h.Values("If-None-Match"), isSameWeakly) {
			return http.StatusNotModified
		}
	} else if t, ok := rep.date(h, "If-Modified-Since"); ok && !rep.modified.After(t) {
		return http.StatusNotModified
	}
	return 0
}

// matches reports whether one of the tags in lines is that of rep, as same has it; "*" is any, and also none.
func (rep *representation) matches(lines []string, same func(a, b string) bool) bool {
	list := strings.Join(lines, ",")
	if strings.Trim(list, " \t") == "*" {
		return true
	}
	for _, tag := range parseTags(list) {
		if same(tag, rep.tag) {
			return true
		}
	}
	return false
}

// date is that of a condition; ok is false where it is to be ignored, as it is no single date or rep has none to compare.
func (rep *representation) date(h http.Header, field string) (t time.Time, ok bool) {
	lines := h.Values(field)
	if len(lines) != 1 || rep.modified.IsZero() {
		return t, false
	}
	t, err := http.ParseTime(lines[0])
	return t, err == nil
}

// rangeStands evaluates If-Range (RFC 9110 §13.1.5): false means that Range is to be ignored.
func (rep *representation) rangeStands(h http.Header) bool {
	lines := h.Values("If-Range")
	if len(lines) != 1 {
		return lines == nil
	}
	if isTag(lines[0]) {
		return isSameStrongly(lines[0], rep.tag)
	}
	t, ok := rep.date(h, "If-Range")
	return ok && t.Equal(rep.modified) && isDateStrong(&rep.Info)
}

// isDateStrong reports whether the bytes cannot have changed twice within the second of info.ModTime (RFC 9110 §8.8.2.2), as
// far as anybody knows.
func isDateStrong(info *source.Info) bool {
	if opaque := strings.TrimPrefix(info.Validator, weak); strings.HasPrefix(opaque, source.Dated) {
		return info.HasStrongValidator()
	}
	return time.Since(info.ModTime) >= settled
}
