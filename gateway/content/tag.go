package content

import (
	"encoding/base64"
	"strings"

	"spate/format/checksum"
	"spate/source"
)

// weak is how a weak entity tag begins (RFC 9110 §8.8.3).
const weak = "W/"

// tagOf is the entity tag of what info tells of, "" for none: that of the origin as it is, else one of a digest, else one of
// whatever else tells versions apart, and is no date: that is for Last-Modified. None is made up.
func tagOf(info *source.Info) string {
	for _, tag := range []string{info.ETag, info.Validator} {
		if isTag(tag) {
			return tag
		}
	}
	for _, d := range info.Digests {
		if d.Algorithm == checksum.SHA256 {
			return `"sha256-` + base64.StdEncoding.EncodeToString(d.Value) + `"`
		}
	}
	opaque, isWeak := strings.CutPrefix(info.Validator, weak)
	if opaque == "" || strings.HasPrefix(opaque, source.Dated) {
		return ""
	}
	tag := `"` + opaque + `"`
	if isWeak {
		tag = weak + tag
	}
	if !isTag(tag) {
		return ""
	}
	return tag
}

func isStrong(tag string) bool { return tag != "" && !strings.HasPrefix(tag, weak) }

func isTag(s string) bool {
	_, rest, ok := cutTag(s)
	return ok && rest == ""
}

// cutTag takes an entity tag off the beginning of s.
func cutTag(s string) (tag, rest string, ok bool) {
	opaque, quoted := strings.CutPrefix(strings.TrimPrefix(s, weak), `"`)
	if !quoted {
		return "", s, false
	}
	for i := range len(opaque) {
		switch c := opaque[i]; {
		case c == '"':
			rest = opaque[i+1:]
			return s[:len(s)-len(rest)], rest, true
		case c <= ' ' || c == 0x7f:
			return "", s, false
		}
	}
	return "", s, false
}

// parseTags reads a list of entity tags (RFC 9110 §5.6.1); one that is malformed anywhere has none.
func parseTags(list string) (tags []string) {
	for list = strings.Trim(list, " \t,"); list != ""; {
		tag, rest, ok := cutTag(list)
		if !ok {
			return nil
		}
		tags = append(tags, tag)
		rest = strings.TrimLeft(rest, " \t")
		if rest != "" && rest[0] != ',' {
			return nil
		}
		list = strings.TrimLeft(rest, " \t,")
	}
	return tags
}

// isSameStrongly and isSameWeakly are the two comparisons of RFC 9110 §8.8.3.2.
func isSameStrongly(a, b string) bool { return isStrong(a) && a == b }

func isSameWeakly(a, b string) bool {
	return a != "" && strings.TrimPrefix(a, weak) == strings.TrimPrefix(b, weak)
}
