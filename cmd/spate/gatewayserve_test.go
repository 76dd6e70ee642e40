package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// dial is nil where nobody listens any more.
func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours
	case <-p.done:
		return nil
	}
}

// inMemory has f talk to what serves h, as the gateway does, until f has called stop, or returned.
func inMemory(t *testing.T, h http.HandlerFunc, f func(p *pipes, stop context.CancelFunc)) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		p, done := newPipes(), make(chan error)
		go func() { done <- new(gatewayCmd).serveOn(ctx, p, h, io.NopCloser(nil)) }()
		f(p, stop)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// held is how long the other side keeps c open, in silence; an hour is for ever.
func held(c net.Conn) time.Duration {
	start := time.Now()
	c.SetReadDeadline(start.Add(time.Hour))
	io.Copy(io.Discard, c)
	return time.Since(start)
}

func answerOK(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") }

func TestHeaderThatNeverEnds(t *testing.T) {
	for _, begun := range []string{"", "GET / HTT", "GET / HTTP/1.1\r\nHost: localhost\r\nX: "} {
		inMemory(t, answerOK, func(p *pipes, _ context.CancelFunc) {
			c := p.dial()
			io.WriteString(c, begun)
			if d := held(c); d > time.Minute {
				t.Errorf("%q: held for %v", begun, d)
			}
		})
	}
	inMemory(t, answerOK, func(p *pipes, _ context.CancelFunc) { // a line now and then
		c := p.dial()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n")
		for i := range 100 {
			if _, err := fmt.Fprintf(c, "X-%d: y\r\n", i); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
		t.Error("a header of 100 s is read")
	})
}

func TestConnectionWithoutRequests(t *testing.T) {
	inMemory(t, answerOK, func(p *pipes, _ context.CancelFunc) {
		c := p.dial()
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if d := held(c); d < time.Minute || d > 5*time.Minute {
			t.Errorf("held for %v", d)
		}
	})
}

func TestHeaderThatIsLarge(t *testing.T) {
	for size, want := range map[int]int{15 << 10: http.StatusOK, 21 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		for _, form := range []string{"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nX: %s\r\n\r\n"} {
			inMemory(t, answerOK, func(p *pipes, _ context.CancelFunc) {
				c := p.dial()
				go fmt.Fprintf(c, form, strings.Repeat("a", size))
				resp, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil || resp.StatusCode != want {
					t.Errorf("%d bytes: %v, %v", size, resp, err)
				}
				c.Close()
			})
		}
	}
}

// TestStopWaitsForAnswers: who is being answered when the gateway is stopped gets the rest, and nobody else comes in.
func TestStopWaitsForAnswers(t *testing.T) {
	release := make(chan struct{})
	slow := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first, ")
		http.NewResponseController(w).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		io.WriteString(w, "last")
	}
	inMemory(t, slow, func(p *pipes, stop context.CancelFunc) {
		release = make(chan struct{})
		c := p.dial()
		r := ask(t, c)
		stop()
		synctest.Wait()
		if p.dial() != nil {
			t.Error("somebody else comes in")
		}
		close(release)
		if got, err := io.ReadAll(r.Body); err != nil || string(got) != "first, last" {
			t.Errorf("got %q, %v", got, err)
		}
	})
	inMemory(t, slow, func(p *pipes, stop context.CancelFunc) { // an answer that does not end is cut
		release = nil
		c := p.dial()
		r := ask(t, c)
		stop()
		start := time.Now()
		if got, err := io.ReadAll(r.Body); err == nil || time.Since(start) > time.Minute {
			t.Errorf("got %q, %v, after %v", got, err, time.Since(start))
		}
	})
}

func ask(t *testing.T, c net.Conn) *http.Response {
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// TestMaxConnections: one more than there may be waits until another one is closed.
func TestMaxConnections(t *testing.T) {
	c := &gatewayCmd{address: "127.0.0.1:0", connections: 2}
	l, err := c.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]bool{}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- c.serveOn(ctx, l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			seen[r.RemoteAddr] = true
		}), io.NopCloser(nil))
	}()
	var conns [3]net.Conn
	for i := range conns {
		if conns[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		defer conns[i].Close()
		if i < 2 {
			ask(t, conns[i])
		}
	}
	fmt.Fprint(conns[2], "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	ask(t, conns[0])
	mu.Lock()
	if len(seen) != 2 {
		t.Errorf("%d connections are served", len(seen))
	}
	mu.Unlock()
	conns[0].Close()
	if resp, err := http.ReadResponse(bufio.NewReader(conns[2]), nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("who waited: %v, %v", resp, err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
