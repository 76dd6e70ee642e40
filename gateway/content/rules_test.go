package content_test

import (
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spate/format/checksum"
	"spate/source"
)

// A rule is one line of the tables in docs/spec/gateway.md: what is asked for, and what the answer is.
type rule struct {
	name    string
	object  *object
	request []string // header lines
	method  string   // GET if it is empty
	proto   string   // HTTP/1.1 if it is empty
	status  int
	header  []string // that the answer has; without a value: that it has not
	body    string   // with BOUNDARY for what that is; of an error it is not looked at
	opened  string   // what is read of the object: off+n
	isCut   bool
}

const tag, date = `ETag: "v1"`, "Last-Modified: " + modified

func change(f func(*source.Info)) func(*object) { return func(o *object) { f(&o.info) } }

func unsized(o *object) { o.info.Size = -1 }

func weakly(o *object) { o.info.ETag, o.info.Validator = `W/"v1"`, "date "+modified }

func untagged(o *object) { o.info.ETag, o.info.Validator = "", "date "+modified }

func undated(o *object) { o.info.ModTime = time.Time{} }

func failing(status int, kind source.Kind) func(*object) {
	return func(o *object) {
		o.fails = &source.Error{Op: "open", URL: "u", Kind: kind, Status: status, RetryAfter: 1500 * time.Millisecond,
			Err: errors.New("secret")}
	}
}

func breaking(at int64) func(*object) { return func(o *object) { o.breaks, o.at = errBroken, at } }

var sum256 = checksum.Sum{Algorithm: checksum.SHA256, Value: []byte("0123456789abcdef0123456789abcdef")}

const sum256Text = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func digested(o *object) {
	o.info.Digests = []checksum.Sum{sum256, {Algorithm: checksum.BLAKE3, Value: sum256.Value}}
}

func thousand(change ...func(*object)) *object {
	return of(strings.Repeat("0123456789", 100), change...)
}

// ranged is a request for a range and what it answers, of ten bytes.
func ranged(name, value, contentRange, body, opened string) rule {
	return rule{name: name, object: ten(), request: []string{"Range: " + value}, status: 206,
		header: []string{"Content-Range: " + contentRange, fmt.Sprint("Content-Length: ", len(body)), tag, date}, body: body, opened: opened}
}

// ignored is a request whose range counts for nothing.
func ignored(name, value string) rule {
	return rule{name: name, object: ten(), request: []string{"Range: " + value}, status: 200,
		header: []string{"Content-Range", "Content-Length: 10"}, body: "0123456789", opened: "0+10"}
}

func unsatisfiable(name, value string) rule {
	return rule{name: name, object: ten(), request: []string{"Range: " + value}, status: 416, header: []string{"Content-Range: bytes */10"}}
}

