package httpsource

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"spate/internal/farm"
	"spate/source"
	"spate/source/driver"
	"spate/source/sourcetest"
)

// lengthy is a 206 of n bytes from 7 on, whose length its header or its chunk tells.
func lengthy(n int, chunked bool) string {
	body := strings.Repeat("x", n)
	head := fmt.Sprintf("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-%d/9999999\r\n", n+6)
	if chunked {
		return head + fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", n, body)
	}
	return head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, body)
}

// A session keeps its connection where the body was read to its end, or little was left of it.
func TestSessionKeepsItsConnection(t *testing.T) {
	const whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n"
	tests := []struct {
		name, answer string
		len          int64 // of the range that is asked for
		read         int64 // before Close; below 0: to io.EOF
		kept         bool
	}{
		{"read to io.EOF", lengthy(1000, false), 1000, -1, true},
		{"read to the last byte", lengthy(1000, false), 1000, 1000, true},
		{"one is left", lengthy(1000, false), 1000, 999, true},
		{"256 KiB are left", lengthy(drainBytes+10, false), drainBytes + 10, 10, true},
		{"one more is left", lengthy(drainBytes+11, false), drainBytes + 11, 10, false},
		{"nothing was read", lengthy(drainBytes, false), drainBytes, 0, true},
		{"chunked, read to io.EOF", lengthy(1000, true), 1000, -1, true},
		{"chunked, read to the last byte", lengthy(1000, true), 1000, 1000, true},
		{"chunked, one is left", lengthy(1000, true), 1000, 999, true},
		{"longer than asked, read to io.EOF", lengthy(drainBytes+10, false), 10, -1, true},
		{"longer than asked by more", lengthy(drainBytes+11, false), 10, -1, false},
		{"length not known, read to io.EOF", whole, -1, -1, true},
		{"length not known", whole, -1, 9, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubbleSession(t, always(tt.answer))
				dials, dial := 0, s.Source.(*Source).transport.DialContext
				s.Source.(*Source).transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					dials++
					return dial(ctx, network, addr)
				}
				for range 3 {
					readSome(t, s, source.Range{Off: 7, Len: tt.len}, tt.read)
				}
				if (dials == 1) != tt.kept {
					t.Errorf("%d connections for three requests", dials)
				}
			})
		})
	}
}

// readSome opens, reads n bytes, below 0 all, and closes.
func readSome(t *testing.T, src source.Source, rng source.Range, n int64) {
	t.Helper()
	res, err := src.Open(t.Context(), "http://h/", rng)
	if err != nil {
		t.Fatal(err)
	}
	if n < 0 {
		_, err = io.Copy(io.Discard, res.Body)
	} else {
		_, err = io.CopyN(io.Discard, res.Body, n)
	}
	if closed := res.Body.Close(); err != nil || closed != nil {
		t.Fatal(err, closed)
	}
}

// One full handshake does for a Source and its sessions.
func TestSessionsResumeTLS(t *testing.T) {
	o := newOrigin(t, secure)
	var mu sync.Mutex
	var resumed []bool
	url := o.on("/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		resumed = append(resumed, r.TLS.DidResume)
		header(200, "hello")(w, r)
	})
	s := newSource(t, &Options{TLSConfig: o.tls()})
	for _, src := range []source.Source{s, asSession(t, s), asSession(t, s)} {
		if _, _, err := sourcetest.Read(t, src, url, source.From(0)); err != nil {
			t.Fatal(err)
		}
	}
	if mu.Lock(); resumed[0] || !resumed[1] || !resumed[2] {
		t.Errorf("resumed: %v", resumed)
	}
	mu.Unlock()
}

// A session goes through the proxy of its Source, and sends what that sends.
func TestSessionHasTheOptions(t *testing.T) {
	proxy := newOrigin(t, plain)
	proxy.on("/", func(w http.ResponseWriter, r *http.Request) {
		header(200, r.Host+" "+r.UserAgent()+" "+r.Header.Get("X-A"))(w, r)
	})
	s := newSource(t, &Options{UserAgent: "me", Header: http.Header{"X-A": {"b"}},
		Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }})
	if _, body, err := sourcetest.Read(t, asSession(t, s), "http://name.invalid/", source.From(0)); body != "name.invalid me b" || err != nil {
		t.Errorf("got %q, %v", body, err)
	}
}

// watched is a connection that knows the largest slice it was to read into.
type watched struct {
	net.Conn
	mu   *sync.Mutex
	most *int
}

func (w watched) Read(p []byte) (int, error) {
	w.mu.Lock()
	*w.most = max(*w.most, len(p))
	w.mu.Unlock()
	return w.Conn.Read(p)
}

// A large Read is one of the socket, into the caller's own bytes: no buffer cuts it into pieces.
func TestLargeReadsReachTheSocket(t *testing.T) {
	const size, step = 4 << 20, 256 << 10
	f := farm.New()
	t.Cleanup(f.Close)
	f.Serve("/x", farm.Resource{Body: make([]byte, size)})
	s := newSource(t, nil)
	for name, src := range map[string]source.Source{"Source": s, "session": asSession(t, s)} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			most := 0
			own := s
			if session, ok := src.(*driver.Session); ok {
				own = session.Source.(*Source)
			}
			own.transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return watched{c, &mu, &most}, err
			}
			res, err := src.Open(t.Context(), f.URL("/x"), source.Range{Len: size - 1})
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			for p := make([]byte, step); err == nil; {
				_, err = res.Body.Read(p)
			}
			if mu.Lock(); err != io.EOF || most != step {
				t.Errorf("the largest read of the socket was of %d, want %d; %v", most, step, err)
			}
			mu.Unlock()
		})
	}
}

// socks answers as a SOCKS5 proxy that needs no password, and connects everybody to addr.
func socks(t *testing.T, addr string) string {
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
			wg.Go(func() { _ = relay(c, addr) })
		}
	})
	return "socks5://" + l.Addr().String()
}

// relay is one connection of RFC 1928.
func relay(c net.Conn, addr string) error {
	defer c.Close()
	var head [2]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, c, int64(head[1])); err != nil {
		return err
	}
	_, _ = c.Write([]byte{5, 0})
	var request [5]byte // version, command, reserved, kind of address, length of a name
	if _, err := io.ReadFull(c, request[:]); err != nil || request[3] != 3 {
		return errors.Join(err, errors.New("no name"))
	}
	if _, err := io.CopyN(io.Discard, c, int64(request[4])+2); err != nil {
		return err
	}
	to, err := net.Dial("tcp", addr)
	if err != nil {
		_, _ = c.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	defer to.Close()
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() { _, _ = io.Copy(to, c); _ = to.Close() }()
	_, err = io.Copy(c, to)
	return err
}

func TestSOCKS(t *testing.T) {
	o := newOrigin(t, plain)
	o.on("/", serve([]byte("0123456789")))
	through := func(addr string) *Options {
		proxy := socks(t, addr)
		return &Options{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy) }}
	}
	s := newSource(t, through(o.Listener.Addr().String()))
	for i, src := range []source.Source{s, asSession(t, s)} {
		if _, body, err := sourcetest.Read(t, src, "http://name.invalid/", source.From(5)); body != "56789" || err != nil {
			t.Errorf("%d: got %q, %v", i, body, err)
		}
	}
	sourcetest.Fails(t, newSource(t, through(mustURL(dead(t)).Host)), "http://name.invalid/", source.From(0), source.KindNetwork)
}
