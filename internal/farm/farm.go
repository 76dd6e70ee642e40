// Package farm grows HTTP origins that misbehave on request: they die in the middle of a body, fall silent, answer
// with another range than was asked for, redirect in circles, send what is no HTTP. Tests and the demo stand on it.
//
// A [Farm] is one origin, a real net/http server on a port of its own on loopback; several of them stand for several
// machines. [Farm.Serve] puts a [Resource] under a path; the Resource says what is there and how it misbehaves.
// Every request is counted, and [Farm.Wait] waits until something has happened, so that no test ever has to sleep.
package farm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A Farm is one origin. It is safe for concurrent use. Close it in the end.
type Farm struct {
	scheme string
	addr   string
	pool   *x509.CertPool // that trusts this origin; nil without TLS
	cert   []byte         // in DER; nil without TLS
	server *http.Server
	cancel context.CancelFunc // ends the context of every request
	pace   pacer              // of all answers together
	tally  tally

	mu     sync.Mutex // guards what follows
	closed bool
	served map[string]*place
	conns  map[net.Conn]struct{} // open and not hijacked
	wg     sync.WaitGroup        // one for each connection, each handler, and for the accept loop
}

// place is what is served under one path.
type place struct {
	res    Resource
	asked  int            // requests so far
	breaks int            // how often it broke, of Resource.BreakTimes
	active int            // requests that are being answered, of Resource.Most
	bound  map[string]int // the connections that have asked, by their remote addresses, numbered from 0; of Resource.Machines
}

// New starts an origin on 127.0.0.1, on a port that was free. It panics if there is no loopback to listen on.
func New() *Farm {
	f, err := Listen("127.0.0.1:0")
	if err != nil {
		panic("farm: " + err.Error())
	}
	return f
}

// Listen starts an origin on addr, "host:port"; port 0 is one that is free. The error is that of [net.Listen].
func Listen(addr string) (*Farm, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	return start(l, nil), nil
}

// start serves on l, over TLS if cert is not nil.
func start(l net.Listener, cert *certificate) *Farm {
	ctx, cancel := context.WithCancel(context.Background())
	f := &Farm{scheme: "http", addr: l.Addr().String(), cancel: cancel,
		served: map[string]*place{}, conns: map[net.Conn]struct{}{}}
	f.server = &http.Server{
		Handler:     http.HandlerFunc(f.handle),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnState:   f.connState,
		ErrorLog:    log.New(io.Discard, "", 0),
	}
	serve := func() { _ = f.server.Serve(l) }
	if cert != nil {
		f.scheme, f.pool, f.cert = "https", cert.pool, cert.pair.Certificate[0]
		f.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert.pair}}
		serve = func() { _ = f.server.ServeTLS(l, "", "") }
	}
	f.wg.Go(serve)
	return f
}

// Addr is the host:port of the origin.
func (f *Farm) Addr() string { return f.addr }

// URL is the URL of path, which starts with a slash, is escaped as in a URL, and may have a query.
func (f *Farm) URL(path string) string { return f.scheme + "://" + f.addr + path }

// Serve puts r under path, in place of what was there. A path that ends in a slash stands for everything below it
// that has no place of its own; one with a query is only found with this query. Whatever has no place is a 404.
func (f *Farm) Serve(path string, r Resource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.served[path] = &place{res: r}
}

// SetRate limits all answers of the origin together to that many bytes of body per second; 0 lifts the limit.
func (f *Farm) SetRate(bytesPerSecond int64) { f.pace.set(bytesPerSecond) }

// Close breaks every connection, ends every answer, also those that hang or stall, and returns when no goroutine of
// the origin is left. A second Close does nothing.
func (f *Farm) Close() {
	f.mu.Lock()
	first := !f.closed
	f.closed = true
	f.mu.Unlock()
	if first {
		f.cancel()
		_ = f.server.Close()
		f.closeConns()
	}
	f.wg.Wait()
}

func (f *Farm) closeConns() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
}

// connState counts connections in and out. One that was accepted while the server was being closed is unknown to
// http.Server.Close and would live on: it is closed here.
func (f *Farm) connState(c net.Conn, s http.ConnState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, known := f.conns[c]
	switch s {
	case http.StateNew:
		f.conns[c] = struct{}{}
		f.wg.Add(1)
		f.tally.note(Connected, "")
		if f.closed {
			_ = c.Close()
		}
	case http.StateClosed, http.StateHijacked:
		if known {
			delete(f.conns, c)
			f.wg.Done()
		}
	}
}

// find is the place for a request, nil if there is none: by the whole request URI, by the path, or by the longest
// path above that ends in a slash.
func (f *Farm) find(r *http.Request) *place {
	path := r.URL.EscapedPath()
	for _, key := range []string{r.URL.RequestURI(), path} {
		if p := f.served[key]; p != nil {
			return p
		}
	}
	for path != "" {
		path = path[:strings.LastIndexByte(path, '/')+1]
		if p := f.served[path]; p != nil {
			return p
		}
		path = strings.TrimSuffix(path, "/")
	}
	return nil
}

// Dead is the URL, without a path, of a port of 127.0.0.1 on which nothing listens. It is below the ports that are
// given out to whoever asks for a free one, so nothing will listen there during a test either.
func Dead() string {
	for port := 1; ; port++ {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return "http://" + addr
		}
		_ = c.Close()
	}
}
