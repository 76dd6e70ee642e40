package httpsource

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"spate/internal/farm"
	"spate/source"
	"spate/source/sourcetest"
)

// hundred is what every origin of the matrix has.
var hundred = strings.Repeat("0123456789", 10)

// A quirk is one row of the matrix in docs/failure-model.md: what an origin does, and what that is taken for.
type quirk struct {
	name string
	has  farm.Resource // its Body is hundred where it has none
	rng  source.Range

	off, len, size int64 // as the Resource tells
	body           string
	noRanges       bool // the Resource is not Seekable

	kind   source.Kind // of the error, where there is one; the body is what came before
	is     error
	status int
	retry  time.Duration
}

var from40 = source.From(40)

// part is a 206 that says what it likes.
func part(contentRange, body string) farm.Resource {
	return farm.Resource{Status: 206, Body: []byte(body), Header: http.Header{"Content-Range": {contentRange}}}
}

func field(r farm.Resource, name, value string) farm.Resource {
	r.Header = http.Header{name: {value}}
	return r
}

// quirks of one answer.
var quirks = []quirk{
	{name: "none", rng: from40, off: 40, len: 60, size: 100, body: hundred[40:]},

	{name: "ignores Range", has: farm.Resource{NoRange: true}, rng: from40, len: 100, size: 100, body: hundred, noRanges: true},
	{name: "ignores a bounded Range", has: farm.Resource{NoRange: true}, rng: source.Range{Off: 40, Len: 10},
		len: 50, size: 100, body: hundred[:50], noRanges: true},
	{name: "ignores Range, and tells no length", has: farm.Resource{NoRange: true, NoLength: true}, rng: from40,
		len: -1, size: -1, body: hundred, noRanges: true},
	{name: "a login page on a range", has: farm.Resource{NoRange: true, Body: []byte("<html>Log in"), MediaType: "text/html"}, rng: from40,
		len: 12, size: 12, body: "<html>Log in", noRanges: true},

	{name: "Content-Range: starts later", has: farm.Resource{RangeShift: 1}, rng: from40, kind: source.KindProtocol},
	{name: "Content-Range: starts earlier", has: farm.Resource{RangeShift: -1}, rng: from40, kind: source.KindProtocol},
	{name: "Content-Range: another total", has: part("bytes 40-99/200", hundred[40:]), rng: from40, off: 40, len: 60, size: 200, body: hundred[40:]},
	{name: "Content-Range: no total", has: part("bytes 40-99/*", hundred[40:]), rng: from40, off: 40, len: 60, size: -1, body: hundred[40:]},
	{name: "Content-Range: beyond the total", has: part("bytes 40-100/100", hundred[40:]+"x"), rng: from40, kind: source.KindProtocol},
	{name: "Content-Range: ends later than asked", has: part("bytes 40-99/100", hundred[40:]), rng: source.Range{Off: 40, Len: 10},
		off: 40, len: 10, size: 100, body: hundred[40:50]},
	{name: "Content-Range: fewer bytes than the length", has: part("bytes 40-89/100", hundred[40:]), rng: from40, kind: source.KindProtocol},
	{name: "206 without Content-Range", has: farm.Resource{Status: 206}, rng: from40, kind: source.KindProtocol},
	{name: "206 to no range", has: part("bytes 0-99/100", hundred), rng: source.From(0), kind: source.KindProtocol},

	{name: "short 206", has: farm.Resource{RangeMax: 25}, rng: from40, off: 40, len: 25, size: 100, body: hundred[40:65]},
	{name: "206 cut short", has: farm.Resource{BreakAt: 90}, rng: from40, off: 40, len: 60, size: 100, body: hundred[40:90],
		kind: source.KindNetwork, is: io.ErrUnexpectedEOF},
	{name: "chunked, without length", has: farm.Resource{NoLength: true}, rng: source.From(0), len: -1, size: -1, body: hundred},
	{name: "206, chunked", has: farm.Resource{NoLength: true}, rng: from40, off: 40, len: 60, size: 100, body: hundred[40:]},
	{name: "chunked, cut short", has: farm.Resource{NoLength: true, BreakAt: 90}, rng: source.From(0), len: -1, size: -1, body: hundred[:90],
		kind: source.KindNetwork, is: io.ErrUnexpectedEOF},
	{name: "Content-Length too large", has: farm.Resource{LengthOff: 1}, rng: source.From(0), len: 101, size: 101, body: hundred,
		kind: source.KindNetwork, is: io.ErrUnexpectedEOF},
	{name: "Content-Length too small", has: farm.Resource{LengthOff: -1}, rng: source.From(0), len: 99, size: 99, body: hundred[:99]},
	{name: "Content-Length of a range too large", has: farm.Resource{LengthOff: 1}, rng: from40, kind: source.KindProtocol},
	{name: "Content-Length of a range too small", has: farm.Resource{LengthOff: -1}, rng: from40, kind: source.KindProtocol},
	{name: "gzip despite identity", has: farm.Resource{Coding: "gzip"}, rng: source.From(0), kind: source.KindProtocol},
	{name: "gzip of a range", has: farm.Resource{Coding: "gzip"}, rng: from40, kind: source.KindProtocol},

	{name: "zero length", has: farm.Resource{Body: []byte{}}, rng: source.From(0), body: ""},
	{name: "zero length, as a range", has: farm.Resource{Body: []byte{}}, rng: source.Range{Len: 1<<63 - 1}, body: ""},
	{name: "zero length, behind it", has: farm.Resource{Body: []byte{}}, rng: from40, off: 40},
	{name: "no content", has: farm.Resource{Status: 204, Body: []byte{}}, rng: source.From(0), kind: source.KindProtocol},
	{name: "switches protocols, and is silent", has: farm.Resource{Handler: http.HandlerFunc(switchProtocols)}, kind: source.KindProtocol},
	{name: "not modified, which nobody asked", has: farm.Resource{Status: 304, Body: []byte{}}, rng: source.From(0), kind: source.KindProtocol},

	{name: "HEAD 405", has: farm.Resource{Handler: http.HandlerFunc(onlyGet)}, rng: source.From(0), len: 100, size: 100, body: hundred},
	{name: "HTTP/1.0", has: farm.Resource{Handler: raw10("HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n" + hundred)}, rng: from40,
		len: 100, size: 100, body: hundred, noRanges: true},
	{name: "HTTP/1.0 without length", has: farm.Resource{Handler: raw10("HTTP/1.0 200 OK\r\n\r\n" + hundred)}, rng: source.From(0),
		len: -1, size: -1, body: hundred},
	{name: "HTTP/1.0 cut short", has: farm.Resource{Handler: raw10("HTTP/1.0 200 OK\r\nContent-Length: 101\r\n\r\n" + hundred)}, rng: source.From(0),
		len: 101, size: 101, body: hundred, kind: source.KindNetwork, is: io.ErrUnexpectedEOF},
	{name: "HTTP/1.0 with a range", has: farm.Resource{Handler: raw10("HTTP/1.0 206 Partial\r\nContent-Range: bytes 40-99/100\r\n\r\n" + hundred[40:])},
		rng: from40, off: 40, len: 60, size: 100, body: hundred[40:]},
	{name: "no HTTP", has: farm.Resource{Garbage: true}, rng: source.From(0), kind: source.KindProtocol},

	{name: "404", has: farm.Resource{Status: 404}, kind: source.KindStatus, status: 404, is: fs.ErrNotExist},
	{name: "410", has: farm.Resource{Status: 410}, rng: from40, kind: source.KindStatus, status: 410, is: fs.ErrNotExist},
	{name: "401", has: farm.Resource{Status: 401}, kind: source.KindAuth, status: 401, is: fs.ErrPermission},
	{name: "416 at the end", rng: source.From(100), off: 100, size: 100},
	{name: "416 behind the end", rng: source.From(101), off: 101, size: 100},
	{name: "416 within", has: field(farm.Resource{Status: 416}, "Content-Range", "bytes */100"), rng: source.From(99), kind: source.KindProtocol},
	{name: "416 without the size", has: farm.Resource{Status: 416}, rng: source.From(100), kind: source.KindProtocol},
	{name: "416 to no range", has: farm.Resource{Status: 416}, rng: source.From(0), kind: source.KindStatus, status: 416, is: source.ErrUnavailable},
	{name: "429", has: farm.Resource{Status: 429, RetryAfter: "7"}, rng: from40,
		kind: source.KindStatus, status: 429, retry: 7 * time.Second, is: source.ErrUnavailable},
	{name: "429 without a time", has: farm.Resource{Status: 429}, kind: source.KindStatus, status: 429, is: source.ErrUnavailable},
	{name: "500", has: farm.Resource{Status: 500}, kind: source.KindStatus, status: 500, is: source.ErrUnavailable},
	{name: "503, seconds", has: farm.Resource{Status: 503, RetryAfter: "120"}, kind: source.KindStatus, status: 503, retry: 2 * time.Minute},
	{name: "503, a date", has: field(farm.Resource{Status: 503, RetryAfter: "Mon, 02 Jan 2006 15:04:07 GMT"}, "Date", "Mon, 02 Jan 2006 15:04:05 GMT"),
		kind: source.KindStatus, status: 503, retry: 2 * time.Second},
	{name: "503, a date that has passed", has: farm.Resource{Status: 503, RetryAfter: "Mon, 02 Jan 2006 15:04:07 GMT"}, kind: source.KindStatus, status: 503},
	{name: "503, next year", has: farm.Resource{Status: 503, RetryAfter: "31536000"}, kind: source.KindStatus, status: 503, retry: 24 * time.Hour},
	{name: "503, nonsense", has: farm.Resource{Status: 503, RetryAfter: "in a while"}, kind: source.KindStatus, status: 503},

	{name: "redirect chain", has: farm.Resource{Redirect: "/chain/2"}, rng: from40, off: 40, len: 60, size: 100, body: hundred[40:]},
	{name: "redirect to another host", has: farm.Resource{Redirect: "http://localhost:$port/end"}, rng: from40,
		off: 40, len: 60, size: 100, body: hundred[40:]},
	{name: "redirect loop", has: farm.Resource{Redirect: "/x"}, kind: source.KindProtocol},
	{name: "redirect nowhere", has: farm.Resource{Status: 302}, kind: source.KindProtocol},
	{name: "redirect to a file", has: farm.Resource{Redirect: "file:///etc/passwd"}, kind: source.KindRefused},
	{name: "redirect to a page that is not there", has: farm.Resource{Redirect: "/missing"}, kind: source.KindStatus, status: 404, is: fs.ErrNotExist},

	{name: "a path in Content-Disposition", has: farm.Resource{Disposition: `attachment; filename="../../x"`}, rng: from40,
		off: 40, len: 60, size: 100, body: hundred[40:]},
}

