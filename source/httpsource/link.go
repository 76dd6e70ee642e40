package httpsource

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"spate/source"
)

// What is kept of the links of an answer, and of all that redirected to it.
const (
	maxLinks    = 64
	maxLinkText = 16 << 10 // bytes of their URLs
)

// appendLinks appends to all those of Link (RFC 8288) that tell where else the bytes are, and what describes them (RFC
// 6249), as far as there is room; base is the URL of the answer. What is malformed is ignored, with all that follows it
// in its line.
func appendLinks(all []source.Link, h http.Header, base *url.URL) []source.Link {
	text := 0
	for _, l := range all {
		text += len(l.URL)
	}
	for _, line := range h.Values("Link") {
		for line != "" {
			ref, params, rest, ok := cutLink(line)
			if !ok {
				break
			}
			line = rest
			l, ok := newLink(ref, params, base)
			if !ok {
				continue
			}
			if text += len(l.URL); len(all) == maxLinks || text > maxLinkText {
				return all
			}
			all = append(all, l)
		}
	}
	return all
}

// cutLink cuts the first link-value off a line: its reference and its parameters, of which the first of a name counts.
func cutLink(line string) (ref string, params map[string]string, rest string, ok bool) {
	line = strings.TrimLeft(line, ", \t")
	if !strings.HasPrefix(line, "<") {
		return "", nil, "", false
	}
	ref, line, ok = strings.Cut(line[1:], ">")
	params = map[string]string{}
	for ok {
		line = strings.TrimLeft(line, " \t")
		if line == "" || line[0] == ',' {
			return ref, params, line, true
		}
		if line[0] != ';' {
			return "", nil, "", false
		}
		var name, value string
		if name, value, line, ok = cutParam(line[1:]); ok && name != "" {
			if _, twice := params[name]; !twice {
				params[name] = value
			}
		}
	}
	return "", nil, "", false
}

// cutParam cuts "name", "name=token" or "name="quoted"" off; the name is in lower case.
func cutParam(s string) (name, value, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	end := strings.IndexAny(s, "=;, \t")
	if end < 0 {
		return strings.ToLower(s), "", "", true
	}
	name, s = strings.ToLower(s[:end]), strings.TrimLeft(s[end:], " \t")
	if !strings.HasPrefix(s, "=") {
		return name, "", s, true
	}
	s = strings.TrimLeft(s[1:], " \t")
	if strings.HasPrefix(s, `"`) {
		value, rest, ok = cutQuoted(s[1:])
		return name, value, rest, ok
	}
	if end = strings.IndexAny(s, ";, \t"); end < 0 {
		end = len(s)
	}
	return name, s[:end], s[end:], true
}

// cutQuoted cuts a quoted-string off (RFC 9110 §5.6.4), behind its first quote.
func cutQuoted(s string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

// newLink is what the parameters make of ref; ok is false for what is of no use here. A link with an anchor is about
// something else.
func newLink(ref string, params map[string]string, base *url.URL) (l source.Link, ok bool) {
	rel := relation(params["rel"])
	if _, elsewhere := params["anchor"]; elsewhere || rel == "" {
		return l, false
	}
	u, err := url.Parse(ref)
	if err != nil {
		return l, false
	}
	u = base.ResolveReference(u)
	u.Fragment, u.RawFragment = "", ""
	if u.Hostname() == "" || u.Opaque != "" || u.Scheme == "file" {
		return l, false
	}
	l = source.Link{Rel: rel, URL: u.String(), MediaType: mediaType(params["type"])}
	if rel == source.RelDuplicate {
		l.Pri, l.Depth = number(params["pri"], 999_999), number(params["depth"], 999)
		l.Geo = country(params["geo"])
		_, l.Preferred = params["pref"]
	}
	return l, true
}

// relation is the first of a list of relations that is known, "" if none is.
func relation(list string) string {
	for _, rel := range strings.Fields(strings.ToLower(list)) {
		if rel == source.RelDuplicate || rel == source.RelDescribedBy {
			return rel
		}
	}
	return ""
}

// number is text as a number from 1 to most, 0 if it is none.
func number(text string, most int) int {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || int(n) > most {
		return 0
	}
	return int(n)
}

// country is a code of two letters in lower case, "" where text is none.
func country(text string) string {
	text = strings.ToLower(text)
	if len(text) != 2 || strings.Trim(text, lower) != "" {
		return ""
	}
	return text
}
