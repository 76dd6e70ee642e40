package gateway

import (
	"errors"
	"net/http"
	"slices"
	"testing"
)

func TestRoute(t *testing.T) {
	g := &Gateway{opts: Options{Serve: map[string][]string{"film": {"http://a/f", "http://b/f"}, "a b/c": {"http://c/"}}}}
	film := []string{"http://a/f", "http://b/f"}
	tests := []struct {
		target string
		urls   []string
		file   int
		status int
	}{
		{"/s/http://h/a/b", []string{"http://h/a/b"}, 0, 0},
		{"/s/http://h//a//b", []string{"http://h//a//b"}, 0, 0},
		{"/s/http://h/a?x=1&y=%2F", []string{"http://h/a?x=1&y=%2F"}, 0, 0},
		{"/s/http://h/a%20b%2Fc", []string{"http://h/a%20b%2Fc"}, 0, 0},
		{"/s/http://h/../x", []string{"http://h/../x"}, 0, 0},
		{"/s/http:/h/a", []string{"http://h/a"}, 0, 0},
		{"/s/http%3A%2F%2Fh%2Fa%3Fx%3D1", []string{"http://h/a?x=1"}, 0, 0},
		{"/s/http%3A%2F%2Fh%2Fa%3Fx%3D1?y=2", []string{"http://h/a?x=1&y=2"}, 0, 0},
		{"/s/http%3A%2F%2Fh%2Fa%2520b", []string{"http://h/a%20b"}, 0, 0},
		{"/s/peer://t:5100/1-9?chunk=5&size=42", []string{"peer://t:5100/1-9?chunk=5&size=42"}, 0, 0},
		{"/s/file:///a/b", []string{"file:///a/b"}, 0, 0},
		{"/s/file:/a/b", []string{"file:/a/b"}, 0, 0},
		{"/s/http://[::1]:80/x", []string{"http://[::1]:80/x"}, 0, 0},
		{"/file/2/http://h/x-seq", []string{"http://h/x-seq"}, 2, 0},
		{"/file/3/film", film, 3, 0},
		{"/film", film, 0, 0},
		{"/film?cache=1", film, 0, 0},
		{"/a%20b/c", []string{"http://c/"}, 0, 0},
		{"/s/", nil, 0, 400},
		{"/s/nothing", nil, 0, 400},
		{"/s//etc/passwd", nil, 0, 400},
		{"/s/%zz", nil, 0, 400},
		{"/file/0/http://h/x", nil, 0, 400},
		{"/file/-1/http://h/x", nil, 0, 400},
		{"/file/x/http://h/x", nil, 0, 400},
		{"/file/99999999999999999999/http://h/x", nil, 0, 400},
		{"/file/1", nil, 0, 400},
		{"/", nil, 0, 404},
		{"/other", nil, 0, 404},
		{"/film/", nil, 0, 404},
		{"//film", nil, 0, 404},
	}
	for _, tt := range tests {
		want, err := g.route(&http.Request{RequestURI: tt.target})
		status := 0
		if d, ok := errors.AsType[*denial](err); ok {
			status = d.status
		}
		if !slices.Equal(want.urls, tt.urls) || want.file != tt.file || status != tt.status {
			t.Errorf("%s: got %q, %d, status %d; want %q, %d, %d", tt.target, want.urls, want.file, status, tt.urls, tt.file, tt.status)
		}
	}
}

func TestWants(t *testing.T) {
	tests := map[string][2]int64{"": {0, 0}, "bytes=0-": {0, 0}, "bytes=7-9": {7, 10}, "Bytes = 12-": {12, 0}, "bytes=-5": {-1, 0}, "bytes=5-6,1-2": {5, 7},
		"bytes=5-6 , 1-2": {5, 7}, "pages=1-2": {-1, 0}, "bytes=999999999999999999999-": {-1, 0}, "bytes=7-999999999999999999999": {7, 0}, "bytes=7-6": {7, 0},
		"bytes=7-9x": {7, 0}, "bytes=7-9;8-9": {7, 0}, "bytes=7-7": {7, 8}}
	for header, want := range tests {
		r := &http.Request{Method: http.MethodGet, Header: http.Header{}}
		if header != "" {
			r.Header.Set("Range", header)
		}
		if at, end := wants(r); at != want[0] || end != want[1] {
			t.Errorf("%q: got %d, %d, want %d", header, at, end, want)
		}
		r.Header.Set("If-Range", `"v1"`) // then it may be a 200
		if at, end := wants(r); at != want[0] || end != 0 {
			t.Errorf("%q, If-Range: got %d, %d", header, at, end)
		}
		r.Method = http.MethodHead
		if at, end := wants(r); at != -1 || end != 0 {
			t.Errorf("%q, HEAD: got %d, %d", header, at, end)
		}
	}
}