func ranges() []rule {
	return []rule{
		{name: "no range", object: ten(), status: 200, body: "0123456789", opened: "0+10",
			header: []string{"Accept-Ranges: bytes", "Content-Length: 10", "Content-Range", tag, date, "Content-Type: text/plain",
				"X-Content-Type-Options: nosniff", "Cache-Control: no-cache"}},
		ranged("all of it", "bytes=0-", "bytes 0-9/10", "0123456789", "0+10"),
		ranged("the first two bytes", "bytes=0-1", "bytes 0-1/10", "01", "0+2"),
		ranged("the last byte", "bytes=9-9", "bytes 9-9/10", "9", "9+1"),
		ranged("last beyond the end", "bytes=8-10", "bytes 8-9/10", "89", "8+2"),
		ranged("suffix", "bytes=-3", "bytes 7-9/10", "789", "7+3"),
		ranged("suffix of more than all", "bytes=-11", "bytes 0-9/10", "0123456789", "0+10"),
		ranged("unit in capitals", "BYTES=0-1", "bytes 0-1/10", "01", "0+2"),
		ranged("last beyond all numbers", "bytes=8-"+strings.Repeat("9", 99), "bytes 8-9/10", "89", "8+2"),
		ranged("suffix beyond all numbers", "bytes=-"+strings.Repeat("9", 99), "bytes 0-9/10", "0123456789", "0+10"),
		ranged("blanks and empty elements", "bytes= ,\t0-1 , ,", "bytes 0-1/10", "01", "0+2"),
		unsatisfiable("first at the end", "bytes=10-"),
		unsatisfiable("first beyond all numbers", "bytes="+strings.Repeat("9", 99)+"-"),
		unsatisfiable("suffix 0", "bytes=-0"),
		unsatisfiable("several, none there", "bytes=10-11,-0,99-"),
		ignored("unknown unit", "items=0-1"),
		ignored("malformed", "bytes=0-1;2-3"),
		ignored("malformed among others", "bytes=0-1,x"),
		ignored("no ranges in the set", "bytes=,"),
		ignored("last < first", "bytes=2-1"),
		ignored("blank within a range", "bytes=0 -1"),
		{name: "two Range lines", object: ten(), request: []string{"Range: bytes=0-1", "Range: 3-4"}, status: 200, body: "0123456789",
			opened: "0+10"},
		{name: "HEAD", method: "HEAD", object: ten(), status: 200, header: []string{"Content-Length: 10", "Accept-Ranges: bytes", tag, date,
			"Content-Type: text/plain"}},
		{name: "HEAD with a range", method: "HEAD", object: ten(), request: []string{"Range: bytes=0-1"}, status: 200,
			header: []string{"Content-Length: 10", "Accept-Ranges: bytes", "Content-Range", tag, date, "Content-Type: text/plain"}},
		{name: "HEAD with a range beyond the end", method: "HEAD", object: ten(), request: []string{"Range: bytes=10-"}, status: 200,
			header: []string{"Content-Length: 10", "Content-Range"}},
		{name: "other methods", method: "POST", object: ten(), request: []string{"Range: bytes=0-1", "Content-Length: 0"}, status: 405,
			header: []string{"Allow: GET, HEAD", "ETag"}},
		{name: "empty", object: of(""), status: 200, header: []string{"Content-Length: 0", tag}},
		{name: "empty, a range", object: of(""), request: []string{"Range: bytes=0-"}, status: 416,
			header: []string{"Content-Range: bytes */0"}},
		{name: "empty, suffix", object: of(""), request: []string{"Range: bytes=-5"}, status: 200, header: []string{"Content-Length: 0",
			"Content-Range"}},
		{name: "empty, suffix 0", object: of(""), request: []string{"Range: bytes=-0"}, status: 416,
			header: []string{"Content-Range: bytes */0"}},
		{name: "length not known", object: ten(unsized), status: 200, header: []string{"Content-Length", "Accept-Ranges", tag},
			body: "0123456789", opened: "0+-1"},
		{name: "length not known, a range", object: ten(unsized), request: []string{"Range: bytes=0-1"}, status: 200,
			header: []string{"Content-Length", "Content-Range"}, body: "0123456789", opened: "0+-1"},
		{name: "length not known, HEAD", method: "HEAD", object: ten(unsized), status: 200, header: []string{"Content-Length",
			"Accept-Ranges", tag}},
		{name: "length not known, and empty", object: of("", unsized), status: 200, header: []string{"Accept-Ranges"}, opened: "0+-1"},
		{name: "length not known, HTTP/1.0", proto: "HTTP/1.0", object: ten(unsized), status: 200, header: []string{"Content-Length"},
			body: "0123456789", opened: "0+-1"},
	}
}

