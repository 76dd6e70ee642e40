package content

import (
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"spate/source"
)

// Fail answers r with what err, of opening an object or of [Serve], means: what the origin said of the resource (403, 404, 410, 429,
// 451 and 5xx; 401, for which the client has no answer here, is 403), 504 for what took too long, 400 and 403 for what is not
// asked for at all, else 502. Of several errors, as of mirrors, it is the one that gives most hope. A client that is gone gets
// nothing: Fail panics with [http.ErrAbortHandler].
//
// Nothing of the text of err is sent. The status is, which Fail returns.
func Fail(w http.ResponseWriter, r *http.Request, err error) int {
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler)
	}
	f := failureOf(err)
	if f.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatInt(int64((f.retryAfter+time.Second-1)/time.Second), 10))
	}
	say(w, f.status)
	return f.status
}

type failure struct {
	status     int
	retryAfter time.Duration
}

// failureOf looks for the cause of err: of an error that wraps several it is the most hopeful one, which has the highest status.
func failureOf(err error) (f failure) {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, each := range several.Unwrap() {
			if g := failureOf(each); g.status > f.status {
				f = g
			}
		}
	}
	if e, ok := err.(*source.Error); ok {
		return failure{statusOf(e), e.RetryAfter}
	}
	switch next := errors.Unwrap(err); {
	case f.status != 0:
		return f
	case next != nil:
		return failureOf(next)
	}
	return failureOfLast(err)
}

// failureOfLast is for an error that wraps none, but may hold some for errors.As.
func failureOfLast(err error) failure {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return failure{statusOf(e), e.RetryAfter}
	}
	if e, ok := err.(interface{ Timeout() bool }); ok && e.Timeout() { // context.DeadlineExceeded is one of them
		return failure{status: http.StatusGatewayTimeout}
	}
	return failure{status: http.StatusBadGateway}
}

func statusOf(e *source.Error) int {
	switch e.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests, http.StatusUnavailableForLegalReasons:
		return e.Status
	case http.StatusUnauthorized:
		return http.StatusForbidden
	}
	switch {
	case e.Status >= 500 && e.Status <= 599:
		return e.Status
	case e.Status != 0:
		return http.StatusBadGateway // it did not like how we asked
	}
	return statusOfKind(e)
}

// statusOfKind is for what is no answer of HTTP.
func statusOfKind(e *source.Error) int {
	switch {
	case errors.Is(e.Err, fs.ErrNotExist):
		return http.StatusNotFound
	case errors.Is(e, fs.ErrPermission), errors.Is(e.Err, fs.ErrPermission), e.Kind == source.KindRefused:
		return http.StatusForbidden
	case e.Kind == source.KindTimeout:
		return http.StatusGatewayTimeout
	case e.Kind == source.KindMalformed:
		return http.StatusBadRequest
	}
	return http.StatusBadGateway
}
