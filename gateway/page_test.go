package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"spate/gateway"
	"spate/gateway/fill"
)

// saying is a page that tells what it was asked for.
func saying(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'self'")
	fmt.Fprintf(w, "page %s %s", r.Method, r.URL)
}

func withPage(g *gateway.Options, _ *fill.Options) {
	g.Page = http.HandlerFunc(saying)
	g.Serve = map[string][]string{"film": {"http://127.0.0.1:1/film"}, "view/x": {"http://127.0.0.1:1/film"}}
}

// TestPage: which paths are the page's, without an origin and before one.
func TestPage(t *testing.T) {
	paths := map[string]bool{"/": true, "/?a=b": true, "/view/": true, "/view/7/events": true, "/view/x": true, "/static/a.js": true,
		"/view": false, "/static": false, "/viewer/": false, "/index.html": false, "/film": false, "/s/": false, "/file/1/film": false,
		"/healthz": false, "/metrics": false, "//": false, "/s/view/": false}
	s := stage(t, withPage)
	p := before(t, "", func(g *gateway.Options) { withPage(g, nil) })
	p.has("the origin's")
	for path, isPage := range paths {
		want := "page GET " + path
		resp := s.ask(t, http.MethodGet, path)
		body, err := io.ReadAll(resp.Body)
		if err != nil || (string(body) == want) != isPage {
			t.Errorf("%s: got %d, %q, %v", path, resp.StatusCode, body, err)
		}
		if csp := resp.Header.Get("Content-Security-Policy"); isPage && csp != "default-src 'self'" {
			t.Errorf("%s: Content-Security-Policy is %q", path, csp)
		}
		if a := p.ask(t, "GET", "/.spate"+path); (a.body == want) != isPage {
			t.Errorf("/.spate%s: got %s, %q", path, a.Status, a.body)
		}
		if a := p.ask(t, "GET", path); a.body != "the origin's" {
			t.Errorf("%s before an origin: got %s, %q", path, a.Status, a.body)
		}
	}
	if a := p.ask(t, "GET", "/.spate"); a.StatusCode != http.StatusTemporaryRedirect || a.Header.Get("Location") != "/.spate/" {
		t.Errorf("/.spate: got %s, %v", a.Status, a.Header)
	}
	if !strings.Contains(s.log.String(), "target=/view/7/events ") || !strings.Contains(string(s.body(t, "/metrics")), "spate_gateway_client_bytes_total ") {
		t.Errorf("it is not logged: %s", s.log)
	}
}

// body is what a path has, which is there.
func (s *scene) body(t *testing.T, path string) []byte {
	t.Helper()
	status, body := s.get(t, path)
	if status != http.StatusOK {
		t.Errorf("%s: got %d", path, status)
	}
	return body
}

// TestNoPage: without one its paths are names as any other.
func TestNoPage(t *testing.T) {
	s := stage(t, nil)
	for _, path := range []string{"/", "/view/", "/static/a.js"} {
		if status, body := s.get(t, path, "Sec-Fetch-Site", "none"); status != http.StatusNotFound {
			t.Errorf("%s: got %d, %q", path, status, body)
		}
	}
	if status, _ := s.get(t, "/", linked...); status != http.StatusForbidden {
		t.Errorf("by a link: got %d", status)
	}
}

// linked is what a browser says where somebody has followed a link of another site.
var linked = []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}

// TestPageOfAnotherSite: a link leads to the page; nothing else that another site asks for is answered.
func TestPageOfAnotherSite(t *testing.T) {
	s := stage(t, withPage)
	p := before(t, "", func(g *gateway.Options) { withPage(g, nil) })
	with := func(name, value string) []string { return append(append([]string{}, linked...), name, value) }
	tests := []struct {
		name, method, path string
		header             []string
		want               int
	}{
		{"a link", "GET", "/", linked, 200},
		{"a link with a query", "GET", "/?url=x", linked, 200},
		{"a link of another port", "GET", "/", with("Sec-Fetch-Site", "same-site"), 200},
		{"a form", "POST", "/", linked, 403},
		{"a link to what works", "GET", "/view/", linked, 403},
		{"a link to a view", "GET", "/view/7/body", linked, 403},
		{"a link to a script", "GET", "/static/a.js", linked, 403},
		{"a link to a URL", "GET", "/s/http://h/", linked, 403},
		{"a link to a name", "GET", "/film", linked, 403},
		{"a link to the figures", "GET", "/metrics", linked, 403},
		{"a frame", "GET", "/", with("Sec-Fetch-Dest", "iframe"), 403},
		{"an object", "GET", "/", with("Sec-Fetch-Dest", "object"), 403},
		{"a script", "GET", "/", with("Sec-Fetch-Mode", "no-cors"), 403},
		{"a script that reads", "GET", "/", []string{"Origin", "http://evil.example"}, 403},
		{"an old browser's image", "GET", "/", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"the name of another", "GET", "/", with("Host", "evil.example"), 421},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := tt.method + " " + tt.path + " HTTP/1.1\r\n"
			header := ""
			set := map[string]string{}
			for i := 0; i < len(tt.header); i += 2 {
				set[tt.header[i]] = tt.header[i+1]
			}
			for name, value := range set {
				header += name + ": " + value + "\r\n"
			}
			if resp, body := s.raw(t, request+header); resp.StatusCode != tt.want {
				t.Errorf("got %d, %q; want %d", resp.StatusCode, body, tt.want)
			}
			delete(set, "Host")
			if set["Sec-Fetch-Mode"] == "" || tt.want == 421 {
				return
			}
			lines := strings.Split(strings.TrimSuffix(header, "\r\n"), "\r\n")
			if a := p.ask(t, tt.method, "/.spate"+tt.path, lines...); a.StatusCode != tt.want {
				t.Errorf("before an origin: got %s, %q; want %d", a.Status, a.body, tt.want)
			}
		})
	}
}

// TestPageKeepsItsToken: who has to know a token has to know it for the page as well.
func TestPageKeepsItsToken(t *testing.T) {
	s := stage(t, func(g *gateway.Options, f *fill.Options) { withPage(g, f); g.Token = "s3cret" })
	if status, _ := s.get(t, "/", linked...); status != http.StatusUnauthorized {
		t.Errorf("got %d", status)
	}
	if status, body := s.get(t, "/", "Authorization", "Bearer s3cret"); status != http.StatusOK || string(body) != "page GET /" {
		t.Errorf("with it: got %d, %q", status, body)
	}
}

// TestPageThatIsPaused: who reads what a page sends may stop for as long as he likes, and a request with a body may be answered for
// hours.
func TestPageThatIsPaused(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil || http.NewResponseController(w).Flush() != nil {
			t.Error(err)
		}
		for range 4 {
			if _, err := w.Write(make([]byte, 256<<10)); err != nil || r.Context().Err() != nil {
				t.Errorf("%q: %v, %v", sent, err, r.Context().Err())
			}
		}
	})
	withOptions(t, &gateway.Options{Page: page}, nil, func(t *testing.T, conn net.Conn) {
		r := bufio.NewReaderSize(conn, 4<<10)
		for _, request := range []string{"GET /view/7/body HTTP/1.1\r\nHost: localhost\r\n\r\n",
			"POST /view/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nsent"} {
			go io.WriteString(conn, request)
			resp, err := http.ReadResponse(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			for n := int64(0); n < 1<<20; n += 256 << 10 {
				time.Sleep(time.Hour)
				if _, err := io.CopyN(io.Discard, resp.Body, 256<<10); err != nil {
					t.Fatalf("after %d bytes: %v", n, err)
				}
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Error(err)
			}
		}
	})
}
