package httpsource

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

// to redirects.
func to(location string) http.HandlerFunc {
	return header(http.StatusFound, "moved", "Location", location)
}

// chain puts n redirects in front of /0 and says where they begin.
func chain(o *origin, n int) string {
	o.on("/0", header(200, "hello"))
	for i := range n {
		o.on(fmt.Sprintf("/%d", i+1), to(fmt.Sprintf("/%d", i)))
	}
	return fmt.Sprintf("%s/%d", o.URL, n)
}

func TestRedirect(t *testing.T) {
	o, other := newOrigin(t, plain), newOrigin(t, plain)
	o.on("/end", header(200, "hello"))
	o.on("/dir/end", header(200, "hello"))
	o.on("/a b", header(200, "hello"))
	other.on("/end", header(200, "hello"))
	tests := []struct{ name, location, want string }{
		{"absolute", o.URL + "/end", o.URL + "/end"},
		{"path", "/end", o.URL + "/end"},
		{"relative", "end", o.URL + "/dir/end"},
		{"dots", "../end", o.URL + "/end"},
		{"without scheme", strings.TrimPrefix(other.URL, "http:") + "/end", other.URL + "/end"},
		{"other host", other.URL + "/end", other.URL + "/end"},
		{"query", "/end?x=1", o.URL + "/end?x=1"},
		{"query alone", "?x=1", o.URL + "/dir/start?x=1"},
		{"fragment", "/end#x", o.URL + "/end"},
		{"blanks", "/a b?x y", o.URL + "/a%20b?x%20y"},
		{"dear upper case", strings.ToUpper(o.URL[:4]) + o.URL[4:] + "/end", o.URL + "/end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := o.on("/dir/start", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery != "" {
					header(200, "hello")(w, r)
					return
				}
				to(tt.location)(w, r)
			})
			res, body, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0))
			if err != nil || body != "hello" || res.URL != tt.want {
				t.Errorf("got %q from %+v, %v", body, res, err)
			}
		})
	}
}

func TestRedirectStatus(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/end", header(200, "hello"))
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := o.on("/", header(status, "", "Location", "/end"))
		if _, body, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0)); err != nil || body != "hello" {
			t.Errorf("%d: %q, %v", status, body, err)
		}
		sourcetest.Fails(t, newSource(t, nil), o.on("/", header(status, "")), source.From(0), source.KindProtocol)
	}
}

func TestRedirectCount(t *testing.T) {
	tests := []struct {
		max, n int
		ok     bool
	}{
		{0, 19, true}, {0, 20, true}, {0, 21, false},
		{1, 0, true}, {1, 1, true}, {1, 2, false},
		{-1, 0, true}, {-1, 1, false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d of %d", tt.n, tt.max), func(t *testing.T) {
			o := newOrigin(t, plain)
			s := newSource(t, &Options{MaxRedirects: tt.max})
			url := chain(o, tt.n)
			if !tt.ok {
				sourcetest.Fails(t, s, url, source.From(0), source.KindProtocol)
				return
			}
			res, body, err := sourcetest.Read(t, s, url, source.From(0))
			if err != nil || body != "hello" {
				t.Errorf("got %q, %v", body, err)
			}
			// Bodies of redirects are read, so that one connection does for all.
			if res != nil && res.Conn.Reused != (tt.n > 0) {
				t.Errorf("reused: %v", res.Conn.Reused)
			}
		})
	}
}

func TestRedirectLoop(t *testing.T) {
	tests := []struct {
		name      string
		locations []string // of /0, /1, …
		requests  int
	}{
		{"itself", []string{"/0"}, 1},
		{"itself with a fragment", []string{"/0#x"}, 1},
		{"there and back", []string{"/1", "/0"}, 2},
		{"into a loop", []string{"/1", "/2", "/1"}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, plain)
			for i, l := range tt.locations {
				o.on(fmt.Sprintf("/%d", i), to(l))
			}
			e := sourcetest.Fails(t, newSource(t, nil), o.URL+"/0", source.From(0), source.KindProtocol)
			if !strings.Contains(e.Error(), "redirect loop") {
				t.Errorf("got %v", e)
			}
			if n := len(o.requests()); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
		})
	}
}

