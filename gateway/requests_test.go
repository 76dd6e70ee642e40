package gateway_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/farm"
)

// raw sends the text of a request, with Host and an end to its connection added where there is none, and returns the answer with its
// body.
func (s *scene) raw(t *testing.T, text string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if !strings.Contains(text, "Host:") {
		text += "Host: localhost\r\n"
	}
	if _, err := io.WriteString(conn, text+"Connection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%q: %v", text, err)
	}
	resp.Body.Close()
	return resp, string(body)
}

// TestRequestsThatAreNone has what nobody sends who means well. Nothing of it gets to an origin.
func TestRequestsThatAreNone(t *testing.T) {
	s := stage(t, func(g *gateway.Options, _ *fill.Options) { g.Policy = &gateway.Policy{Hosts: []string{"localhost"}} })
	s.Serve("/", farm.Resource{Body: []byte("reached")})
	there := s.URL("/a")
	tests := []struct {
		name, request string
		want          int
	}{
		{"to a proxy", "GET http://evil.example/a HTTP/1.1\r\n", 421},
		{"to a proxy, for what is on this machine", "GET " + there + " HTTP/1.1\r\n", 404},
		{"to a proxy, for a file", "GET file:///etc/passwd HTTP/1.1\r\n", 400},
		{"to a proxy, for a host that is not allowed", "GET http://localhost/s/" + there + " HTTP/1.1\r\n", 403},
		{"to a proxy, with a login", "GET http://u:s3cret@localhost/s/http://h/ HTTP/1.1\r\n", 400},
		{"for a tunnel", "CONNECT " + s.Addr() + " HTTP/1.1\r\n", 400},
		{"for a tunnel to a path", "CONNECT /s/" + there + " HTTP/1.1\r\n", 400},
		{"with a control character", "GET /s/http://localhost/\x01 HTTP/1.1\r\n", 400},
		{"with DEL", "GET /s/http://localhost/\x7f HTTP/1.1\r\n", 400},
		{"with a line break, encoded", "GET /s/http://localhost/%0d%0aX:%20y HTTP/1.1\r\n", 502},
		{"with a line break, encoded as a whole", "GET /s/http%3A%2F%2Flocalhost%2F%0d%0aX:%20y HTTP/1.1\r\n", 400},
		{"with a blank", "GET /s/http://localhost/a b HTTP/1.1\r\n", 400},
		{"with an escape sequence", "GET /s/http%3A%2F%2Flocalhost%2F%1b[2J HTTP/1.1\r\n", 400},
		{"without a Host", "GET /healthz HTTP/1.1\r\nNot-Host: a\r\n", 400},
		{"with two", "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400},
		{"with that of somebody else", "GET /healthz HTTP/1.1\r\nHost: evil.example\r\n", 421},
		{"for the image of a page", "GET /s/" + there + " HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\nHost: localhost\r\n", 403},
		{"of a page", "GET /s/" + there + " HTTP/1.1\r\nOrigin: http://evil.example\r\nHost: localhost\r\n", 403},
		{"of a page in a frame", "GET /s/" + there + " HTTP/1.1\r\nOrigin: null\r\nHost: localhost\r\n", 403},
		{"whether a page may ask", "OPTIONS /s/" + there + " HTTP/1.1\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: GET\r\nHost: localhost\r\n", 403},
		{"for a host that is not allowed", "GET /s/" + there + " HTTP/1.1\r\n", 403},
		{"for one, in a user", "GET /s/http://localhost@" + s.Addr() + "/a HTTP/1.1\r\n", 403},
		{"for one, behind a backslash", "GET /s/http://localhost\\@" + s.Addr() + "/a HTTP/1.1\r\n", 400},
		{"of a scheme there is none of", "GET /s/gopher://localhost/ HTTP/1.1\r\n", 400},
		{"for a script", "GET /s/javascript:alert(1) HTTP/1.1\r\n", 400},
		{"for a folder above", "GET /../../etc/passwd HTTP/1.1\r\n", 404},
		{"for a file", "GET /s/file:///etc/passwd HTTP/1.1\r\n", 403},
		{"for a file of another host", "GET /s/file://localhost/etc/passwd HTTP/1.1\r\n", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := s.raw(t, tt.request)
			if resp.StatusCode != tt.want || strings.Contains(body, "reached") {
				t.Errorf("got %d, %q; want %d", resp.StatusCode, body, tt.want)
			}
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("it has %s", name)
				}
			}
		})
	}
	if resp, body := s.raw(t, "GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\n"); resp.StatusCode != 200 || body != "ok\n" {
		t.Errorf("in absolute form: %d, %q", resp.StatusCode, body)
	}
	if strings.Contains(s.log.String(), "s3cret") {
		t.Error("the log has a password")
	}
	if n := s.Requests("/"); n > 0 {
		t.Errorf("%d requests have got to the origin", n)
	}
	for line := range strings.Lines(s.log.String()) {
		if !strings.HasPrefix(line, "time=") || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\r\x00\x01\u009b") {
			t.Errorf("the log has %q", line)
		}
	}
}

