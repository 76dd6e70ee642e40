package httpsource

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

// Of the ten bytes 0123456789, what is asked for is the range from 4, or what the test says.
func TestRange(t *testing.T) {
	from4 := source.From(4)
	five := source.Range{Off: 4, Len: 5}
	tests := []struct {
		name           string
		rng            source.Range
		answer         http.HandlerFunc
		off, len, size int64
		body           string
	}{
		{"206", from4, header(206, "456789", "Content-Range", "bytes 4-9/10"), 4, 6, 10, "456789"},
		{"206, size not told", from4, header(206, "456789", "Content-Range", "bytes 4-9/*"), 4, 6, -1, "456789"},
		{"206, shorter", from4, header(206, "456", "Content-Range", "bytes 4-6/10"), 4, 3, 10, "456"},
		{"206, longer", source.Range{Off: 4, Len: 2}, header(206, "456789", "Content-Range", "bytes 4-9/10"), 4, 2, 10, "45"},
		{"206, chunked", from4, chunkedHeader(206, "456789", "Content-Range", "bytes 4-9/10"), 4, 6, 10, "456789"},
		{"206, nothing asked for", source.Range{Off: 4}, header(206, "4", "Content-Range", "bytes 4-4/10"), 4, 0, 10, ""},
		{"200", from4, header(200, "0123456789"), 0, 10, 10, "0123456789"},
		{"200 to a bounded range", five, header(200, "0123456789"), 0, 9, 10, "012345678"},
		{"200, chunked", five, chunkedHeader(200, "0123456789"), 0, -1, -1, "012345678"},
		{"200, shorter than the range begins", source.From(20), header(200, "0123456789"), 0, 10, 10, "0123456789"},
		{"416 at the end", source.From(10), header(416, "a page", "Content-Range", "bytes */10"), 10, 0, 10, ""},
		{"416 behind the end", source.Range{Off: 11, Len: 3}, header(416, "", "Content-Range", "bytes */10"), 11, 0, 10, ""},
		{"416 of nothing", source.Range{Off: 0, Len: 1}, header(416, "", "Content-Range", "bytes */0"), 0, 0, 0, ""},
	}
	o := newOrigin(t, plain)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, body, err := sourcetest.Read(t, newSource(t, nil), o.on("/", tt.answer), tt.rng)
			if err != nil {
				t.Fatal(err)
			}
			if res.Off != tt.off || res.Len != tt.len || res.Size != tt.size || body != tt.body {
				t.Errorf("Off %d, Len %d, Size %d, body %q", res.Off, res.Len, res.Size, body)
			}
			if seekable := !strings.HasPrefix(tt.name, "200"); res.Seekable != seekable {
				t.Errorf("Seekable = %v", res.Seekable)
			}
		})
	}
}

// chunkedHeader is header without a Content-Length.
func chunkedHeader(status int, body string, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header(status, "", pairs...)(w, r)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, body)
	}
}

func TestWrongRange(t *testing.T) {
	from4 := source.From(4)
	tests := []struct {
		name   string
		rng    source.Range
		answer http.HandlerFunc
	}{
		{"another start", from4, header(206, "56789", "Content-Range", "bytes 5-9/10")},
		{"from the start", from4, header(206, "0123456789", "Content-Range", "bytes 0-9/10")},
		{"no range", from4, header(206, "456789")},
		{"unsatisfied, but 206", from4, header(206, "", "Content-Range", "bytes */10")},
		{"several", from4, header(206, "456789", "Content-Type", "multipart/byteranges; boundary=x")},
		{"another unit", from4, header(206, "456789", "Content-Range", "lines 4-9/10")},
		{"length and range differ", from4, header(206, "45678", "Content-Range", "bytes 4-9/10")},
		{"range beyond the size", from4, header(206, "456789", "Content-Range", "bytes 4-9/9")},
		{"backwards", from4, header(206, "456789", "Content-Range", "bytes 4-3/10")},
		{"longer than announced", from4, chunkedHeader(206, "4567890", "Content-Range", "bytes 4-9/10")},
		{"not asked for", source.From(0), header(206, "0123456789", "Content-Range", "bytes 0-9/10")},
		{"coded", from4, header(206, "456789", "Content-Range", "bytes 4-9/10", "Content-Encoding", "gzip")},
		{"416 within", from4, header(416, "", "Content-Range", "bytes */10")},
		{"416 without the size", from4, header(416, "")},
		{"416 with an unknown size", from4, header(416, "", "Content-Range", "bytes */*")},
	}
	o := newOrigin(t, plain)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sourcetest.Fails(t, newSource(t, nil), o.on("/", tt.answer), tt.rng, source.KindProtocol)
		})
	}
}

// The header announces six bytes by its range alone, the chunks end after fewer.
func TestRangeCutShort(t *testing.T) {
	o := newOrigin(t, plain)
	for n := range 6 {
		url := o.on("/", chunkedHeader(206, "456789"[:n], "Content-Range", "bytes 4-9/10"))
		e := sourcetest.Fails(t, newSource(t, nil), url, source.From(4), source.KindNetwork)
		if !errors.Is(e, io.ErrUnexpectedEOF) || !strings.Contains(e.Error(), fmt.Sprintf("%d bytes are missing", 6-n)) {
			t.Errorf("after %d: %v", n, e)
		}
	}
}