func onlyGet(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "", http.StatusMethodNotAllowed)
		return
	}
	_, _ = io.WriteString(w, hundred)
}

// raw10 answers with text and hangs up.
func raw10(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, text)
		_ = c.Close()
	}
}

// switchProtocols has the connection for another protocol, of which nothing comes.
func switchProtocols(w http.ResponseWriter, _ *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	_, _ = io.Copy(io.Discard, c) // until the client closes it
}

func TestQuirks(t *testing.T) {
	f := farm.New()
	t.Cleanup(f.Close)
	f.Serve("/end", farm.Resource{Body: []byte(hundred)})
	f.Serve("/chain/2", farm.Resource{Redirect: "1"})
	f.Serve("/chain/1", farm.Resource{Redirect: "/end", Status: 308})
	_, port, _ := strings.Cut(f.Addr(), ":")
	s := newSource(t, nil)
	for _, q := range quirks {
		if q.has.Body == nil {
			q.has.Body = []byte(hundred)
		}
		q.has.Redirect = strings.Replace(q.has.Redirect, "$port", port, 1)
		f.Serve("/x", q.has)
		for how, src := range map[string]source.Source{"": s, " by a session": asSession(t, s)} {
			t.Run(q.name+how, func(t *testing.T) { q.check(t, src, f.URL("/x")) })
		}
	}
	for _, r := range f.Log() {
		if r.Method != http.MethodGet {
			t.Errorf("asked by %s", r.Method)
		}
	}
}

