package gateway

import (
	"bufio"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	mine, public := guard{}, guard{public: true, token: "secret"}
	tests := []struct {
		name   string
		guard  *guard
		host   string
		header map[string]string
		want   int // 0: it is answered
	}{
		{"by address", &mine, "127.0.0.1:8080", nil, 0},
		{"by another address of the machine's own", &mine, "127.9.9.9", nil, 0},
		{"by IPv6", &mine, "[::1]:8080", nil, 0},
		{"by name", &mine, "LocalHost:8080", nil, 0},
		{"by a name that somebody had resolved to here", &mine, "evil.example:8080", nil, http.StatusMisdirectedRequest},
		{"by a name that begins well", &mine, "localhost.evil.example", nil, http.StatusMisdirectedRequest},
		{"by a name that looks like an address", &mine, "127.0.0.1.evil.example", nil, http.StatusMisdirectedRequest},
		{"by another address", &mine, "192.168.0.7:8080", nil, http.StatusMisdirectedRequest},
		{"by a name in brackets", &mine, "[localhost]:8080", nil, http.StatusMisdirectedRequest},
		{"by an address between odd brackets", &mine, "]127.0.0.1[", nil, http.StatusMisdirectedRequest},
		{"by IPv6 without brackets", &mine, "::1", nil, http.StatusMisdirectedRequest},
		{"by a port that is none", &mine, "localhost:evil", nil, http.StatusMisdirectedRequest},
		{"by no port behind a colon", &mine, "localhost:", nil, 0},
		{"without Host", &mine, "", nil, http.StatusMisdirectedRequest},
		{"typed in by the user", &mine, "localhost", map[string]string{"Sec-Fetch-Site": "none"}, 0},
		{"by its own page", &mine, "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8080"}, 0},
		{"by an image of another site, which sends no Origin", &mine, "localhost:8080", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{"by another port of this machine", &mine, "localhost:8080", map[string]string{"Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		{"by another site", &mine, "localhost:8080", map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden},
		{"by another port, as an old browser says", &mine, "localhost:8080", map[string]string{"Origin": "http://localhost:9090"}, http.StatusForbidden},
		{"by a page without an origin", &mine, "localhost:8080", map[string]string{"Origin": "null"}, http.StatusForbidden},
		{"without the token", &public, "spate.example", nil, http.StatusUnauthorized},
		{"with the token", &public, "spate.example", map[string]string{"Authorization": "bearer secret"}, 0},
		{"with another token", &public, "spate.example", map[string]string{"Authorization": "Bearer secre"}, http.StatusUnauthorized},
		{"with an empty token", &public, "spate.example", map[string]string{"Authorization": "Bearer "}, http.StatusUnauthorized},
		{"with the token as password", &public, "spate.example", map[string]string{"Authorization": "Basic dTpzZWNyZXQ="}, 0},
		{"with the token as user", &public, "spate.example", map[string]string{"Authorization": "Basic c2VjcmV0Og=="}, http.StatusUnauthorized},
		{"with the token, by another site", &public, "spate.example", map[string]string{"Authorization": "Bearer secret", "Origin": "http://evil.example"}, http.StatusForbidden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/healthz", nil)
			r.Host = tt.host
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			status := 0
			if d, ok := errors.AsType[*denial](tt.guard.check(r)); ok {
				status = d.status
			}
			if status != tt.want {
				t.Errorf("got %d, want %d", status, tt.want)
			}
		})
	}
}

// TestAbsoluteForm: a server has to take a target that is a whole URL (RFC 9112 §3.2.2). Its host counts then, not that of Host.
func TestAbsoluteForm(t *testing.T) {
	tests := []struct {
		name, method, target string
		want                 int // 0: it is answered
	}{
		{"for what is here", http.MethodGet, "http://localhost:8080/healthz", 0},
		{"by https, as something before us may have it", http.MethodGet, "HTTPS://127.0.0.1/healthz", 0},
		{"for another host", http.MethodGet, "http://evil.example/healthz", http.StatusMisdirectedRequest},
		{"by another scheme", http.MethodGet, "ftp://localhost/healthz", http.StatusBadRequest},
		{"with a login", http.MethodGet, "http://u:p@localhost/healthz", http.StatusBadRequest},
		{"without a host", http.MethodGet, "http:///healthz", http.StatusBadRequest},
		{"of no path", http.MethodGet, "http:healthz", http.StatusBadRequest},
		{"for a tunnel", http.MethodConnect, "localhost:80", http.StatusBadRequest},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := tt.method + " " + tt.target + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
			if err != nil {
				t.Fatal(err)
			}
			status := 0
			if d, ok := errors.AsType[*denial](new(guard).check(inOriginForm(r))); ok {
				status = d.status
			}
			if status != tt.want {
				t.Errorf("got %d, want %d", status, tt.want)
			}
		})
	}
}

func TestInOriginForm(t *testing.T) {
	for target, want := range map[string]string{
		"http://localhost":                      "/",
		"http://localhost?q":                    "/?q",
		"http://localhost/a%2Fb//c?d/e?f":       "/a%2Fb//c?d/e?f",
		"http://localhost//evil.example/":       "//evil.example/",
		"http://localhost/s/http://h//a?u=b://": "/s/http://h//a?u=b://",
		"/s/http://h/a":                         "/s/http://h/a",
		"ftp://localhost/a":                     "ftp://localhost/a",
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		path, _, _ := strings.Cut(want, "?")
		got := inOriginForm(r)
		if got.RequestURI != want || strings.HasPrefix(want, "/") && (got.URL.EscapedPath() != path || got.URL.IsAbs()) {
			t.Errorf("%s: got %s, of path %s", target, got.RequestURI, got.URL.EscapedPath())
		}
	}
}
