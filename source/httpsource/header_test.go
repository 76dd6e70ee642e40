package httpsource

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/source"
)

// answering is an origin whose answers have that header.
func answering(t *testing.T, status int, header http.Header) *httptest.Server {
	o := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte("hello")[:max(0, min(5, 205-status))])
	}))
	t.Cleanup(o.Close)
	return o
}

func TestInfoHeader(t *testing.T) {
	long := strings.Repeat("x", 16<<10)
	date := []string{"Mon, 02 Jan 2006 15:04:05 GMT"}
	tests := []struct {
		name   string
		status int
		header http.Header
		want   map[string][]string
	}{
		{"as it is", 200, http.Header{"Cache-Control": {"max-age=1", "public"}, "Content-Type": {"text/html; charset=x"}},
			map[string][]string{"Cache-Control": {"max-age=1", "public"}, "Content-Type": {"text/html; charset=x"}}},
		{"not what is of one connection", 200, http.Header{"Connection": {"x-hop"}, "Keep-Alive": {"a"}, "X-Hop": {"b"}, "X-End": {"c"},
			"Proxy-Authenticate": {"d"}, "Upgrade": {"e"}}, map[string][]string{"X-End": {"c"}}},
		{"not what is of one message", 206, http.Header{"Content-Range": {"bytes 0-1/5"}, "Content-Length": {"2"}, "X-End": {"c"}},
			map[string][]string{"X-End": {"c"}}},
		{"too much", 200, http.Header{"X-Long": {long}}, nil},
		{"not that of an error's page", 416, http.Header{"Content-Range": {"bytes */0"}, "X-End": {"c"}}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.header["Date"] = date
			if tt.header["Content-Type"] == nil {
				tt.header["Content-Type"] = []string{"a/b"}
			}
			if tt.want != nil {
				tt.want["Date"], tt.want["Content-Type"] = date, tt.header["Content-Type"]
			}
			rng := source.From(0)
			if tt.status != 200 {
				rng = source.Range{Len: 2}
			}
			res, err := newSource(t, nil).Open(t.Context(), answering(t, tt.status, tt.header).URL, rng)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if diff := cmp.Diff(tt.want, res.Header); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRelay(t *testing.T) {
	var got *http.Request
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		http.Redirect(w, r, "/elsewhere", http.StatusSeeOther)
	}))
	defer origin.Close()
	relay := NewRelay(&Options{
		Header: http.Header{"X-All": {"a"}, "X-None": nil}, Private: http.Header{"X-Key": {"k"}}, Named: Origins(origin.URL),
		Login: func(string) *url.Userinfo { return url.UserPassword("u", "p") },
	})
	defer relay.CloseIdleConnections()
	req, err := http.NewRequest("PUT", origin.URL+"/x?q", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-None", "n")
	req.Header.Set("X-Own", "o")
	resp, err := relay.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	user, password, _ := got.BasicAuth()
	h := got.Header
	if resp.StatusCode != 303 || got.Method != "PUT" || got.RequestURI != "/x?q" || h.Get("X-All")+h.Get("X-Key")+h.Get("X-Own") != "ako" ||
		h.Get("X-None") != "" || user != "u" || password != "p" || got.Host != req.URL.Host {
		t.Errorf("%s, asked by %+v", resp.Status, got)
	}
	if req.Header.Get("X-All") != "" || req.Header.Get("X-None") != "n" {
		t.Errorf("the caller's request has changed: %v", req.Header)
	}
}
