package gateway

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// What a request is for.
type wanted struct {
	urls []string // mirrors of the resource
	file int      // of the sequence that it is, from 1; 0: all of it
	by   string   // the URL in the request; "": the resource has a name here
	at   int64    // the first offset that will be read; -1: nobody knows
	end  int64    // where that ends; 0: nobody knows
}

var (
	errNoPage  = &denial{http.StatusNotFound, "there is no such page: ask for /s/URL"}
	errNoURL   = &denial{http.StatusBadRequest, "what follows /s/ is no URL"}
	errNoIndex = &denial{http.StatusBadRequest, "files are counted from 1: /file/1/URL"}
)

// route says what the request target asks for. It goes by the bytes that came: to a [http.ServeMux], two slashes are one.
func (g *Gateway) route(r *http.Request) (wanted, error) {
	path, query, _ := strings.Cut(r.RequestURI, "?")
	if rest, ok := strings.CutPrefix(path, g.prefix+"/s/"); ok {
		return byURL(rest, query, 0)
	}
	if rest, ok := strings.CutPrefix(path, g.prefix+"/file/"); ok {
		digits, rest, _ := strings.Cut(rest, "/")
		k, err := strconv.Atoi(digits)
		if err != nil || k < 1 {
			return wanted{}, errNoIndex
		}
		if name, err := url.PathUnescape(rest); err == nil && g.opts.Serve[name] != nil {
			return wanted{urls: g.opts.Serve[name], file: k}, nil
		}
		return byURL(rest, query, k)
	}
	if name, err := url.PathUnescape(strings.TrimPrefix(path, g.prefix+"/")); err == nil && g.opts.Serve[name] != nil {
		return wanted{urls: g.opts.Serve[name]}, nil
	}
	return wanted{}, errNoPage
}

func byURL(rest, query string, file int) (wanted, error) {
	raw, err := urlOf(rest, query)
	if err != nil {
		return wanted{}, err
	}
	return wanted{urls: []string{raw}, file: file, by: raw}, nil
}

var (
	absolute = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:/`)
	oneSlash = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]*):/([^/])`)
)

// urlOf is the URL in the target of a request: as it is, or percent-encoded as a whole. Some clients make one slash of
// two.
func urlOf(rest, query string) (string, error) {
	if !absolute.MatchString(rest) {
		plain, err := url.PathUnescape(rest)
		if err != nil || !absolute.MatchString(plain) {
			return "", errNoURL
		}
		rest = plain
	}
	if !strings.HasPrefix(strings.ToLower(rest), "file:") {
		rest = oneSlash.ReplaceAllString(rest, "$1://$2")
	}
	if query != "" {
		sep := "?"
		if strings.Contains(rest, "?") {
			sep = "&"
		}
		rest += sep + query
	}
	rest, _, _ = strings.Cut(rest, "#")
	if u, err := url.Parse(rest); err != nil || u.Scheme == "" {
		return "", errNoURL
	}
	return rest, nil
}

var firstRange = regexp.MustCompile(`(?i)^\s*bytes\s*=\s*([0-9]{1,18})-(?:([0-9]{1,18})\s*(?:,|$))?`)

// wants is what r asks for first, as far as can be told before the size is known: from at, below 0 if it asks for none of the bytes, or
// for the last of them, up to end; 0: nobody knows.
func wants(r *http.Request) (at, end int64) {
	value := r.Header.Get("Range")
	if r.Method != http.MethodGet {
		return -1, 0
	}
	if value == "" {
		return 0, 0
	}
	m := firstRange.FindStringSubmatch(value)
	if m == nil {
		return -1, 0
	}
	at, _ = strconv.ParseInt(m[1], 10, 64) // 18 digits fit
	last, err := strconv.ParseInt(m[2], 10, 64)
	if err != nil || last < at || r.Header.Get("If-Range") != "" { // where that does not hold all of it is sent
		return at, 0
	}
	return at, last + 1
}