func TestRedirectRefused(t *testing.T) {
	o := newOrigin(t, plain)
	tests := []struct {
		location string
		kind     source.Kind
	}{
		{"file:///etc/passwd", source.KindRefused},
		{"ftp://host/", source.KindRefused},
		{"data:text/plain,hello", source.KindRefused},
		{"javascript:alert(1)", source.KindRefused},
		{"http://", source.KindProtocol},
		{"http:///x", source.KindProtocol},
		{"http://h:port/", source.KindProtocol},
		{"http://h:65536/", source.KindProtocol},
		{"/%zz", source.KindProtocol},
		{"http://[", source.KindProtocol},
		{"", source.KindProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.location, func(t *testing.T) {
			sourcetest.Fails(t, newSource(t, nil), o.on("/", to(tt.location)), source.From(0), tt.kind)
		})
	}
}

func TestRedirectToFailure(t *testing.T) {
	o := newOrigin(t, plain)
	url := o.on("/", to("/missing?token=hunter2"))
	e := sourcetest.Fails(t, newSource(t, nil), url, source.From(0), source.KindStatus)
	if want := "open " + url + ": redirected to " + o.URL + "/missing?token=xxxxx: 404 Not Found"; e.Error() != want {
		t.Errorf("got %q, want %q", e, want)
	}
	if !errors.Is(e, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", e)
	}
	url = o.on("/", to(dead(t)))
	e = sourcetest.Fails(t, newSource(t, nil), url, source.From(0), source.KindNetwork)
	if !strings.Contains(e.Error(), "redirected to") {
		t.Errorf("got %q", e)
	}
}

func TestRedirectCredentials(t *testing.T) {
	const userinfo = "user:pw@"
	with := func(url string) string { return strings.Replace(url, "://", "://"+userinfo, 1) }
	first, second := newOrigin(t, plain), newOrigin(t, plain)
	first.on("/end", header(200, "hello"))
	second.on("/end", header(200, "hello"))
	second.on("/back", to(first.URL+"/end"))
	tests := []struct {
		name, location string
		at             *origin // of the last request
		sent           bool
		final          string
	}{
		{"path", "/end", first, true, with(first.URL) + "/end"},
		{"same origin", first.URL + "/end", first, true, with(first.URL) + "/end"},
		{"other port", second.URL + "/end", second, false, second.URL + "/end"},
		{"there and back", second.URL + "/back", first, false, first.URL + "/end"},
		{"other name", strings.Replace(first.URL, "127.0.0.1", "localhost", 1) + "/end", first, false, strings.Replace(first.URL, "127.0.0.1", "localhost", 1) + "/end"},
		{"credentials of the redirect's own", with(second.URL) + "/end", second, true, with(second.URL) + "/end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := with(first.on("/start", to(tt.location)))
			res, body, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0))
			if err != nil || body != "hello" || res.URL != tt.final {
				t.Errorf("got %q from %+v, %v", body, res, err)
			}
			all := tt.at.requests()
			if _, _, sent := all[len(all)-1].BasicAuth(); sent != tt.sent {
				t.Errorf("credentials sent: %v, want %v", sent, tt.sent)
			}
		})
	}
}

func TestRedirectKeepsRange(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/end", serve([]byte("0123456789")))
	res, body, err := sourcetest.Read(t, newSource(t, nil), o.on("/", to("/end")), source.Range{Off: 3, Len: 4})
	if err != nil || body != "3456" || res.Off != 3 {
		t.Errorf("got %q from %d, %v", body, res.Off, err)
	}
}

// A redirect with an endless body is left, not read.
func TestRedirectWithEndlessBody(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/end", header(200, "hello"))
	url := o.on("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/end")
		w.WriteHeader(302)
		for r.Context().Err() == nil {
			_, _ = w.Write(make([]byte, 4096))
		}
	})
	if _, body, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0)); err != nil || body != "hello" {
		t.Errorf("got %q, %v", body, err)
	}
}
