package httpsource

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"spate/source"
	"spate/source/driver"
)

// resource says what a means as the answer to a request for rng: a Resource without its Body, or an error.
func (a *answer) resource(rng source.Range) (*source.Resource, error) {
	switch code := a.resp.StatusCode; {
	case code == http.StatusOK, code == http.StatusPartialContent:
		if c := coding(a.resp.Header); c != "" {
			return nil, driver.Classed(source.KindProtocol, fmt.Errorf("content coding %q, which nobody asked for", c))
		}
		if code == http.StatusOK {
			return a.whole(rng), nil
		}
		return a.part(rng)
	case code == http.StatusNoContent, code == http.StatusResetContent:
		return nil, driver.Classed(source.KindProtocol, fmt.Errorf("no content: %s", statusText(code)))
	case code == http.StatusRequestedRangeNotSatisfiable && a.asked:
		return a.beyond(rng)
	case code >= 400:
		return nil, a.refusal()
	}
	return nil, driver.Classed(source.KindProtocol, fmt.Errorf("unexpected status %s", statusText(a.resp.StatusCode)))
}

// whole is a 200: everything, from 0 on, whatever was asked for, up to the end of what was asked for.
func (a *answer) whole(rng source.Range) *source.Resource {
	size := a.resp.ContentLength
	a.entire = true
	res := &source.Resource{Info: a.info(size), Len: size}
	if a.asked {
		res.Seekable = false // whatever it says
	}
	if end := driver.EndOf(rng); size >= 0 && end < size {
		res.Len = end
	}
	return res
}

// part is a 206, which has to be what was asked for.
func (a *answer) part(rng source.Range) (*source.Resource, error) {
	span, err := contentRange(a.resp.Header)
	n := span.last - span.first + 1
	switch {
	case !a.asked:
		err = errors.New("a range, which nobody asked for")
	case err != nil:
	case span.first < 0:
		err = errors.New("206 without a range")
	case span.first != rng.Off:
		err = fmt.Errorf("asked for the range from %d, answered with the one from %d", rng.Off, span.first)
	case a.resp.ContentLength >= 0 && a.resp.ContentLength != n:
		err = fmt.Errorf("a range of %d bytes with a Content-Length of %d", n, a.resp.ContentLength)
	}
	if err != nil {
		return nil, driver.Classed(source.KindProtocol, err)
	}
	a.length, a.entire = n, n == span.size
	res := &source.Resource{Info: a.info(span.size), Off: rng.Off, Len: n}
	res.Seekable = true
	if rng.Len >= 0 {
		res.Len = min(n, rng.Len)
	}
	return res, nil
}

// beyond is a 416: nothing, if what was asked for begins at the end or behind it.
func (a *answer) beyond(rng source.Range) (*source.Resource, error) {
	span, err := contentRange(a.resp.Header)
	switch {
	case err == nil && span.size < 0:
		err = errors.New("the size is not told")
	case err == nil && rng.Off < span.size:
		err = fmt.Errorf("but the size is %d", span.size)
	}
	if err != nil {
		return nil, driver.Classed(source.KindProtocol, fmt.Errorf("no range from %d on (416): %w", rng.Off, err))
	}
	res := a.empty(rng.Off, span.size)
	res.Seekable = true
	res.MediaType, res.Name, res.Digests, res.Links, res.Header = "", "", nil, nil, nil // those of the error's page
	return res, nil
}

// empty ends the answer, whose body, if it has one, is that of an error.
func (a *answer) empty(off, size int64) *source.Resource {
	a.discard()
	a.resp.Body, a.length = http.NoBody, 0
	return &source.Resource{Info: a.info(size), Off: off}
}

// refusal is a status that is an error.
func (a *answer) refusal() error {
	e := &source.Error{Kind: source.KindStatus, Status: a.resp.StatusCode, RetryAfter: retryAfter(a.resp.Header)}
	e.Err = errors.New(statusText(e.Status))
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		e.Kind = source.KindAuth
	}
	return e
}

// maxRetryAfter bounds what an origin may ask for; nobody waits that long.
const maxRetryAfter = 24 * time.Hour

// retryAfter reads both forms of Retry-After (RFC 9110 §10.2.3). A date counts from the origin's own clock if it
// tells that.
func retryAfter(h http.Header) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil {
		return time.Duration(min(seconds, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}
