package gateway

import (
	"errors"
	"net/http"
	"net/http/httptest"
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

func TestGuardIsNoProxy(t *testing.T) {
	for method, target := range map[string]string{http.MethodGet: "http://localhost/healthz", http.MethodConnect: "localhost:80"} {
		r := httptest.NewRequest(method, target, nil)
		r.Host = "localhost"
		if d, ok := errors.AsType[*denial](new(guard).check(r)); !ok || d.status != http.StatusBadRequest {
			t.Errorf("%s %s: got %v", method, target, d)
		}
	}
}