// TestForeignPage: what somebody else wrote is shown as a page of nobody, and guessed at by no browser.
func TestForeignPage(t *testing.T) {
	s := stage(t, nil)
	s.Serve("/page", farm.Resource{Body: []byte("<script>"), MediaType: "text/html",
		Header: http.Header{"Set-Cookie": {"a=b"}, "Access-Control-Allow-Origin": {"*"}, "Strict-Transport-Security": {"max-age=9"}}})
	s.Serve("/missing", farm.Resource{Body: []byte("<script>"), MediaType: "text/html", Status: 404})
	for _, path := range []string{"/page", "/missing"} {
		h := s.ask(t, http.MethodGet, s.of(path)).Header
		if h.Get("Content-Security-Policy") != "sandbox" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %v", path, h)
		}
		for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin", "Strict-Transport-Security"} {
			if h.Get(name) != "" {
				t.Errorf("%s: %s is passed on", path, name)
			}
		}
	}
}

// TestMediaIsShownByTheBrowser: what plays it is the browser's own, and asks for ranges in the name of the page that it has
// made for it: that is of this site, where it is not sandboxed.
func TestMediaIsShownByTheBrowser(t *testing.T) {
	s := stage(t, nil)
	for mediaType, want := range map[string]string{
		"video/webm": "", "audio/x-wav": "", `Video/MP4; codecs="a"`: "", "image/svg+xml": "sandbox", "text/html": "sandbox",
		"application/octet-stream": "sandbox", "video/": "sandbox", "": "sandbox",
	} {
		s.Serve("/x", farm.Resource{Body: []byte("x"), MediaType: mediaType})
		s.pool.Forget([]string{s.URL("/x")})
		h := s.ask(t, http.MethodGet, s.of("/x")).Header
		if h.Get("Content-Security-Policy") != want || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", mediaType, h)
		}
	}
}

// TestNothingOfTheClient: what tells who asks does not get to the origin.
func TestNothingOfTheClient(t *testing.T) {
	s := stage(t, func(g *gateway.Options, _ *fill.Options) { g.Token = "s3cret" })
	s.put("/a", text("a", 10))
	status, _ := s.get(t, s.of("/a"), "Authorization", "Bearer s3cret", "Cookie", "a=b", "User-Agent", "somebody", "X-Forwarded-For", "192.0.2.1",
		"Referer", "http://localhost/secret", "Proxy-Authorization", "Basic eDp5")
	if status != http.StatusOK {
		t.Fatalf("got %d", status)
	}
	for name, values := range s.Log()[0].Header {
		if !slices.Contains([]string{"Range", "Accept-Encoding", "Want-Digest", "Want-Repr-Digest"}, name) && (name != "User-Agent" || values[0] != "spate") {
			t.Errorf("the origin is sent %s: %q", name, values)
		}
	}
	if strings.Contains(s.log.String(), "s3cret") {
		t.Error("the log has the token")
	}
}

// TestHTTP2: ranges, and cuts, as over HTTP/1.1.
func TestHTTP2(t *testing.T) {
	s := stage(t, nil)
	server := httptest.NewUnstartedServer(s.server.Config.Handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	film := made(1, 5_000_000)
	s.Serve("/film", film)
	dying := film
	dying.BreakAt = 1_000_000
	s.Serve("/dying", dying)
	ask := func(path, rng string) (*http.Response, []byte, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+s.of(path), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Range", rng)
		resp, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return resp, body, err
	}
	if resp, got, err := ask("/film", "bytes=4000000-"); err != nil || resp.ProtoMajor != 2 || resp.StatusCode != 206 || !bytes.Equal(got, some(film, 4e6, 1e6)) {
		t.Errorf("got %s %d, %d bytes, %v", resp.Proto, resp.StatusCode, len(got), err)
	}
	resp, got, err := ask("/dying", "bytes=0-")
	if err == nil || !strings.Contains(err.Error(), "INTERNAL_ERROR") || !bytes.Equal(got, some(film, 0, int64(len(got)))) { // RST_STREAM
		t.Errorf("got %s %d, %d bytes, %v", resp.Proto, resp.StatusCode, len(got), err)
	}
}
