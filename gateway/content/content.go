// Package content answers GET and HEAD with an [Object], by the rules of RFC 9110 for conditions (§13) and ranges (§14).
// docs/spec/gateway.md has them, one line each, and a test for each line.
//
// It fetches nothing that is not sent, nothing for HEAD, and nothing before it is decided what is sent. A header goes out once
// the first byte of the body is there, and the last bytes once the object has confirmed that they are the last. So an answer that
// ends cleanly is whole; any other ends with the connection, or the stream of HTTP/2.
package content

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"spate/format/span"
	"spate/source"
)

// An Object is a representation whose bytes can be had from any offset. It stays the same: one that changes at its origin fails.
// It is safe for concurrent use.
type Object interface {
	// Info is what is known of the object; Size is -1 as long as nobody knows where it ends.
	Info() source.Info

	// Open returns the n bytes from off on as they arrive, those to the end where n is below 0. It may return before the first
	// of them is there. The reader ends with io.EOF behind exactly these bytes, without delay, and fails where they cannot be had, or
	// are no longer those of the object. It is closed when nobody wants them any more. ctx governs the reader too.
	Open(ctx context.Context, off, n int64) (io.ReadCloser, error)
}

// Options are how to serve. nil is the same as a zero Options.
type Options struct {
	// Cut is told why an answer ends in the middle, before it does: o failed, or the client is gone. nil: nobody is.
	Cut func(err error)

	// Header is what the origin's 200 had, for whoever serves in its name; nil: nobody does. A 200 and a 206 repeat it, a 304 what of it is
	// of use there (RFC 9110 §15.4.5), and Content-Type is its own, with parameters. Of what is made up of Info, Content-Disposition
	// and, where there is a type, nosniff are left out; the validators, the lengths and the digests are not of Header but of Info.
	Header map[string][]string
}

// Serve answers r with o. The header of w may have fields already, such as Cache-Control; those that tell of o are set here.
//
// It returns nil once r has been answered, be it by 304, 405, 412 or 416. An error is one of o, and nothing has been written, nor the
// header of w changed: [Fail] tells the client, or the request is served anew with another Object, as where o proved to have changed
// ([source.ErrChanged]). If the answer cannot be completed later on, opts.Cut is called and Serve panics with
// [http.ErrAbortHandler].
func Serve(w http.ResponseWriter, r *http.Request, o Object, opts *Options) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		say(w, http.StatusMethodNotAllowed)
		return nil
	}
	rep := represent(o.Info())
	rep.repeat(opts)
	switch status := rep.precondition(r.Header); status {
	case 0:
	case http.StatusNotModified:
		rep.setNotModified(w.Header())
		w.WriteHeader(status)
		return nil
	default:
		say(w, status)
		return nil
	}
	if r.Method == http.MethodHead {
		rep.whole().writeHeader(w)
		return nil
	}
	spans, err := rep.ranges(r.Header)
	if err != nil {
		w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(rep.Size, 10))
		say(w, http.StatusRequestedRangeNotSatisfiable)
		return nil
	}
	return rep.answer(spans).send(w, r, o, opts)
}

// ranges is what of rep is asked for, nothing where that is all of it: [span.ParseRange].
func (rep *representation) ranges(h http.Header) ([]span.Span, error) {
	values := h.Values("Range")
	if len(values) != 1 || rep.Size < 0 || !rep.rangeStands(h) {
		return nil, nil
	}
	return span.ParseRange(values[0], rep.Size)
}

// say answers with a status and its name alone: what went wrong may tell of the origin what the client need not know.
func say(w http.ResponseWriter, status int) {
	http.Error(w, strconv.Itoa(status)+" "+http.StatusText(status), status)
}