func several() []rule {
	apart := strings.Join([]string{"--BOUNDARY", "Content-Type: text/plain", "Content-Range: bytes 0-1/1000", "", "01",
		"--BOUNDARY", "Content-Type: text/plain", "Content-Range: bytes 998-999/1000", "", "89", "--BOUNDARY--", ""}, "\r\n")
	const header = "Content-Type: multipart/byteranges; boundary=BOUNDARY"
	backwards := strings.Join([]string{"--BOUNDARY", "Content-Type: text/plain", "Content-Range: bytes 998-999/1000", "", "89",
		"--BOUNDARY", "Content-Type: text/plain", "Content-Range: bytes 0-1/1000", "", "01", "--BOUNDARY--", ""}, "\r\n")
	length := fmt.Sprint("Content-Length: ", len(apart)+3*(26-len("BOUNDARY")))
	untyped := thousand(change(func(i *source.Info) { i.MediaType = "" }))
	set := strings.TrimSuffix(strings.Repeat("0-0,", 65), ",")
	thousands := func(name, set, opened string) rule {
		return rule{name: name, object: thousand(), request: []string{"Range: bytes=" + set}, status: 200,
			header: []string{"Content-Range", "Content-Length: 1000"},
			body:   strings.Repeat("0123456789", 100), opened: opened}
	}
	return []rule{
		{name: "two ranges", object: thousand(), request: []string{"Range: bytes=0-1,-2"}, status: 206,
			header: []string{header, length, "Content-Range", tag, date, "Accept-Ranges: bytes", "X-Content-Type-Options: nosniff"},
			body:   apart, opened: "0+2 998+2"},
		{name: "two ranges, backwards", object: thousand(), request: []string{"Range: bytes=-2,0-1"}, status: 206,
			header: []string{header, length}, body: backwards, opened: "998+2 0+2"},
		{name: "two ranges, one not there", object: thousand(), request: []string{"Range: bytes=0-1,1000-"}, status: 206,
			header: []string{"Content-Range: bytes 0-1/1000", "Content-Type: text/plain"}, body: "01", opened: "0+2"},
		{name: "two ranges, type not known", object: untyped, request: []string{"Range: bytes=0-1,-2"}, status: 206,
			header: []string{header}, body: strings.ReplaceAll(apart, "text/plain", "application/octet-stream"), opened: "0+2 998+2"},
		{name: "overlapping", object: thousand(), request: []string{"Range: bytes=1-3,0-2"}, status: 206,
			header: []string{"Content-Range: bytes 0-3/1000", "Content-Length: 4"}, body: "0123", opened: "0+4"},
		{name: "near", object: thousand(), request: []string{"Range: bytes=0-0,80-80"}, status: 206,
			header: []string{"Content-Range: bytes 0-80/1000", "Content-Length: 81"}, body: strings.Repeat("0123456789", 8) + "0", opened: "0+81"},
		{name: "not near", object: thousand(), request: []string{"Range: bytes=0-0,81-81"}, status: 206, header: []string{header},
			body: strings.Join([]string{"--BOUNDARY", "Content-Type: text/plain", "Content-Range: bytes 0-0/1000", "", "0",
				"--BOUNDARY", "Content-Type: text/plain", "Content-Range: bytes 81-81/1000", "", "1", "--BOUNDARY--", ""}, "\r\n"),
			opened: "0+1 81+1"},
		{name: "64 ranges", object: thousand(), request: []string{"Range: bytes=" + strings.TrimPrefix(set, "0-0,")}, status: 206,
			header: []string{"Content-Range: bytes 0-0/1000"}, body: "0", opened: "0+1"},
		thousands("65 ranges", set, "0+1000"),
		thousands("more than there is", "0-599,400-999", "0+1000"),
		{name: "as much as there is", object: ten(), request: []string{"Range: bytes=5-,0-4"}, status: 206,
			header: []string{"Content-Range: bytes 0-9/10"}, body: "0123456789", opened: "0+10"},
	}
}

// conditional is a request with conditions of ten bytes.
func conditional(name string, status int, o *object, lines ...string) rule {
	r := rule{name: name, object: o, request: lines, status: status}
	switch status {
	case 200:
		r.body, r.opened, r.header = "0123456789", "0+10", []string{"Content-Range", "Content-Length: 10"}
	case 206:
		r.body, r.opened, r.header = "01", "0+2", []string{"Content-Range: bytes 0-1/10", "Content-Length: 2"}
	case 304:
		r.header = []string{"Content-Length", "Content-Type", "Content-Range", "Cache-Control: no-cache"}
	}
	return r
}