func (q *quirk) check(t *testing.T, src source.Source, url string) {
	res, body, err := sourcetest.Read(t, src, url, q.rng)
	if q.kind != source.KindOther {
		q.checkError(t, err)
	} else if err != nil {
		t.Fatal(err)
	}
	if body != q.body {
		t.Errorf("body %q, want %q", body, q.body)
	}
	if res == nil {
		return
	}
	if got, want := fmt.Sprint(res.Off, res.Len, res.Size), fmt.Sprint(q.off, q.len, q.size); got != want {
		t.Errorf("Off, Len and Size are %s, want %s", got, want)
	}
	if q.rng.Off > 0 && res.Seekable == q.noRanges {
		t.Errorf("Seekable is %v", res.Seekable)
	}
}

func (q *quirk) checkError(t *testing.T, err error) {
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case !ok || e.Kind != q.kind || e.Status != q.status || e.RetryAfter != q.retry:
		t.Errorf("got %#v, want one of kind %v, status %d, retry after %v", err, q.kind, q.status, q.retry)
	case q.is != nil && !errors.Is(err, q.is):
		t.Errorf("%v is not %v", err, q.is)
	case errors.Is(err, io.EOF):
		t.Errorf("%v looks like the end", err)
	}
}

// An origin with a cap of bytes in a request is read to its end all the same: each answer says where it ends.
func TestRangeCap(t *testing.T) {
	const size, most = 12 << 20, 5 << 20
	f := farm.New()
	t.Cleanup(f.Close)
	f.Serve("/x", farm.Resource{Body: make([]byte, size), RangeMax: most})
	session := asSession(t, newSource(t, nil))
	var lens []int64
	for off := int64(0); off < size; {
		res, body, err := sourcetest.Read(t, session, f.URL("/x"), source.Range{Off: off, Len: 1<<63 - 1 - off})
		if err != nil || int64(len(body)) != res.Len || res.Off != off || res.Size != size {
			t.Fatalf("at %d: %d bytes of %+v, %v", off, len(body), res, err)
		}
		lens = append(lens, res.Len)
		off += res.Len
	}
	if got := fmt.Sprint(lens); got != fmt.Sprint([]int64{most, most, size - 2*most}) {
		t.Errorf("ranges of %s", got)
	}
	if n := f.Count(farm.Connected, ""); n != 1 {
		t.Errorf("%d connections", n)
	}
}
