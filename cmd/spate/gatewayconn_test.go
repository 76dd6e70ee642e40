package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"spate/gateway"
	"spate/internal/farm"
	"spate/internal/localcert"
	"spate/internal/seeds"
)

// TestGatewayResets: an answer of unknown length over HTTP/1.0 ends with the connection, so that one that is cut has to be reset. That holds
// for the program's connections too, which are counted.
func TestGatewayResets(t *testing.T) {
	origin := farm.New()
	defer origin.Close()
	film := random(1 << 20)
	origin.Serve("/film", farm.Resource{Body: film, NoLength: true, NoRange: true, BreakAt: 700_000})
	g := startGateway(t, "--no-cache")
	u, err := url.Parse(g.url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /s/%s HTTP/1.0\r\nHost: localhost\r\n\r\n", origin.URL("/film"))
	if n, err := io.Copy(io.Discard, conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d bytes, then %v", n, err)
	}
}

// http2Request is what a client of HTTP/2 says first: its preface, no settings, and GET https://localhost/ as stream 1.
const http2Request = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00" +
	"\x00\x00\x0e\x01\x05\x00\x00\x00\x01" + "\x82\x84\x87\x41\x09localhost"

// TestHTTP2ThatTakesNothing: a client of HTTP/2 that reads nothing at all, not even what is said of its streams, loses its connection.
func TestHTTP2ThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cert, roots, err := localcert.New()
		if err != nil {
			t.Fatal(err)
		}
		p, ended := newPipes(), make(chan error)
		l := tls.NewListener(gateway.Listen(p, 1),
			&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}, SessionTicketsDisabled: true})
		ctx, stop := context.WithCancel(t.Context())
		asked := make(chan bool, 1)
		go func() {
			ended <- new(gatewayCmd).serveOn(ctx, l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked <- true
				_, _ = w.Write(make([]byte, 1<<20))
			}), io.NopCloser(nil))
		}()
		raw := p.dial()
		c := tls.Client(raw, &tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"h2"}})
		if _, err := io.WriteString(c, http2Request); err != nil || c.ConnectionState().NegotiatedProtocol != "h2" {
			t.Fatal(err)
		}
		<-asked
		time.Sleep(time.Hour)
		if n, err := raw.Read(make([]byte, 1<<10)); n > 0 {
			t.Errorf("after an hour the connection is there: %d bytes, %v", n, err)
		}
		raw.Close()
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestPrivatePeers: where others can ask no connection is made to peers of a swarm that are not of the public internet, wherever its
// tracker is, which the operator has named. On loopback they are as good as any.
func TestPrivatePeers(t *testing.T) {
	const chunks, chunk = 4, 16 << 10
	film := random(chunks * chunk)
	file := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(file, film, 0o600); err != nil {
		t.Fatal(err)
	}
	swarm, err := seeds.Start(chunks, file, file)
	if err != nil {
		t.Fatal(err)
	}
	defer swarm.Close()
	serve := fmt.Sprintf("film=peer://%s/1-%d?chunk=%d&size=%d", swarm.Addr, chunks, chunk, len(film))
	for listen, want := range map[string]int{"127.0.0.1:0": http.StatusOK, "0.0.0.0:0": http.StatusForbidden} {
		g := startGateway(t, "--listen", listen, "--serve", serve, "--insecure-public", "--no-cache", "--header-timeout", "2s")
		u, err := url.Parse(g.url)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.Get("http://127.0.0.1:" + u.Port() + "/film")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != want || bytes.Equal(got, film) != (want == http.StatusOK) {
			t.Errorf("--listen %s: %d, %d bytes, %v", listen, resp.StatusCode, len(got), err)
		}
	}
}