const (
	before = "Mon, 02 Jan 2006 15:04:04 GMT"
	after  = "Mon, 02 Jan 2006 15:04:06 GMT"
)

func conditions() []rule {
	rules := []rule{
		conditional("If-Match", 200, ten(), `If-Match: "v0", "v1"`),
		conditional("If-Match of another", 412, ten(), `If-Match: "v0"`),
		conditional("If-Match *", 200, ten(), `If-Match: *`),
		conditional("If-Match * without a tag", 200, ten(untagged), `If-Match: *`),
		conditional("If-Match without a tag", 412, ten(untagged), `If-Match: "v1"`),
		conditional("If-Match, weak", 412, ten(), `If-Match: W/"v1"`),
		conditional("If-Match of a weak tag", 412, ten(weakly), `If-Match: W/"v1", "v1"`),
		conditional("If-Match, malformed", 412, ten(), `If-Match: "v1", v2`),
		conditional("If-Match in two lines", 200, ten(), `If-Match: "v0"`, `If-Match: "v1"`),
		conditional("If-Match with commas in a tag", 200, ten(change(func(i *source.Info) { i.ETag = `"a,b"` })), `If-Match: "x" , ,"a,b",`),
		conditional("If-Match before a range beyond the end", 412, ten(), `If-Match: "v0"`, "Range: bytes=10-"),
		conditional("If-Match before If-Unmodified-Since", 200, ten(), `If-Match: "v1"`, "If-Unmodified-Since: "+before),
		conditional("If-Match before If-None-Match", 412, ten(), `If-Match: "v0"`, `If-None-Match: "v1"`),
		conditional("If-Unmodified-Since", 200, ten(), "If-Unmodified-Since: "+modified),
		conditional("If-Unmodified-Since, modified", 412, ten(), "If-Unmodified-Since: "+before),
		conditional("If-Unmodified-Since without a date", 200, ten(undated), "If-Unmodified-Since: "+before),
		conditional("If-Unmodified-Since, malformed", 200, ten(), "If-Unmodified-Since: 2006-01-02"),
		conditional("If-Unmodified-Since, two", 200, ten(), "If-Unmodified-Since: "+before, "If-Unmodified-Since: "+before),
		conditional("If-None-Match", 304, ten(), `If-None-Match: "v0", "v1"`),
		conditional("If-None-Match of another", 200, ten(), `If-None-Match: "v0"`),
		conditional("If-None-Match *", 304, ten(), `If-None-Match: *`),
		conditional("If-None-Match, weak", 304, ten(), `If-None-Match: W/"v1"`),
		conditional("If-None-Match of a weak tag", 304, ten(weakly), `If-None-Match: "v1"`),
		conditional("If-None-Match without a tag", 200, ten(untagged), `If-None-Match: "v1"`),
		conditional("If-None-Match, malformed", 200, ten(), `If-None-Match: "v1`),
		conditional("If-None-Match before If-Modified-Since", 200, ten(), `If-None-Match: "v0"`, "If-Modified-Since: "+modified),
		conditional("If-None-Match and a range", 304, ten(), `If-None-Match: "v1"`, "Range: bytes=0-1"),
		conditional("If-None-Match of another and a range", 206, ten(), `If-None-Match: "v0"`, "Range: bytes=0-1"),
		conditional("If-None-Match before a range beyond the end", 304, ten(), `If-None-Match: "v1"`, "Range: bytes=10-"),
		conditional("If-Modified-Since", 304, ten(), "If-Modified-Since: "+modified),
		conditional("If-Modified-Since, later", 304, ten(), "If-Modified-Since: "+after),
		conditional("If-Modified-Since, modified", 200, ten(), "If-Modified-Since: "+before),
		conditional("If-Modified-Since without a date", 200, ten(undated), "If-Modified-Since: "+modified),
		conditional("If-Modified-Since, malformed", 200, ten(), "If-Modified-Since: now"),
		conditional("If-Modified-Since in the forms of old", 304, ten(), "If-Modified-Since: Monday, 02-Jan-06 15:04:05 GMT"),
		conditional("If-Range", 206, ten(), `If-Range: "v1"`, "Range: bytes=0-1"),
		conditional("If-Range without a range", 200, ten(), `If-Range: "v0"`),
		conditional("If-Range of another", 200, ten(), `If-Range: "v0"`, "Range: bytes=0-1"),
		conditional("If-Range of another beyond the end", 200, ten(), `If-Range: "v0"`, "Range: bytes=10-"),
		conditional("If-Range, weak", 200, ten(), `If-Range: W/"v1"`, "Range: bytes=0-1"),
		conditional("If-Range of a weak tag", 200, ten(weakly), `If-Range: W/"v1"`, "Range: bytes=0-1"),
		conditional("If-Range, malformed", 200, ten(), `If-Range: v1`, "Range: bytes=0-1"),
		conditional("If-Range, two", 200, ten(), `If-Range: "v1"`, `If-Range: "v1"`, "Range: bytes=0-1"),
		conditional("If-Range without a tag", 200, ten(untagged), `If-Range: "v1"`, "Range: bytes=0-1"),
		conditional("If-Range, a date", 206, ten(untagged), "If-Range: "+modified, "Range: bytes=0-1"),
		conditional("If-Range, a date and a tag", 206, ten(), "If-Range: "+modified, "Range: bytes=0-1"),
		conditional("If-Range, an earlier date", 200, ten(untagged), "If-Range: "+before, "Range: bytes=0-1"),
		conditional("If-Range, a later date", 200, ten(untagged), "If-Range: "+after, "Range: bytes=0-1"),
		conditional("If-Range, a weak date", 200, ten(change(func(i *source.Info) { i.ETag, i.Validator = "", "W/date "+modified })),
			"If-Range: "+modified, "Range: bytes=0-1"),
		conditional("If-Range, a date without a date", 200, ten(undated), "If-Range: "+modified, "Range: bytes=0-1"),
		{name: "HEAD with a condition", method: "HEAD", object: ten(), request: []string{`If-None-Match: "v1"`}, status: 304,
			header: []string{tag}},
		{name: "304", object: ten(), request: []string{`If-None-Match: "v1"`}, status: 304,
			header: []string{tag, "Last-Modified", "Content-Type", "Accept-Ranges", "Cache-Control: no-cache"}},
		{name: "304 without a tag", object: ten(untagged), request: []string{"If-Modified-Since: " + modified}, status: 304,
			header: []string{date, "ETag"}},
	}
	now := time.Now()
	young := ten(change(func(i *source.Info) { i.ModTime = now }))
	return append(rules, conditional("If-Range, a young date and a tag", 200, young,
		"If-Range: "+now.UTC().Format(http.TimeFormat), "Range: bytes=0-1"))
}

