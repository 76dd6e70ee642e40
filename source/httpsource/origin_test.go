package httpsource

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// An origin is a real server whose answers are listed by path.
type origin struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]http.HandlerFunc
	asked   []*http.Request
}

func newOrigin(t *testing.T, start func(*httptest.Server)) *origin {
	o := &origin{answers: map[string]http.HandlerFunc{}}
	o.Server = httptest.NewUnstartedServer(o)
	o.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(o.Server)
	t.Cleanup(o.Close)
	return o
}

func plain(s *httptest.Server) { s.Start() }

func secure(s *httptest.Server) { s.StartTLS() }

func startHTTP2(s *httptest.Server) { s.EnableHTTP2 = true; s.StartTLS() }

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.asked = append(o.asked, r)
	answer := o.answers[r.URL.Path]
	o.mu.Unlock()
	if answer == nil {
		answer = http.NotFound
	}
	answer(w, r)
}

// on lists an answer and says where it is.
func (o *origin) on(path string, answer http.HandlerFunc) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[path] = answer
	return o.URL + path
}

// requests says what was asked, in order.
func (o *origin) requests() []*http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]*http.Request(nil), o.asked...)
}

// tls is what a client needs to trust o.
func (o *origin) tls() *tls.Config {
	if o.Certificate() == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(o.Certificate())
	return &tls.Config{RootCAs: pool}
}

// newSource makes a Source that lives as long as t.
func newSource(t *testing.T, opts *Options) *Source {
	s := New(opts)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// header answers with name-value pairs, a status and a body.
func header(status int, body string, pairs ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(pairs); i += 2 {
			w.Header().Set(pairs[i], pairs[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// serve answers with content as a well-behaved file server does.
func serve(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"`+strconv.Itoa(len(content))+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// raw is the URL of a server that answers each connection's first request with talk and hangs up.
func raw(t *testing.T, talk func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					talk(c)
				}
			})
		}
	})
	return "http://" + l.Addr().String() + "/"
}

// saying is talk of a fixed text.
func saying(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

// resetting says text and dies with a RST.
func resetting(text string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_ = c.(*net.TCPConn).SetLinger(0)
	}
}

// dead is a URL at which nothing listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/"
}
