package content

import (
	"crypto/rand"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"spate/format/span"
	"spate/source"
)

// untyped is the type of what has none that is known.
const untyped = "application/octet-stream"

// A representation is what is known of an Object, as HTTP says it.
type representation struct {
	source.Info
	tag       string    // "" for none
	modified  time.Time // in whole seconds, as Last-Modified is; zero for none
	mediaType string
	header    map[string][]string // of the origin; nil: none is repeated
}

func represent(info source.Info) *representation {
	rep := &representation{Info: info, tag: tagOf(&info), mediaType: untyped}
	if !info.ModTime.IsZero() && info.ModTime.Unix() != 0 {
		rep.modified = info.ModTime.UTC().Truncate(time.Second)
	}
	if t, _, err := mime.ParseMediaType(info.MediaType); err == nil && strings.Contains(t, "/") {
		rep.mediaType = t
	}
	return rep
}

// setHeader sets what a 200 and a 206 have in common.
func (rep *representation) setHeader(h http.Header) {
	rep.setValidators(h)
	rep.setDate(h)
	rep.setRepeated(h)
	h.Set("Content-Type", rep.mediaType)
	if len(rep.header["Content-Type"]) == 0 {
		h.Set("X-Content-Type-Options", "nosniff")
	}
	if rep.Size >= 0 {
		h.Set("Accept-Ranges", "bytes")
	}
	if digest := reprDigest(rep.Digests); digest != "" {
		h.Set("Repr-Digest", digest)
	}
	if disposition := disposition(rep.Name); disposition != "" && rep.header == nil {
		h.Set("Content-Disposition", disposition)
	}
}

// setValidators sets what a 304 has: a date only where there is no tag (RFC 9110 §15.4.5).
func (rep *representation) setValidators(h http.Header) {
	if rep.tag == "" {
		rep.setDate(h)
		return
	}
	h.Set("ETag", rep.tag)
}

func (rep *representation) setDate(h http.Header) {
	if !rep.modified.IsZero() {
		h.Set("Last-Modified", rep.modified.Format(http.TimeFormat))
	}
}

// disposition proposes what the origin does as a name, without folders and control characters, for what is shown and not
// saved unless the user wants it.
func disposition(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, name))
	if name == "" {
		return ""
	}
	return mime.FormatMediaType("inline", map[string]string{"filename": name})
}

// A part is bytes of the object, and what stands before them.
type part struct {
	before string
	span.Span
}

// An answer is what is sent, but for the bytes.
type answer struct {
	*representation
	status int
	header [2]string // one field more, or in place of that of the representation
	parts  []part    // none where there are no bytes; one whose End is below 0 goes to wherever the object ends
	after  string
	length int64 // of all of it; -1 where it is not known
}

// whole is a 200.
func (rep *representation) whole() *answer {
	a := &answer{representation: rep, status: http.StatusOK, length: rep.Size}
	if rep.Size != 0 {
		a.parts = []part{{Span: span.Span{End: rep.Size}}}
	}
	return a
}

// answer is the 206 of spans, a 200 where there are none.
func (rep *representation) answer(spans []span.Span) *answer {
	switch len(spans) {
	case 0:
		return rep.whole()
	case 1:
		return &answer{representation: rep, status: http.StatusPartialContent, header: [2]string{"Content-Range", rep.contentRange(spans[0])},
			parts: []part{{Span: spans[0]}}, length: spans[0].Len()}
	}
	return rep.multipart(spans)
}

// multipart is a 206 of multipart/byteranges (RFC 9110 §14.6).
func (rep *representation) multipart(spans []span.Span) *answer {
	boundary := rand.Text()
	a := &answer{representation: rep, status: http.StatusPartialContent, after: "\r\n--" + boundary + "--\r\n",
		header: [2]string{"Content-Type", "multipart/byteranges; boundary=" + boundary}}
	a.length = int64(len(a.after))
	delimiter := "--" + boundary
	for _, s := range spans {
		p := part{Span: s, before: fmt.Sprintf("%s\r\nContent-Type: %s\r\nContent-Range: %s\r\n\r\n", delimiter, rep.mediaType,
			rep.contentRange(s))}
		a.parts = append(a.parts, p)
		a.length += int64(len(p.before)) + s.Len()
		delimiter = "\r\n--" + boundary
	}
	return a
}

func (rep *representation) contentRange(s span.Span) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.Off, s.End-1, rep.Size)
}

// setHeader sets all fields but those about a digest of the content.
func (a *answer) setHeader(h http.Header) {
	a.representation.setHeader(h)
	if name, value := a.header[0], a.header[1]; name != "" {
		h.Set(name, value)
	}
	if a.length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(a.length, 10))
	}
}

func (a *answer) writeHeader(w http.ResponseWriter) {
	a.setHeader(w.Header())
	w.WriteHeader(a.status)
}
