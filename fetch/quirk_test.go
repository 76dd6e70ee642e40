package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"spate/internal/farm"
	"spate/source"
)

// A quirk is one row of the matrix in docs/failure-model.md: what the origins of an object do, and what comes of it.
type quirk struct {
	name    string
	has     farm.Resource // of the first origin, which has the object, slowly, where nothing else is said
	mirrors []farm.Resource
	size    int // of the object; 0: 4 MiB and a byte

	want   []byte      // what becomes the file; nil: the object
	kind   source.Kind // of the error, where there is one
	status int         // of it
	is     error       // which it is as well

	requests int // exactly so many to the first origin; 0: any number
}

// MiB is what the quirks are told in.
const MiB = 1 << 20

var login = farm.Resource{NoRange: true, Body: []byte("<html>Log in"), MediaType: "text/html", ETag: farm.NoETag}

// other is another object of the same size.
func other(size int) []byte { return bytes.Repeat([]byte("other "), size/6+1)[:size] }

const usual = 4*MiB + 1

// quirks of one origin.
var quirks = []quirk{
	{name: "none"},
	{name: "ignores Range", has: farm.Resource{NoRange: true}, requests: 1},
	{name: "ignores Range, and breaks", has: farm.Resource{NoRange: true, BreakAt: 3 * MiB, BreakTimes: 2}, requests: 3},
	{name: "ignores Range, and breaks each time", has: farm.Resource{NoRange: true, BreakAt: 3 * MiB},
		kind: source.KindNetwork, is: io.ErrUnexpectedEOF},
	{name: "ignores later ranges, and tells no size then", has: afterwards(farm.Resource{NoRange: true, NoLength: true})},
	{name: "ignores later ranges, and tells no size then, nor a validator", has: afterwardsBare(farm.Resource{NoRange: true, NoLength: true})},
	{name: "one machine of two ignores ranges, and tells no size", has: farm.Resource{Machines: []farm.Resource{{}, {NoRange: true, NoLength: true}}}},
	{name: "one machine of two ignores ranges, and tells no size, nor a validator", has: farm.Resource{Machines: []farm.Resource{
		{ETag: farm.NoETag}, {NoRange: true, NoLength: true, ETag: farm.NoETag}}}},
	{name: "one machine of two ignores ranges, and tells no size, and the first breaks", has: farm.Resource{Machines: []farm.Resource{
		{BreakAfter: MiB}, {NoRange: true, NoLength: true}}}},
	{name: "ignores later ranges, and tells no size then, which is another", kind: source.KindChanged, is: source.ErrChanged,
		has: afterwardsBare(farm.Resource{NoRange: true, NoLength: true, Body: whole[:usual+1]})},
	{name: "ignores later ranges", has: afterwards(farm.Resource{NoRange: true})},
	{name: "knows no range but the first", has: farm.Then(farm.Resource{}, farm.Resource{NoRange: true})},

	{name: "Content-Range: starts later", has: farm.Resource{RangeShift: 1}, kind: source.KindProtocol, requests: 1},
	{name: "Content-Range: later ones start later", has: afterwards(farm.Resource{RangeShift: 1})},
	{name: "Content-Range: later ones start earlier", has: afterwards(farm.Resource{RangeShift: -1})},
	{name: "Content-Range: all but that from 0 start later", has: farm.Resource{Handler: http.HandlerFunc(shifted)}},
	{name: "Content-Range: later ones have another total", has: afterwards(farm.Resource{TotalOff: 1}), kind: source.KindChanged, is: source.ErrChanged},
	{name: "Content-Range: ends beyond what was asked", has: farm.Resource{RangeOpen: true}},
	{name: "Content-Range: no total", has: farm.Resource{NoTotal: true}},
	{name: "Content-Range: no total, no length", has: farm.Resource{NoTotal: true, NoLength: true}},
	{name: "Content-Range: no total, no length, and breaks", has: farm.Resource{NoTotal: true, NoLength: true, BreakAt: 3 * MiB, BreakTimes: 2}},
	{name: "Content-Range: no total, and breaks", has: farm.Resource{NoTotal: true, BreakAt: 3 * MiB, BreakTimes: 2}},
	{name: "Content-Range: no total, no length, and breaks, then tells it",
		has: farm.Then(farm.Resource{NoTotal: true, NoLength: true}, farm.Resource{NoLength: true, BreakAt: 3 * MiB}, farm.Resource{})},
	{name: "Content-Range: no total of later ranges", has: afterwards(farm.Resource{NoTotal: true})},

	{name: "short 206", has: farm.Resource{RangeMax: 300_000}},
	{name: "5 MB a request", has: farm.Resource{RangeMax: 5_000_000}, size: 12 * MiB},
	{name: "a short 206 that breaks", has: farm.Resource{RangeMax: 300_000, BreakAfter: 200_000, BreakTimes: 9}},
	{name: "chunked, with ranges", has: farm.Resource{NoLength: true}},
	{name: "chunked, without length", has: farm.Resource{NoLength: true, NoRange: true}, requests: 1},
	{name: "chunked, without length, cut short", has: farm.Resource{NoLength: true, NoRange: true, BreakAt: 3 * MiB, BreakTimes: 1}, requests: 2},
	{name: "chunked, without length, always cut short", has: farm.Resource{NoLength: true, NoRange: true, BreakAt: 3 * MiB}, kind: source.KindNetwork, is: io.ErrUnexpectedEOF, requests: 11},
	{name: "chunked, without length, cut short, then tells it", requests: 2,
		has: farm.Then(farm.Resource{NoLength: true, NoRange: true, BreakAt: 3 * MiB}, farm.Resource{NoRange: true})},
	{name: "chunked, without length, shorter the second time", want: other(2 * MiB), requests: 2,
		has: farm.Then(farm.Resource{NoLength: true, NoRange: true, BreakAt: 3 * MiB, ETag: farm.NoETag},
			farm.Resource{NoLength: true, NoRange: true, ETag: farm.NoETag, Body: other(2 * MiB)})},
	{name: "Content-Length too large", has: farm.Resource{NoRange: true, LengthOff: 1}, kind: source.KindNetwork, is: io.ErrUnexpectedEOF},
	{name: "Content-Length too small", has: farm.Resource{NoRange: true, LengthOff: -1}, want: whole[:usual-1]},
	{name: "Content-Length of a range too large", has: farm.Resource{LengthOff: 1}, kind: source.KindProtocol, requests: 1},
	{name: "Content-Length of later ranges too small", has: afterwards(farm.Resource{LengthOff: -1}), kind: source.KindChanged, is: source.ErrChanged},
	{name: "gzip despite identity", has: farm.Resource{Coding: "gzip"}, kind: source.KindProtocol, requests: 1},
	{name: "gzip of later ranges", has: afterwards(farm.Resource{Coding: "gzip"}), kind: source.KindProtocol},

	{name: "redirect chain", has: farm.Resource{Redirect: "/chain/2"}},
	{name: "redirect loop", has: farm.Resource{Redirect: "/x"}, kind: source.KindProtocol, requests: 1},
	{name: "redirect to another host", has: farm.Resource{Redirect: "$elsewhere"}},
	{name: "redirect to another host for each range", has: afterwards(farm.Resource{Redirect: "$elsewhere"})},

	{name: "404", has: farm.Resource{Status: 404}, kind: source.KindStatus, status: 404, is: fs.ErrNotExist, requests: 1},
	{name: "403", has: farm.Resource{Status: 403}, kind: source.KindAuth, status: 403, is: fs.ErrPermission, requests: 1},
	{name: "404 of later ranges", has: afterwards(farm.Resource{Status: 404}), kind: source.KindStatus, status: 404, is: fs.ErrNotExist},
	{name: "416", has: farm.Resource{Status: 416}, kind: source.KindProtocol, requests: 1},
	{name: "416 of later ranges: it is shorter now", has: afterwards(farm.Resource{Body: other(MiB)}), kind: source.KindChanged, is: source.ErrChanged},
	{name: "429, and when to come back", has: farm.Then(farm.Resource{Status: 429, RetryAfter: "1"}, farm.Resource{})},
	{name: "503, and when to come back, for ranges", has: afterwards(farm.Resource{Status: 503, RetryAfter: "1"}, farm.Resource{})},
	{name: "429 of all but one connection", has: farm.Resource{Most: 1}},
	{name: "403 of all but one connection", has: farm.Resource{Most: 1, Status: 403}},
	{name: "503 of all but two connections", has: farm.Resource{Most: 2, Status: 503, RetryAfter: "1"}},
	{name: "503, then no more", has: farm.Then(farm.Resource{Status: 503}, farm.Resource{Status: 503}, farm.Resource{})},
	{name: "503 for good", has: farm.Resource{Status: 503}, kind: source.KindStatus, status: 503, is: source.ErrUnavailable, requests: 3},
	{name: "500, then no more", has: farm.Then(farm.Resource{Status: 500}, farm.Resource{})},
	{name: "500 for good", has: farm.Resource{Status: 500}, kind: source.KindStatus, status: 500, is: source.ErrUnavailable, requests: 3},
	{name: "500 of later ranges, then no more", has: afterwards(farm.Resource{Status: 500}, farm.Resource{Status: 502}, farm.Resource{})},
	{name: "no HTTP", has: farm.Resource{Garbage: true}, kind: source.KindProtocol, requests: 1},
	{name: "hangs up at first", has: farm.Then(farm.Resource{Handler: raw("")}, farm.Resource{})},

	{name: "changes: another ETag", has: afterwards(farm.Resource{Body: other(usual)}), kind: source.KindChanged, is: source.ErrChanged},
	{name: "changes: another size", has: afterwardsBare(farm.Resource{Body: other(usual + 1)}), kind: source.KindChanged, is: source.ErrChanged},
	{name: "changes: a later date", has: afterwardsBare(farm.Resource{Body: other(usual), ModTime: year2020}), kind: source.KindChanged, is: source.ErrChanged},
	{name: "a login page on later ranges", has: afterwards(login), kind: source.KindChanged, is: source.ErrChanged},
	{name: "a login page on later ranges, without length", has: afterwardsBare(chunked(login)), kind: source.KindChanged, is: source.ErrChanged},

	{name: "zero length", has: farm.Resource{Body: []byte{}}, want: []byte{}, requests: 1},
	{name: "zero length, without length", has: farm.Resource{Body: []byte{}, NoLength: true, NoRange: true}, want: []byte{}, requests: 1},
	{name: "HEAD 405", has: farm.Resource{Handler: http.HandlerFunc(onlyGet)}},
	{name: "HTTP/1.0", has: farm.Resource{Handler: raw("HTTP/1.0 200 OK\r\nContent-Length: 4194305\r\n\r\n" + string(whole[:usual]))}, requests: 1},
	{name: "HTTP/1.0 without length", has: farm.Resource{Handler: raw("HTTP/1.0 200 OK\r\n\r\n" + string(whole[:usual]))}, requests: 1},
	{name: "resets every MiB", has: farm.Resource{BreakAfter: MiB, Reset: true}},
	{name: "resets every few MB", has: farm.Resource{BreakAfter: 3_000_000, Reset: true}, size: 12 * MiB},
	{name: "breaks at a byte, again and again", has: farm.Resource{BreakAt: 2 * MiB, BreakTimes: 4}},
}

