package farm

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// letters is n bytes that tell where they are.
func letters(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return b
}

// grow starts an origin that serves r under /x, and a client for it.
func grow(t *testing.T, r Resource) (*Farm, *http.Client) {
	t.Helper()
	f := New()
	t.Cleanup(f.Close)
	f.Serve("/x", r)
	return f, client(t, f)
}

// client is one that follows no redirect and trusts f.
func client(t *testing.T, f *Farm) *http.Client {
	tr := &http.Transport{TLSClientConfig: f.ClientTLS(), ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: tr, CheckRedirect: stay}
}

// answer is what a client has seen of one.
type answer struct {
	status  int
	header  http.Header
	length  int64
	body    []byte
	openErr error
	bodyErr error
}

// ask gets url; header is pairs of name and value.
func ask(ctx context.Context, c *http.Client, url string, header ...string) answer {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{openErr: err}
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return answer{openErr: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, resp.ContentLength, body, nil, err}
}

func (a answer) want(t *testing.T, status int, body []byte) {
	t.Helper()
	if a.openErr != nil || a.bodyErr != nil {
		t.Fatalf("errors %v, %v", a.openErr, a.bodyErr)
	}
	if a.status != status || !bytes.Equal(a.body, body) {
		t.Fatalf("got %d with %.60q, want %d with %.60q", a.status, a.body, status, body)
	}
}

func TestContent(t *testing.T) {
	modified := time.Date(2008, 5, 21, 12, 0, 0, 0, time.UTC)
	f, c := grow(t, Resource{Body: letters(100), MediaType: "text/plain", ETag: `"1"`, ModTime: modified,
		Disposition: "attachment", Coding: "gzip", RetryAfter: "7", Header: http.Header{"X-Extra": {"y"}}})
	a := ask(t.Context(), c, f.URL("/x"))
	a.want(t, 200, letters(100))
	for name, want := range map[string]string{
		"Content-Type": "text/plain", "Etag": `"1"`, "Last-Modified": "Wed, 21 May 2008 12:00:00 GMT",
		"Content-Disposition": "attachment", "Content-Encoding": "gzip", "Retry-After": "7", "X-Extra": "y",
		"Accept-Ranges": "bytes", "Content-Length": "100",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestZeroResourceSaysNothing(t *testing.T) {
	f, c := grow(t, Resource{ETag: NoETag})
	a := ask(t.Context(), c, f.URL("/x"))
	a.want(t, 200, nil)
	for _, name := range []string{"Content-Type", "Etag", "Last-Modified"} {
		if _, there := a.header[name]; there {
			t.Errorf("%s is there", name)
		}
	}
}

func TestPlaces(t *testing.T) {
	f, c := grow(t, Resource{Body: []byte("x")})
	for _, path := range []string{"/", "/d/", "/d/e", "/d/e?q=1", "/a%20b"} {
		f.Serve(path, Resource{Body: []byte(path)})
	}
	for asked, want := range map[string]string{"/x": "x", "/y": "/", "/d/e": "/d/e", "/d/e?q=1": "/d/e?q=1",
		"/d/e?q=2": "/d/e", "/d/e/f": "/d/", "/a%20b": "/a%20b"} {
		ask(t.Context(), c, f.URL(asked)).want(t, 200, []byte(want))
	}
}

func TestMissing(t *testing.T) {
	f, c := grow(t, Resource{})
	if a := ask(t.Context(), c, f.URL("/y")); a.status != 404 {
		t.Fatal(a)
	}
	if f.Requests("/y") != 1 || f.Requests("/x") != 0 {
		t.Error("miscounted")
	}
}
