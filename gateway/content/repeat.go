package content

import (
	"net/http"
	"slices"
)

// ofOne are the fields of one message, of another hop, or of what an answer is made anew, and those that are set from Info.
var ofOne = []string{
	"Accept-Ranges", "Content-Digest", "Content-Encoding", "Content-Length", "Content-Md5", "Content-Range", "Content-Type", "Digest",
	"Etag", "Last-Modified", "Repr-Digest", "Set-Cookie", "Trailer", "Transfer-Encoding", "Connection",
}

// ofNotModified are the fields that a 304 repeats, beside the validators (RFC 9110 §15.4.5), and those that tell of the way.
var ofNotModified = []string{"Age", "Cache-Control", "Content-Location", "Date", "Expires", "Vary", "Via"}

// repeat has rep repeat the origin's header.
func (rep *representation) repeat(opts *Options) {
	if opts == nil || opts.Header == nil {
		return
	}
	rep.header = opts.Header
	if types := rep.header["Content-Type"]; len(types) == 1 && rep.mediaType != untyped {
		rep.mediaType = types[0]
	}
}

func (rep *representation) setRepeated(h http.Header) {
	for name, values := range rep.header {
		if !slices.Contains(ofOne, name) {
			h[name] = slices.Clone(values)
		}
	}
}

// setNotModified sets what a 304 has.
func (rep *representation) setNotModified(h http.Header) {
	rep.setValidators(h)
	for _, name := range ofNotModified {
		if values := rep.header[name]; len(values) > 0 {
			h[name] = slices.Clone(values)
		}
	}
}