func TestQuirks(t *testing.T) {
	for _, q := range quirks {
		q.run(t)
	}
}

// run runs q over one connection, over four, and over as many as pay.
func (q *quirk) run(t *testing.T) {
	for _, n := range []int{1, 4, 0} {
		how := fmt.Sprintf("%s, %d connections", q.name, n)
		if n == 0 {
			how = q.name + ", automatic"
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			size := q.size
			if size == 0 {
				size = usual
			}
			s := newScene(t, whole[:size], append([]farm.Resource{q.has}, q.mirrors...)...)
			q.check(t, s, s.get(n))
		})
	}
}

func (q *quirk) check(t *testing.T, s *scene, o *outcome) {
	t.Helper()
	want := q.want
	if want == nil {
		want = s.data
	}
	if q.kind == source.KindOther && q.is == nil {
		o.wantFile(t, want)
	} else {
		o.wantLeft(t, want)
		q.checkError(t, o.err)
	}
	if n := s.farms[0].Requests("/x"); q.requests > 0 && n != q.requests {
		t.Errorf("%d requests, want %d", n, q.requests)
	}
	for _, f := range s.farms {
		for _, r := range f.Log() {
			if r.Method != http.MethodGet {
				t.Errorf("asked by %s", r.Method)
			}
		}
	}
}

