package gateway

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"spate/internal/sendqueue"
)

// Listen is l for serving a [Gateway]: no more than most of its connections are open at once, and others wait.
//
// A deadline for writing on one of them is for how long nothing may be taken, from when it is set, or from when a write begins: it is put
// off as long as the other side takes something, however little. So one that is slow is served, and one that takes nothing loses its
// connection. It has to be below TLS, whose writes cannot be continued.
func Listen(l net.Listener, most int) net.Listener {
	done := make(chan struct{})
	return &listener{Listener: l, open: make(chan struct{}, most), done: done, end: sync.OnceFunc(func() { close(done) })}
}

// A listener is not netutil's, whose connections do not let who needs it reset them.
type listener struct {
	net.Listener
	open chan struct{} // as full as there are connections
	done chan struct{} // closed with it
	end  func()
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.open <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	raw, err := l.Listener.Accept()
	if err != nil {
		<-l.open
		return nil, err
	}
	return &conn{Conn: raw, queued: func() int { return sendqueue.Len(raw) }, closed: sync.OnceFunc(func() { <-l.open })}, nil
}

func (l *listener) Close() error {
	l.end()
	return l.Listener.Close()
}

// A conn is one of a listener. It has no ReadFrom: what is sent is opened in memory, so that there is no file to send from.
type conn struct {
	net.Conn
	queued func() int // bytes that were written and not confirmed, as far as the system tells
	closed func()

	mu    sync.Mutex    // not held while it writes
	most  time.Duration // in which nothing may be taken; 0: there is no deadline, or it is over
	moved time.Time     // something was taken then, or the write begun
	until time.Time     // the deadline of Conn; zero: none
	queue int           // when it was last looked at; below 0: it was not, since the write began
}

// looks is how often a write that waits is looked at within the time in which nothing may be taken.
const looks = 8

func (c *conn) Write(p []byte) (n int, err error) {
	if err := c.begin(); err != nil {
		return 0, err
	}
	for {
		m, err := c.Conn.Write(p[n:])
		n += m
		if n == len(p) || !errors.Is(err, os.ErrDeadlineExceeded) || !c.goesOn(m > 0) {
			return n, err
		}
	}
}

// begin has the time run from now on.
func (c *conn) begin() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most <= 0 {
		return nil
	}
	c.moved, c.queue = time.Now(), -1
	if c.until.Sub(c.moved) >= c.most/looks/2 { // to set it for each write costs more than that is worth
		return nil
	}
	return c.lookLater()
}

// goesOn reports whether a write that the deadline has ended is continued: something was taken since, or it is not long enough ago.
func (c *conn) goesOn(took bool) bool {
	queue := c.queued()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.most <= 0 {
		return false
	}
	now := time.Now()
	if took || queue < c.queue {
		c.moved = now
	}
	c.queue = queue
	return now.Sub(c.moved) < c.most && c.lookLater() == nil
}

// lookLater has a write end when it is to be looked at. c.mu is held.
func (c *conn) lookLater() error {
	c.until = time.Now().Add(c.most / looks)
	return c.Conn.SetWriteDeadline(c.until)
}

// SetWriteDeadline is that of [Listen].
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most, c.until = 0, t
	if c.moved = time.Now(); t.After(c.moved) {
		c.most = t.Sub(c.moved)
		return c.lookLater()
	}
	return c.Conn.SetWriteDeadline(t)
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetLinger is that of a [net.TCPConn].
func (c *conn) SetLinger(sec int) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetLinger(sec)
	}
	return errors.ErrUnsupported
}

func (c *conn) Close() error {
	defer c.closed()
	return c.Conn.Close()
}
