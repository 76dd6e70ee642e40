package httpsource

import (
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"spate/source"
	"spate/source/sourcetest"
)

// What is no answer.
func TestNoAnswer(t *testing.T) {
	tests := []struct {
		name string
		talk func(net.Conn)
		kind source.Kind
	}{
		{"hangs up", saying(""), source.KindNetwork},
		{"resets", resetting(""), source.KindNetwork},
		{"hangs up within the header", saying("HTTP/1.1 200 OK\r\nX: y\r\n"), source.KindNetwork},
		{"hangs up within a header line", saying("HTTP/1.1 200 OK\r\nContent-Le"), source.KindProtocol},
		{"hangs up within the status", saying("HTTP/1.1 2"), source.KindProtocol},
		{"not HTTP", saying("220 ftp.example ready\r\n"), source.KindProtocol},
		{"HTTP/0.9", saying("<html>hello</html>"), source.KindProtocol},
		{"binary", saying("\x00\x01\x02\r\n\r\n"), source.KindProtocol},
		{"status", saying("HTTP/1.1 abc OK\r\n\r\n"), source.KindProtocol},
		{"version", saying("HTTP/x.y 200 OK\r\n\r\n"), source.KindProtocol},
		{"header line", saying("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), source.KindProtocol},
		{"two lengths", saying("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), source.KindProtocol},
		{"negative length", saying("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), source.KindProtocol},
		{"coding of the transfer", saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"), source.KindProtocol},
		{"header too large", saying("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 1100) + "\r\n"), source.KindProtocol},
		{"endless header line", saying("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2<<20)), source.KindProtocol},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := sourcetest.Fails(t, newSource(t, nil), raw(t, tt.talk), source.From(0), tt.kind)
			if e.Op != "open" || !errors.Is(e, source.ErrUnavailable) {
				t.Errorf("got %v", e)
			}
		})
	}
}

// A body that ends before its end.
func TestCutShort(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	tests := []struct {
		name string
		talk func(net.Conn)
		want string
	}{
		{"length, nothing comes", saying(ok + "Content-Length: 10\r\n\r\n"), ""},
		{"length, half", saying(ok + "Content-Length: 10\r\n\r\n01234"), "01234"},
		{"length, all but one", saying(ok + "Content-Length: 10\r\n\r\n012345678"), "012345678"},
		{"chunks without an end", saying(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"), "01234"},
		{"within a chunk", saying(ok + "Transfer-Encoding: chunked\r\n\r\na\r\n01234"), "01234"},
		{"within a chunk's length", saying(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n1"), "01234"},
		{"last chunk without its line end", saying(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n"), "01234"},
		{"nonsense for a chunk", saying(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nhello\r\n"), "01234"},
		{"reset", resetting(ok + "Content-Length: 10\r\n\r\n01234"), "01234"},
		{"reset, chunked", resetting(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"), "01234"},
		{"reset, no length", resetting(ok + "\r\n01234"), "01234"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := raw(t, tt.talk)
			res, err := newSource(t, nil).Open(t.Context(), url, source.From(0))
			if err != nil && strings.HasPrefix(tt.name, "reset") {
				return // the reset overtook the header
			}
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			got, err := io.ReadAll(res.Body)
			e, ok := errors.AsType[*source.Error](err)
			if !ok || e.Kind != source.KindNetwork || e.Op != "read" || e.URL != url {
				t.Errorf("got %#v", err)
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
				t.Errorf("%v is not io.ErrUnexpectedEOF", err)
			}
			if string(got) != tt.want && !(strings.HasPrefix(tt.name, "reset") && strings.HasPrefix(tt.want, string(got))) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// HTTP/1.0 tells the end of a body by closing.
func TestEndsByClosing(t *testing.T) {
	url := raw(t, saying("HTTP/1.0 200 OK\r\n\r\nhello"))
	res, body, err := sourcetest.Read(t, newSource(t, nil), url, source.From(0))
	if err != nil || body != "hello" || res.Size != -1 || res.Len != -1 {
		t.Errorf("got %q, %v, %+v", body, err, res)
	}
}

func TestRefusedConnection(t *testing.T) {
	e := sourcetest.Fails(t, newSource(t, nil), dead(t), source.From(0), source.KindNetwork)
	if !errors.Is(e, syscall.ECONNREFUSED) {
		t.Errorf("%v is not ECONNREFUSED", e)
	}
}

// The name cannot be resolved, whatever the resolver: it is longer than names may be.
func TestUnknownHost(t *testing.T) {
	url := "http://" + strings.Repeat("x", 64) + ".invalid/"
	e := sourcetest.Fails(t, newSource(t, nil), url, source.From(0), source.KindNetwork)
	if _, ok := errors.AsType[*net.DNSError](e); !ok {
		t.Errorf("%v is no DNSError", e)
	}
}

func TestTLS(t *testing.T) {
	o := newOrigin(t, secure)
	url := o.on("/", header(200, "hello"))
	plainURL := newOrigin(t, plain).URL
	wrongName := o.tls()
	wrongName.ServerName = "other.example"
	old := o.tls()
	old.MaxVersion = tls.VersionTLS10
	tests := []struct {
		name, url string
		config    *tls.Config
	}{
		{"unknown authority", url, nil},
		{"wrong name", url, wrongName},
		{"no common version", url, old},
		{"no TLS there", strings.Replace(plainURL, "http:", "https:", 1), nil},
		{"no HTTP there", "https" + strings.TrimPrefix(raw(t, saying("hello")), "http"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sourcetest.Fails(t, newSource(t, &Options{TLSConfig: tt.config}), tt.url, source.From(0), source.KindTLS)
		})
	}
	if _, body, err := sourcetest.Read(t, newSource(t, &Options{TLSConfig: o.tls()}), url, source.From(0)); body != "hello" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestClientCertificate(t *testing.T) {
	o := newOrigin(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
		s.StartTLS()
	})
	sourcetest.Fails(t, newSource(t, &Options{TLSConfig: o.tls()}), o.URL+"/", source.From(0), source.KindTLS)
}

func TestHTTP2(t *testing.T) {
	o := newOrigin(t, startHTTP2)
	url := o.on("/", serve([]byte("0123456789")))
	if _, body, err := sourcetest.Read(t, newSource(t, &Options{TLSConfig: o.tls()}), url, source.From(5)); body != "56789" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	if r := o.requests()[0]; r.ProtoMajor != 2 {
		t.Errorf("asked over %s", r.Proto)
	}
}

func TestProxy(t *testing.T) {
	var refusal atomic.Int32
	refusal.Store(http.StatusForbidden)
	proxy := newOrigin(t, plain)
	proxy.on("/", func(w http.ResponseWriter, r *http.Request) { header(200, "from the proxy of "+r.Host)(w, r) })
	proxy.on("", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(refusal.Load())) }) // CONNECT
	through := &Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }}

	_, body, err := sourcetest.Read(t, newSource(t, through), "http://origin.example/", source.From(0))
	if body != "from the proxy of origin.example" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
	e := sourcetest.Fails(t, newSource(t, through), "https://origin.example/", source.From(0), source.KindNetwork)
	if !strings.Contains(e.Error(), "the proxy answered 403 Forbidden") {
		t.Errorf("got %v", e)
	}
	refusal.Store(http.StatusProxyAuthRequired)
	e = sourcetest.Fails(t, newSource(t, through), "https://origin.example/", source.From(0), source.KindAuth)
	if e.Status != 407 || !errors.Is(e, fs.ErrPermission) {
		t.Errorf("got %v", e)
	}
	tunnel := raw(t, saying("HTTP/1.1 200 OK\r\n\r\n"))
	into := &Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(tunnel) }}
	sourcetest.Fails(t, newSource(t, into), "https://origin.example/", source.From(0), source.KindTLS)
	proxy.Close()
	sourcetest.Fails(t, newSource(t, through), "https://origin.example/", source.From(0), source.KindNetwork)
}
