package httpsource

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spate/source"
)

// info is what the header of a tells of a resource of that size. It is asked once: the header is the info's from then on.
func (a *answer) info(size int64) source.Info {
	h := a.resp.Header
	info := source.Info{
		URL:       a.url.String(),
		Size:      size,
		MediaType: mediaType(h.Get("Content-Type")),
		Validator: validator(h),
		ETag:      h.Get("ETag"),
		Name:      fileName(h.Get("Content-Disposition")),
		Seekable:  acceptsRanges(h),
		Digests:   mergeDigests(a.told.digests, digests(h, a.entire)),
		Links:     appendLinks(a.told.links, h, a.url),
	}
	info.ModTime, _ = date(h, "Last-Modified")
	info.Header = EndToEnd(h)
	return info
}

func validator(h http.Header) string {
	tag := h.Get("ETag")
	if tag != "" && !strings.HasPrefix(tag, weak) {
		return tag
	}
	modified, ok := date(h, "Last-Modified")
	if !ok {
		return tag
	}
	v := source.Dated + h.Get("Last-Modified")
	if answered, known := date(h, "Date"); !known || !modified.Before(answered) {
		return weak + v
	}
	return v
}

// weak is how a weak entity tag begins.
const weak = "W/"

// date is that of a field of h; ok is false where there is none.
func date(h http.Header, field string) (t time.Time, ok bool) {
	text := h.Get(field)
	if text == "" {
		return t, false
	}
	t, err := http.ParseTime(text)
	return t, err == nil
}

func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

func fileName(disposition string) string {
	_, params, err := mime.ParseMediaType(disposition)
	if err != nil {
		return ""
	}
	return params["filename"]
}

func acceptsRanges(h http.Header) bool {
	for _, unit := range tokens(h, "Accept-Ranges") {
		if strings.EqualFold(unit, "bytes") {
			return true
		}
	}
	return false
}

// coding is the content coding of an answer, "" for none.
func coding(h http.Header) string {
	for _, c := range tokens(h, "Content-Encoding") {
		if !strings.EqualFold(c, "identity") {
			return c
		}
	}
	return ""
}

// tokens splits the values of a header at their commas.
func tokens(h http.Header, name string) []string { return splitTokens(h.Values(name)) }

func splitTokens(values []string) []string {
	return strings.FieldsFunc(strings.Join(values, ","), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// A span is a Content-Range: the bytes from first to last, inclusive, of size. first and last are -1 where there
// are none ("bytes */9"), size is -1 where it is not told ("bytes 0-9/*").
type span struct{ first, last, size int64 }

// contentRange reads the one Content-Range of h strictly (RFC 9110 §14.4).
func contentRange(h http.Header) (span, error) {
	values := h.Values("Content-Range")
	if len(values) != 1 {
		return span{-1, -1, -1}, fmt.Errorf("%d Content-Range lines instead of one", len(values))
	}
	s, err := parseSpan(values[0])
	if err != nil {
		return s, fmt.Errorf("Content-Range %q: %w", values[0], err)
	}
	return s, nil
}

func parseSpan(value string) (span, error) {
	none := span{-1, -1, -1}
	unit, rest, _ := strings.Cut(value, " ")
	where, of, ok := strings.Cut(rest, "/")
	if !ok || !strings.EqualFold(unit, "bytes") {
		return none, errors.New("not understood")
	}
	s := none
	if of != "*" {
		if s.size = decimal(of); s.size < 0 {
			return none, errors.New("not understood")
		}
	}
	if where == "*" {
		return s, nil
	}
	first, last, _ := strings.Cut(where, "-")
	s.first, s.last = decimal(first), decimal(last)
	switch {
	case s.first < 0 || s.last < 0:
		return none, errors.New("not understood")
	case s.last < s.first, s.size >= 0 && s.last >= s.size:
		return none, errors.New("makes no sense")
	}
	return s, nil
}

// decimal reads digits and nothing else, -1 if s is anything else or too large.
func decimal(s string) int64 {
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil {
		return -1
	}
	return int64(n)
}
