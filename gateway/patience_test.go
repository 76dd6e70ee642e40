package gateway_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate"
	"spate/gateway"
	"spate/gateway/fill"
	"spate/source"
)

// shelf is a source in memory.
type shelf map[string][]byte

func (s shelf) Open(_ context.Context, url string, rng source.Range) (*source.Resource, error) {
	data, ok := s[url]
	if !ok {
		return nil, &source.Error{Op: "open", URL: url, Kind: source.KindStatus, Status: http.StatusNotFound}
	}
	end := int64(len(data))
	if rng.Len >= 0 {
		end = min(end, rng.Off+rng.Len)
	}
	return &source.Resource{
		Info: source.Info{URL: url, Size: int64(len(data)), Seekable: true, Validator: `"v1"`, ETag: `"v1"`},
		Off:  rng.Off, Len: end - rng.Off, Body: io.NopCloser(bytes.NewReader(data[rng.Off:end])),
	}, nil
}

// wire is a listener in memory.
type wire struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error   { w.once.Do(func() { close(w.done) }); return nil }
func (w *wire) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// inBubble has f talk to a gateway, over a connection whose time is that of the bubble.
func inBubble(t *testing.T, src shelf, f func(t *testing.T, conn net.Conn)) {
	beforeInBubble(t, src, nil, f)
}

// beforeInBubble is the same with a gateway before an origin that answers as transport does; nil: before none.
func beforeInBubble(t *testing.T, src shelf, transport http.RoundTripper, f func(t *testing.T, conn net.Conn)) {
	opts := new(gateway.Options)
	if transport != nil {
		opts.Origin = &gateway.Origin{URL: &url.URL{Scheme: "http", Host: "o"}, Transport: transport, Name: "me"}
	}
	withOptions(t, opts, src, f)
}

// withOptions is the same with a gateway of opts, whose sources and pools are those of src.
func withOptions(t *testing.T, opts *gateway.Options, src shelf, f func(t *testing.T, conn net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		pool := fill.New(&fill.Options{Source: src})
		w := &wire{conns: make(chan net.Conn), done: make(chan struct{})}
		opts.Client, opts.Source, opts.Pool = &spate.Client{Source: src}, src, pool
		if opts.Origin != nil {
			opts.Origin.Pool = pool
		}
		server := &http.Server{Handler: gateway.New(opts)}
		served := make(chan error)
		go func() { served <- server.Serve(gateway.Listen(w, 10)) }()
		ours, theirs := net.Pipe()
		w.conns <- theirs
		f(t, ours)
		ours.Close()
		server.Close()
		<-served
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	})
}

// say sends a request and returns its answer.
func say(t *testing.T, conn net.Conn, r *bufio.Reader, method, target string) *http.Response {
	t.Helper()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\n\r\n", method, target)
	resp, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return resp
}

// TestConnectionThatRests: a client that asks again after more than a minute, on the same connection, has its answer, also one
// without a body.
func TestConnectionThatRests(t *testing.T) {
	inBubble(t, shelf{"http://o/a": []byte("abc"), "http://o/empty": {}}, func(t *testing.T, conn net.Conn) {
		r := bufio.NewReader(conn)
		for _, request := range [][2]string{{"GET", "/s/http://o/a"}, {"HEAD", "/s/http://o/a"}, {"GET", "/s/http://o/empty"}, {"GET", "/s/http://o/a"}} {
			resp := say(t, conn, r, request[0], request[1])
			if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: got %d, %q, %v", request, resp.StatusCode, body, err)
			}
			time.Sleep(100 * time.Second)
		}
	})
}

// TestClientThatTakesNothing loses its connection, and one that takes a little now and then does not.
func TestClientThatTakesNothing(t *testing.T) {
	inBubble(t, shelf{"http://o/a": make([]byte, 1<<20)}, func(t *testing.T, conn net.Conn) {
		r := bufio.NewReaderSize(conn, 4<<10)
		resp := say(t, conn, r, "GET", "/s/http://o/a")
		for range 10 {
			if _, err := io.CopyN(io.Discard, resp.Body, 64<<10); err != nil {
				t.Fatalf("a client that is slow: %v", err)
			}
			time.Sleep(50 * time.Second)
		}
		time.Sleep(time.Hour)
		if n, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("an hour later there are %d bytes more, and a clean end", n)
		}
	})
}

// wantSlowly reads data at 500 bytes a second.
func wantSlowly(t *testing.T, r io.Reader, data []byte) {
	t.Helper()
	got := make([]byte, 0, len(data))
	for len(got) < len(data) {
		time.Sleep(time.Second)
		n, err := io.ReadFull(r, got[len(got):min(len(got)+500, len(data))])
		if got = got[:len(got)+n]; err != nil {
			t.Fatalf("%d bytes, then %v", len(got), err)
		}
	}
	if !bytes.Equal(got, data) {
		t.Error("other bytes")
	}
}

// TestClientThatIsVerySlow, at 500 bytes a second, is served, however much is sent at once.
func TestClientThatIsVerySlow(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 30_000)
	inBubble(t, shelf{"http://o/a": data}, func(t *testing.T, conn net.Conn) {
		r := bufio.NewReaderSize(conn, 16)
		resp := say(t, conn, r, "GET", "/s/http://o/a")
		wantSlowly(t, resp.Body, data)
	})
}

// TestBodyThatNeverComes: a request that promises a body has no use for it, and does not hold its connection with it.
func TestBodyThatNeverComes(t *testing.T) {
	for _, header := range []string{"Content-Length: 10", "Transfer-Encoding: chunked"} {
		for _, target := range []string{"/healthz", "/s/http://o/a", "/none"} {
			inBubble(t, shelf{"http://o/a": []byte("abc")}, func(t *testing.T, conn net.Conn) {
				fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n\r\n", target, header)
				start := time.Now()
				if err := conn.SetReadDeadline(start.Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, conn); err != nil {
					t.Errorf("%s, %s: %v", target, header, err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("%s, %s: the connection was held for %v", target, header, took)
				}
			})
		}
	}
}

// swallow takes the body of a request.
type swallow struct{}

func (swallow) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	time.Sleep(time.Hour) // it thinks
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestBodyThatIsSlow: one that passes to an origin may take its time, but not a minute for nothing; and the answer its own.
func TestBodyThatIsSlow(t *testing.T) {
	for pause, passes := range map[time.Duration]bool{20 * time.Second: true, 2 * time.Minute: false} {
		beforeInBubble(t, nil, swallow{}, func(t *testing.T, conn net.Conn) {
			var writing sync.WaitGroup
			writing.Go(func() {
				fmt.Fprint(conn, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
				for i := range 10 {
					time.Sleep(pause)
					fmt.Fprint(conn, i)
				}
			})
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			want := map[bool]int{true: http.StatusOK, false: http.StatusRequestTimeout}[passes]
			if err != nil || resp.StatusCode != want {
				t.Errorf("a byte each %v: got %v, %v", pause, resp, err)
			}
			conn.Close()
			writing.Wait()
		})
	}
}