func (q *quirk) checkError(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*source.Error](err)
	switch {
	case !ok || e.Kind != q.kind || e.Status != q.status:
		t.Errorf("got %v (%#v), want one of kind %v, status %d", err, e, q.kind, q.status)
	case q.is != nil && !errors.Is(err, q.is):
		t.Errorf("%v is not %v", err, q.is)
	}
}

// afterwards breaks the first answer at 2 MiB; what comes then is as told.
func afterwards(rs ...farm.Resource) farm.Resource {
	return farm.Then(slices.Insert(rs, 0, farm.Resource{BreakAt: 2 * MiB})...)
}

// afterwardsBare is afterwards of an origin that tells no validator at first.
func afterwardsBare(r farm.Resource) farm.Resource {
	if r.ModTime.IsZero() {
		r.ETag = farm.NoETag
	}
	return farm.Then(farm.Resource{BreakAt: 2 * MiB, ETag: farm.NoETag}, r)
}

func chunked(r farm.Resource) farm.Resource {
	r.NoLength = true
	return r
}

func onlyGet(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "", http.StatusMethodNotAllowed)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(whole[:usual]))
}

// shifted answers every range but one from 0 with another.
func shifted(w http.ResponseWriter, r *http.Request) {
	if was := r.Header.Get("Range"); was != "" && !strings.HasPrefix(was, "bytes=0-") {
		r.Header.Set("Range", "bytes=7-")
	}
	w.Header().Set("ETag", `"1"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(whole[:usual]))
}

// raw answers with text and hangs up.
func raw(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, text)
		_ = c.Close()
	}
}
