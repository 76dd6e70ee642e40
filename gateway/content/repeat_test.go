package content_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spate/gateway/content"
)

// TestRepeat: what the origin said goes before what is made up, and what is of one message is not repeated.
func TestRepeat(t *testing.T) {
	origin := map[string][]string{"Content-Type": {"Text/HTML; charset=x"}, "X-Own": {"a", "b"}, "Cache-Control": {"public"},
		"Set-Cookie": {"a=b"}, "Content-Digest": {"x"}, "Content-Disposition": {"attachment"}, "Etag": {`"other"`}, "Content-Length": {"99"}}
	o := ten()
	o.info.Name, o.info.MediaType = "name", "text/html"
	tests := []struct {
		name   string
		header map[string]string
		status int
		want   http.Header
	}{
		{"all of it", nil, 200, http.Header{"Content-Type": {"Text/HTML; charset=x"}, "X-Own": {"a", "b"}, "Cache-Control": {"public"},
			"Content-Disposition": {"attachment"}, "Etag": {`"v1"`}, "Last-Modified": {modified}, "Content-Length": {"10"},
			"Accept-Ranges": {"bytes"}}},
		{"a range", map[string]string{"Range": "bytes=0-1"}, 206, http.Header{"Content-Type": {"Text/HTML; charset=x"}, "X-Own": {"a", "b"},
			"Cache-Control": {"public"}, "Content-Disposition": {"attachment"}, "Etag": {`"v1"`}, "Last-Modified": {modified},
			"Content-Length": {"2"}, "Accept-Ranges": {"bytes"}, "Content-Range": {"bytes 0-1/10"}}},
		{"not modified", map[string]string{"If-None-Match": `"v1"`}, 304, http.Header{"Cache-Control": {"public"}, "Etag": {`"v1"`}}},
		{"beyond the end", map[string]string{"Range": "bytes=10-"}, 416, http.Header{"Content-Range": {"bytes */10"},
			"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			if err := content.Serve(w, r, o, &content.Options{Header: origin}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, w.Header()); diff != "" || w.Code != tt.status {
				t.Errorf("%d: %s", w.Code, diff)
			}
		})
	}
}
