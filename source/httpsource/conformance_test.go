package httpsource

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"spate/source"
	"spate/source/driver"
	"spate/source/sourcetest"
)

// A style is how an origin hands out content[:at], at which it breaks, or stalls if it can.
type style func(content []byte, at int, stall bool) http.HandlerFunc

// ranged is a file server, sized a server without ranges, chunked one that does not tell the length either.
func ranged(content []byte, at int, stall bool) http.HandlerFunc {
	if at < len(content) {
		return sized(content, at, stall)
	}
	return serve(content)
}

func sized(content []byte, at int, stall bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(content))}
		send(w, r, content, at, stall)
	}
}

func chunked(content []byte, at int, stall bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { send(w, r, content, at, stall) }
}

func send(w http.ResponseWriter, r *http.Request, content []byte, at int, stall bool) {
	_, _ = io.Copy(w, bytes.NewReader(content[:at]))
	_ = http.NewResponseController(w).Flush()
	switch {
	case stall:
		<-r.Context().Done()
	case at < len(content):
		panic(http.ErrAbortHandler)
	}
}

// pass is a wrapper that does nothing.
type pass struct{ *Source }

func (p pass) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	return p.Source.Open(ctx, url, rng)
}

func TestConformance(t *testing.T) {
	tests := []struct {
		name     string
		start    func(*httptest.Server)
		style    style
		seekable bool
		wrap     func(*testing.T, *Source) source.Source
	}{
		{"file server", plain, ranged, true, nil},
		{"without ranges", plain, sized, false, nil},
		{"chunked", plain, chunked, false, nil},
		{"TLS", secure, ranged, true, nil},
		{"HTTP/2", startHTTP2, ranged, true, nil},
		{"HTTP/2 without length", startHTTP2, chunked, false, nil},
		{"wrapped", plain, ranged, true, func(_ *testing.T, s *Source) source.Source { return pass{s} }},
		{"mux", plain, ranged, true, func(_ *testing.T, s *Source) source.Source { return source.Mux{"http": s} }},
		{"session", plain, ranged, true, asSession},
		{"session over HTTP/2", startHTTP2, ranged, true, asSession},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, tt.start)
			s := newSource(t, &Options{TLSConfig: o.tls()})
			h := sourcetest.Harness{Source: s, Seekable: tt.seekable, Malformed: malformed, Settle: s.CloseIdleConnections}
			if tt.wrap != nil {
				h.Source = tt.wrap(t, s)
				_, h.Dialer = h.Source.(source.Dialer)
			}
			if own, ok := h.Source.(*driver.Session); ok {
				h.Settle = own.Source.CloseIdleConnections
			}
			h.Missing = func(*testing.T) string { return o.URL + "/missing" }
			h.Put = func(_ *testing.T, name string, content []byte) string {
				return o.on("/"+name, tt.style(content, len(content), false))
			}
			h.Cut = func(_ *testing.T, name string, content []byte, at int) string {
				return o.on("/"+name, tt.style(content, at, false))
			}
			h.Stall = func(_ *testing.T, name string, content []byte, at int) string {
				return o.on("/"+name, tt.style(content, at, true))
			}
			sourcetest.Run(t, h)
		})
	}
}

// asSession is a session as a Source of its own.
func asSession(t *testing.T, s *Source) source.Source {
	session, err := s.Dial(t.Context(), "http://localhost/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}