// told is what an answer says of an object of ten bytes, for all of it and for a part.
func told(name string, change func(*source.Info), header ...string) rule {
	o := ten(func(o *object) { change(&o.info) })
	return rule{name: name, object: o, request: []string{"Range: bytes=0-1"}, status: 206, header: header, body: "01", opened: "0+2"}
}

func metadata() []rule {
	const big = 100 << 10
	content := strings.Repeat("x", big)
	return []rule{
		told("strong tag", func(i *source.Info) { i.ETag = `"a-_/é"` }, `ETag: "a-_/é"`),
		told("strong tag of a digest known", func(i *source.Info) { i.Digests = []checksum.Sum{sum256} }, tag),
		told("weak tag", func(i *source.Info) { i.ETag, i.Validator = `W/"v1"`, "date "+modified }, `ETag: W/"v1"`, date),
		told("tag of a validator", func(i *source.Info) { i.ETag, i.Validator = "", "a-1" }, `ETag: "a-1"`),
		told("weak tag of a validator", func(i *source.Info) { i.ETag, i.Validator = "", "W/a-1" }, `ETag: W/"a-1"`),
		told("no tag", func(i *source.Info) { i.ETag, i.Validator = "", "" }, "ETag", date),
		told("no tag of a date", func(i *source.Info) { i.ETag, i.Validator = "", "date "+modified }, "ETag", date),
		told("no tag of what cannot be one", func(i *source.Info) { i.ETag, i.Validator = `"`, "a b" }, "ETag"),
		told("tag of a content hash", func(i *source.Info) { i.ETag, i.Validator, i.Digests = "", "", []checksum.Sum{sum256} },
			`ETag: "sha256-`+sum256Text+`"`),
		told("no date", func(i *source.Info) { i.ModTime = time.Time{} }, "Last-Modified", tag),
		told("no date of 1970", func(i *source.Info) { i.ModTime = time.Unix(0, 0) }, "Last-Modified", tag),
		told("type not known", func(i *source.Info) { i.MediaType = "" }, "Content-Type: application/octet-stream",
			"X-Content-Type-Options: nosniff"),
		told("type malformed", func(i *source.Info) { i.MediaType = "text" }, "Content-Type: application/octet-stream"),
		told("name", func(i *source.Info) { i.Name = "../a \"b\".txt" }, `Content-Disposition: inline; filename="a \"b\".txt"`),
		told("name beyond ASCII", func(i *source.Info) { i.Name = "€\x00.txt" }, `Content-Disposition: inline; filename*=utf-8''%E2%82%AC.txt`),
		told("no name", func(i *source.Info) { i.Name = "a/" }, "Content-Disposition"),
		{name: "Repr-Digest", object: ten(digested), request: []string{"Range: bytes=0-1"}, status: 206, body: "01", opened: "0+2",
			header: []string{"Repr-Digest: sha-256=:" + sum256Text + ":", "Content-Digest"}},
		{name: "Content-Digest", object: ten(), request: []string{"Want-Content-Digest: sha-512=3, sha-256=10, unixsum=0"}, status: 200,
			body:   "0123456789",
			header: []string{"Content-Length: 10", "Content-Digest: sha-256=:hNiYd/DUBB77a/kaFvAkjy/Vc+avBcGflr7bn4gveII=:", "Trailer"},
			opened: "0+10"},
		{name: "Content-Digest of a range", object: ten(digested), request: []string{"Want-Content-Digest: sha-256=1",
			"Range: bytes=0-0"}, status: 206, body: "0",
			header: []string{"Content-Length: 1", "Content-Digest: sha-256=:X+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=:"}, opened: "0+1"},
		{name: "Content-Digest of nothing", object: of(""), request: []string{"Want-Content-Digest: sha-256=1"}, status: 200,
			header: []string{"Content-Length: 0", "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}},
		{name: "Content-Digest, not wanted", object: ten(), request: []string{"Want-Content-Digest: sha-256=0, md5=9"}, status: 200,
			body:   "0123456789",
			header: []string{"Content-Digest"}, opened: "0+10"},
		{name: "Content-Digest, malformed", object: ten(), request: []string{"Want-Content-Digest: sha-256=1, sha-512"}, status: 200,
			body:   "0123456789",
			header: []string{"Content-Digest"}, opened: "0+10"},
		{name: "Content-Digest of much", object: of(content), request: []string{"Want-Content-Digest: sha-256=1", "TE: gzip, trailers"},
			status: 200, body: content,
			header: []string{"Content-Length", "Content-Digest"}, opened: fmt.Sprint("0+", big)},
		{name: "Content-Digest of much, without trailers", object: of(content), request: []string{"Want-Content-Digest: sha-256=1"},
			status: 200, body: content,
			header: []string{fmt.Sprint("Content-Length: ", big), "Content-Digest", "Trailer"}, opened: fmt.Sprint("0+", big)},
		{name: "Content-Digest, HEAD", method: "HEAD", object: ten(), request: []string{"Want-Content-Digest: sha-256=1"}, status: 200,
			header: []string{"Content-Length: 10", "Content-Digest"}},
	}
}

// failed is an answer of an origin that fails, to a request for a range.
func failed(name string, status int, change func(*object), header ...string) rule {
	return rule{name: name, object: ten(change), request: []string{"Range: bytes=3-6"}, status: status,
		header: append(header, "ETag", "Content-Range", "Accept-Ranges", "Last-Modified"), opened: "3+4"}
}

func failures() []rule {
	long := strings.Repeat("0123456789", 20<<10)
	const retry = "Retry-After: 2"
	cut := func(name, body string, o *object, lines ...string) rule {
		return rule{name: name, object: o, request: lines, status: 200, body: body, isCut: true, opened: fmt.Sprint("0+", o.info.Size)}
	}
	withStep := func(o *object) { o.step = 1 << 10 }
	range206 := cut("breaks later, a range", long[100:5000], of(long, breaking(5000)), "Range: bytes=100-200000")
	range206.status, range206.opened = 206, "100+199901"
	parts := cut("breaks in the second part", "", of(long, breaking(100_000)), "Range: bytes=0-9,100000-100009")
	parts.status, parts.opened, parts.body = 206, "0+10 100000+10",
		"--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-9/204800\r\n\r\n0123456789"+
			"\r\n--BOUNDARY\r\nContent-Type: text/plain\r\nContent-Range: bytes 100000-100009/204800\r\n\r\n"
	old := cut("breaks later, length not known, HTTP/1.0", "*", of(long, unsized, breaking(5000), withStep))
	old.proto = "HTTP/1.0"
	return []rule{
		failed("404", 404, failing(404, source.KindStatus), retry),
		failed("410", 410, failing(410, source.KindStatus)),
		failed("403", 403, failing(403, source.KindAuth)),
		failed("401", 403, failing(401, source.KindAuth), "Www-Authenticate"),
		failed("407", 502, failing(407, source.KindAuth)),
		failed("416", 502, failing(416, source.KindStatus)),
		failed("429", 429, failing(429, source.KindStatus), retry),
		failed("451", 451, failing(451, source.KindStatus)),
		failed("400", 502, failing(400, source.KindStatus)),
		failed("500", 500, failing(500, source.KindStatus)),
		failed("503", 503, failing(503, source.KindStatus), retry),
		failed("no connection", 502, failing(0, source.KindNetwork)),
		failed("no answer in time", 504, failing(0, source.KindTimeout)),
		failed("TLS", 502, failing(0, source.KindTLS)),
		failed("an answer without sense", 502, failing(0, source.KindProtocol)),
		failed("changed", 502, failing(0, source.KindChanged)),
		failed("corrupt", 502, failing(0, source.KindCorrupt)),
		failed("not to be asked for", 403, failing(0, source.KindRefused)),
		failed("no URL", 400, failing(0, source.KindMalformed)),
		failed("no such file", 404, func(o *object) { o.fails = &source.Error{Kind: source.KindLocal, Err: fs.ErrNotExist} }),
		failed("a file that may not be read", 403, func(o *object) { o.fails = &source.Error{Kind: source.KindLocal, Err: fs.ErrPermission} }),
		failed("any other failure", 502, func(o *object) { o.fails = errors.New("x") }),
		failed("mirrors", 503, func(o *object) {
			o.fails = fmt.Errorf("all: %w", errors.Join(&source.Error{Status: 503, Err: fs.ErrInvalid}, &source.Error{Status: 404,
				Err: fs.ErrInvalid}))
		}),
		failed("breaks before the first byte", 502, breaking(3)),
		failed("ends before the first byte", 502, func(o *object) { o.short, o.at = true, 3 }),
		failed("breaks behind the last byte of little", 502, breaking(7)),
		cut("breaks later", long[:5000], of(long, breaking(5000))),
		range206,
		cut("ends early", long[:5000], of(long, func(o *object) { o.short, o.at = true, 5000 })),
		cut("breaks behind the last byte", long[:128<<10], of(long, breaking(int64(len(long))))),
		cut("gives too much", long[:128<<10], of(long, func(o *object) { o.longer = true })),
		parts,
		cut("breaks later, length not known", long[:5000], of(long, unsized, breaking(5000), withStep)),
		old,
	}
}

func TestRules(t *testing.T) {
	for _, of := range [][]rule{ranges(), several(), conditions(), metadata(), failures()} {
		for _, r := range of {
			t.Run(r.name, func(t *testing.T) { r.check(t) })
		}
	}
}

func (r *rule) check(t *testing.T) {
	s := serve(t, r.object)
	s.Start()
	method, proto := r.method, r.proto
	if method == "" {
		method = http.MethodGet
	}
	if proto == "" {
		proto = "HTTP/1.1"
	}
	got := s.ask(t, method, proto, r.request...)
	s.Close() // the handler has returned
	if got.StatusCode != r.status {
		t.Fatalf("%s, want %d", got.Status, r.status)
	}
	r.checkHeader(t, got)
	switch {
	case (got.cut != nil) != r.isCut || (s.cutBy() != nil) != r.isCut:
		t.Errorf("cut by %v, told of %v", got.cut, s.cutBy())
	case r.body == "*":
	case r.status < 400 && got.body != r.want(got):
		t.Errorf("%d bytes, want %d: %.1000s", len(got.body), len(r.body), cmp.Diff(r.want(got), got.body))
	case strings.Contains(got.body, "secret"):
		t.Errorf("tells %q", got.body)
	}
	if asked := r.object.asked(); asked != r.opened || r.object.stillOpen() != 0 {
		t.Errorf("opened %q, want %q; %d are open", asked, r.opened, r.object.stillOpen())
	}
}

// want is the body, with the boundary that was chosen.
func (r *rule) want(got *response) string {
	return strings.ReplaceAll(r.body, "BOUNDARY", boundary(got))
}

func boundary(got *response) string {
	_, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return "BOUNDARY"
	}
	return params["boundary"]
}

func (r *rule) checkHeader(t *testing.T, got *response) {
	t.Helper()
	got.Header.Del("Date")
	for _, line := range r.header {
		name, want, isThere := strings.Cut(line, ": ")
		values := got.Header.Values(name)
		want = strings.ReplaceAll(want, "BOUNDARY", boundary(got))
		if isThere && !slices.Equal(values, []string{want}) || !isThere && len(values) > 0 {
			t.Errorf("%s is %q, want %q", name, values, want)
		}
	}
}

// The rules that are written down are those that are tested, in the same tables and order.
func TestRulesAreWrittenDown(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec/gateway.md")
	if err != nil {
		t.Fatal(err)
	}
	_, behind, _ := strings.Cut(string(text), "\n## Ranges and conditions\n")
	section, _, _ := strings.Cut(behind, "\n## ")
	var written, tested []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 3 && !strings.HasPrefix(line, "|---") && strings.TrimSpace(cells[1]) != "case" {
			written = append(written, strings.Trim(cells[1], " `"))
		}
	}
	for _, of := range [][]rule{ranges(), several(), conditions(), metadata(), failures()} {
		for _, r := range of {
			tested = append(tested, r.name)
		}
	}
	if diff := cmp.Diff(tested, written); diff != "" {
		t.Errorf("tested, and written:\n%s", diff)
	}
	slices.Sort(tested)
	if n := len(slices.Compact(tested)); n != len(written) {
		t.Errorf("%d names of %d rules", n, len(written))
	}
}
