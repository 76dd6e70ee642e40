package farm

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// span is the bytes [off, end) of a resource; an end of endless is the end, wherever it is.
type span struct{ off, end int64 }

// parseRange reads a Range header (RFC 9110 §14.1.2) of one range. ok is false for what must be ignored: no header,
// other units, several ranges, nonsense, and what needs a size where there is none. A range that cannot be satisfied
// has off >= size.
func parseRange(header string, size int64) (s span, ok bool) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash {
		return span{}, false
	}
	if first == "" {
		return suffix(last, size)
	}
	off, err := strconv.ParseInt(first, 10, 64)
	if err != nil || off < 0 {
		return span{}, false
	}
	if last == "" {
		return span{off, size}, size != endless
	}
	end, err := strconv.ParseInt(last, 10, 64)
	if err != nil || end < off {
		return span{}, false
	}
	return span{off, min(end+1, size)}, true
}

// suffix is the last n bytes.
func suffix(n string, size int64) (span, bool) {
	length, err := strconv.ParseInt(n, 10, 64)
	if err != nil || length < 0 || size == endless {
		return span{}, false
	}
	return span{size - min(length, size), size}, true
}

// plan says which bytes answer the request, with which status, and puts into h what goes with it.
func (r *Resource) plan(req *http.Request, h http.Header) (int, span) {
	size := r.size()
	whole := span{0, size}
	switch {
	case r.Redirect != "":
		h.Set("Location", r.Redirect)
		return orElse(r.Status, http.StatusFound), whole
	case r.Status != 0 && r.Status != http.StatusOK:
		return r.Status, whole
	case r.NoRange:
		return http.StatusOK, whole
	}
	h.Set("Accept-Ranges", "bytes")
	s, ok := parseRange(req.Header.Get("Range"), size)
	if !ok || !r.isCurrent(req.Header.Get("If-Range")) {
		return http.StatusOK, whole
	}
	return r.partial(s, h)
}

// partial answers with s, or says that there is nothing.
func (r *Resource) partial(s span, h http.Header) (int, span) {
	size := r.size()
	if s.off >= size {
		h.Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		return http.StatusRequestedRangeNotSatisfiable, span{}
	}
	s.off = min(max(s.off+r.RangeShift, 0), size-1)
	s.end = min(max(s.end+r.RangeShift, s.off+1), size)
	if r.RangeOpen {
		s.end = size
	}
	if r.RangeMax > 0 {
		s.end = min(s.end, s.off+r.RangeMax)
	}
	total := "*"
	if size != endless && !r.NoTotal {
		total = strconv.FormatInt(size+r.TotalOff, 10)
	}
	h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", s.off, s.end-1, total))
	return http.StatusPartialContent, s
}

// isCurrent tells whether the If-Range header allows a range (RFC 9110 §13.1.5): there is none, or it names the
// strong entity tag or the exact date.
func (r *Resource) isCurrent(ifRange string) bool {
	switch {
	case ifRange == "":
		return true
	case strings.HasPrefix(ifRange, `"`):
		return ifRange == r.etag()
	}
	return !r.ModTime.IsZero() && ifRange == httpDate(r.ModTime)
}

func orElse(status, otherwise int) int {
	if status != 0 {
		return status
	}
	return otherwise
}
