package httpsource

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"time"

	"spate/source"
	"spate/source/sourcetest"
)

func TestStatus(t *testing.T) {
	o := newOrigin(t, plain)
	s := newSource(t, nil)
	tests := []struct {
		status   int
		kind     source.Kind
		is, isNo error
	}{
		{400, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
		{401, source.KindAuth, fs.ErrPermission, fs.ErrNotExist},
		{403, source.KindAuth, fs.ErrPermission, fs.ErrNotExist},
		{404, source.KindStatus, fs.ErrNotExist, source.ErrUnavailable},
		{407, source.KindAuth, fs.ErrPermission, fs.ErrNotExist},
		{410, source.KindStatus, fs.ErrNotExist, source.ErrUnavailable},
		{416, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
		{429, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
		{500, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
		{503, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
		{599, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
		{999, source.KindStatus, source.ErrUnavailable, fs.ErrNotExist},
	}
	for _, tt := range tests {
		t.Run(statusText(tt.status), func(t *testing.T) {
			url := o.on("/", header(tt.status, "a page about it\x1b[2J", "Content-Type", "text/html"))
			e := sourcetest.Fails(t, s, url, source.From(0), tt.kind)
			if e.Status != tt.status || !errors.Is(e, tt.is) || errors.Is(e, tt.isNo) {
				t.Errorf("%v has status %d, is %v: %v, is %v: %v", e, e.Status, tt.is, errors.Is(e, tt.is), tt.isNo, errors.Is(e, tt.isNo))
			}
			if want := "open " + url + ": " + statusText(tt.status); e.Error() != want {
				t.Errorf("got %q, want %q", e, want)
			}
		})
	}
	for _, status := range []int{201, 202, 203, 206, 226, 300, 304, 305, 306, 399} {
		t.Run(statusText(status), func(t *testing.T) {
			if e := sourcetest.Fails(t, s, o.on("/", header(status, "")), source.From(0), source.KindProtocol); e.Status != 0 {
				t.Errorf("status %d", e.Status)
			}
		})
	}
}

func TestSwitchingProtocols(t *testing.T) {
	url := raw(t, saying("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello"))
	sourcetest.Fails(t, newSource(t, nil), url, source.From(0), source.KindProtocol)
}

func TestEarlyHints(t *testing.T) {
	url := raw(t, saying("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"))
	if _, body, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0)); body != "hello" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestNoContent(t *testing.T) {
	o := newOrigin(t, plain)
	s := newSource(t, nil)
	for _, rng := range []source.Range{source.From(0), source.From(10), {Off: 5, Len: 5}} {
		for _, status := range []int{202, 204, 205} {
			sourcetest.Fails(t, s, o.on("/", header(status, "")), rng, source.KindProtocol)
		}
	}
	url := raw(t, saying("HTTP/1.1 205 Reset Content\r\nContent-Length: 5\r\n\r\nhello"))
	sourcetest.Fails(t, s, url, source.From(0), source.KindProtocol)
}

func TestRetryAfter(t *testing.T) {
	const date = "Mon, 02 Jan 2006 15:04:05 GMT"
	tests := []struct {
		value, date string
		want        time.Duration
	}{
		{"", "", 0},
		{"0", "", 0},
		{"120", "", 2 * time.Minute},
		{" 7 ", "", 7 * time.Second},
		{"86400", "", 24 * time.Hour},
		{"86401", "", 24 * time.Hour},
		{"18446744073709551615", "", 24 * time.Hour},
		{"18446744073709551616", "", 0},
		{"-1", "", 0},
		{"1.5", "", 0},
		{"soon", "", 0},
		{"Mon, 02 Jan 2006 15:05:05 GMT", date, time.Minute},
		{"Monday, 02-Jan-06 15:05:05 GMT", date, time.Minute},
		{"Mon Jan  2 15:05:05 2006", date, time.Minute},
		{"Mon, 02 Jan 2006 15:04:04 GMT", date, 0},
		{"Mon, 02 Jan 2036 15:04:04 GMT", date, 24 * time.Hour},
		{"Mon, 02 Jan 2006 15:04:04 GMT", "", 0},
		{"Mon, 02 Jan 2006 15:04:04 GMT", "yesterday", 0},
	}
	for _, tt := range tests {
		h := http.Header{}
		h.Set("Retry-After", tt.value)
		h.Set("Date", tt.date)
		if got := retryAfter(h); got != tt.want {
			t.Errorf("%q at %q: %v, want %v", tt.value, tt.date, got, tt.want)
		}
	}
	o := newOrigin(t, plain)
	for _, tt := range []struct {
		value string
		want  time.Duration
	}{{"3", 3 * time.Second}, {"Mon, 02 Jan 2006 15:04:07 GMT", 2 * time.Second}} {
		url := o.on("/", header(503, "", "Retry-After", tt.value, "Date", date))
		if e := sourcetest.Fails(t, newSource(t, nil), url, source.From(0), source.KindStatus); e.RetryAfter != tt.want {
			t.Errorf("RetryAfter = %v, want %v", e.RetryAfter, tt.want)
		}
	}
}

func TestCoding(t *testing.T) {
	o := newOrigin(t, plain)
	s := newSource(t, nil)
	for _, coding := range []string{"gzip", "br", "GZIP", "identity, gzip", "x"} {
		url := o.on("/", header(200, "hello", "Content-Encoding", coding))
		sourcetest.Fails(t, s, url, source.From(0), source.KindProtocol)
	}
	for _, coding := range []string{"", "identity", "Identity", "identity, identity", " "} {
		url := o.on("/", header(200, "hello", "Content-Encoding", coding))
		if _, body, err := sourcetest.Read(t, s, url, source.From(0)); body != "hello" || err != nil {
			t.Errorf("%q: %q, %v", coding, body, err)
		}
	}
	for _, r := range o.requests() {
		if got := r.Header.Values("Accept-Encoding"); len(got) != 1 || got[0] != "identity" {
			t.Errorf("Accept-Encoding: %q", got)
		}
	}
}

func TestRequest(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/a b", header(200, "hello"))
	tests := []struct {
		name, url    string
		opts         *Options
		rng          source.Range
		uri, rngSent string
		agent        string
	}{
		{"plain", "/a%20b", nil, source.From(0), "/a%20b", "", "spate"},
		{"range", "/a%20b", nil, source.From(7), "/a%20b", "bytes=7-", "spate"},
		{"bounded range", "/a%20b", nil, source.Range{Off: 0, Len: 10}, "/a%20b", "bytes=0-9", "spate"},
		{"empty range", "/a%20b", nil, source.Range{Off: 3}, "/a%20b", "bytes=3-3", "spate"},
		{"range beyond all numbers", "/a%20b", nil, source.Range{Off: 2, Len: 1<<63 - 1}, "/a%20b", "bytes=2-", "spate"},
		{"range of all numbers", "/a%20b", nil, source.Range{Len: 1<<63 - 1}, "/a%20b", "bytes=0-", "spate"},
		{"query and fragment", "/a%20b?x=%20y#z", nil, source.From(0), "/a%20b?x=%20y", "", "spate"},
		{"escapes kept", "/a%20b%2F?", nil, source.From(0), "/a%20b%2F?", "", "spate"},
		{"user agent", "/a%20b", &Options{UserAgent: "x/1"}, source.From(0), "/a%20b", "", "x/1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, _ = sourcetest.Read(t, newSource(t, tt.opts), o.URL+tt.url, tt.rng)
			all := o.requests()
			r := all[len(all)-1]
			if r.Method != "GET" || r.RequestURI != tt.uri || r.Header.Get("Range") != tt.rngSent || r.UserAgent() != tt.agent {
				t.Errorf("%s %s, Range %q, User-Agent %q", r.Method, r.RequestURI, r.Header.Get("Range"), r.UserAgent())
			}
			if got := r.Header.Get("Authorization"); got != "" {
				t.Errorf("Authorization %q", got)
			}
		})
	}
}

func TestBasicAuth(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/", header(200, "hello"))
	for _, info := range []string{"user:pass", "user", "us%2Fer:p%40s:s", ":pw"} {
		url := strings.Replace(o.URL, "://", "://"+info+"@", 1) + "/"
		if _, _, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0)); err != nil {
			t.Error(err)
		}
	}
	var got []string
	for _, r := range o.requests() {
		user, pass, _ := r.BasicAuth()
		got = append(got, user+" "+pass)
		if strings.Contains(r.Host, "@") {
			t.Errorf("Host %q", r.Host)
		}
	}
	if s := strings.Join(got, "|"); s != "user pass|user |us/er p@s:s| pw" {
		t.Errorf("sent %q", s)
	}
}

func TestErrorHidesSecrets(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/loop", header(302, "", "Location", "/loop?token=hunter2"))
	for _, path := range []string{"/missing?token=hunter2", "/loop?sig=hunter2", "/loop"} {
		url := strings.Replace(o.URL, "://", "://user:hunter2@", 1) + path
		_, _, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}
