package gateway_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"spate"
	"spate/gateway"
	"spate/gateway/fill"
	"spate/internal/localcert"
)

// overHTTP2 has f ask a gateway that has data at http://o/a. Its client takes no more than 64 KiB ahead of who reads an answer.
func overHTTP2(t *testing.T, data []byte, f func(t *testing.T, ask func() *http.Response)) {
	synctest.Test(t, func(t *testing.T) {
		cert, roots, err := localcert.New()
		if err != nil {
			t.Fatal(err)
		}
		src := shelf{"http://o/a": data}
		pool := fill.New(&fill.Options{Source: src})
		w := &wire{conns: make(chan net.Conn), done: make(chan struct{})}
		server := &http.Server{Handler: gateway.New(&gateway.Options{Client: &spate.Client{Source: src}, Source: src, Pool: pool})}
		served := make(chan error)
		secured := tls.NewListener(gateway.Listen(w, 10), &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}})
		go func() { served <- server.Serve(secured) }()
		client := &http.Transport{ForceAttemptHTTP2: true, HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10},
			DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				w.conns <- theirs
				c := tls.Client(ours, &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h2"}})
				return c, c.HandshakeContext(ctx)
			}}
		f(t, func() *http.Response {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost/s/http://o/a", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.RoundTrip(req)
			if err != nil || resp.ProtoMajor != 2 {
				t.Fatal(resp, err)
			}
			return resp
		})
		client.CloseIdleConnections()
		server.Close()
		<-served
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestStreamThatIsVerySlow: 500 bytes a second over HTTP/2.
func TestStreamThatIsVerySlow(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 40_000)
	overHTTP2(t, data, func(t *testing.T, ask func() *http.Response) {
		resp := ask()
		defer resp.Body.Close()
		wantSlowly(t, resp.Body, data)
	})
}

// TestStreamThatTakesNothing is ended, and the others of its connection are not.
func TestStreamThatTakesNothing(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 40_000)
	overHTTP2(t, data, func(t *testing.T, ask func() *http.Response) {
		rests := ask()
		defer rests.Body.Close()
		time.Sleep(time.Hour)
		if n, err := io.Copy(io.Discard, rests.Body); err == nil || n == int64(len(data)) {
			t.Errorf("an hour later there are %d bytes and a clean end", n)
		}
		goesOn := ask()
		defer goesOn.Body.Close()
		if got, err := io.ReadAll(goesOn.Body); err != nil || !bytes.Equal(got, data) {
			t.Errorf("another: %d bytes, %v", len(got), err)
		}
	})
}
