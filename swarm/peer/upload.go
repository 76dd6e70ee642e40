package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"spate/internal/sendqueue"
	"spate/swarm/choose"
)

// How a chunk is sent.
const (
	portion   = 256 << 10            // what is sent with one call
	look      = 5 * time.Second      // how long that may take
	slow      = 16 << 10             // bytes within that time; who takes fewer does not keep others waiting
	patience  = time.Minute          // for a byte to be taken
	queueLook = 5 * time.Millisecond // how often what the system has still to send is looked at

	// lowat is how much may wait in the system unsent. Whole chunks would, else: a write would say nothing of what the other side takes.
	lowat = 128 << 10
)

var errSlow = errors.New("takes the bytes too slowly")

// send sends a chunk. The system copies it from the file, where it can.
func (s *server) send(ctx context.Context, conn net.Conn, sec Section, t *choose.Ticket) (sent int64, err error) {
	lag := lag{yield: func() error { return s.yield(t) }}
	var paid int64 // bytes that the limit has let pass
	for sent < sec.Len && err == nil {
		if paid == 0 {
			if paid, err = s.pay(ctx, sec.Len-sent); err != nil {
				break
			}
		}
		var n int64
		n, err = part(conn, sec, sent, paid)
		sent, paid = sent+n, paid-n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = lag.add(n)
		}
	}
	if context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return sent, err
}

// pay waits until some of n bytes may be sent, and says how many.
func (s *server) pay(ctx context.Context, n int64) (int64, error) {
	n = min(n, portion)
	if s.rate == nil {
		return n, context.Cause(ctx)
	}
	n = min(n, int64(s.rate.Burst()))
	return n, s.rate.WaitN(ctx, int(n))
}

// A lag is how slowly a receiver takes a chunk.
type lag struct {
	stuck   time.Duration // since a byte was taken
	yielded bool
	yield   func() error // lets another go on beside it
}

// add is for n bytes that were taken in the time that more had.
func (l *lag) add(n int64) error {
	l.stuck += look
	if n > 0 {
		l.stuck = 0
	}
	switch {
	case l.stuck >= patience:
		return errSlow
	case n < slow && !l.yielded:
		l.yielded = true
		return l.yield()
	}
	return nil
}

// part sends n bytes from off on, or fewer and an error.
func part(conn net.Conn, sec Section, off, n int64) (int64, error) {
	if err := conn.SetWriteDeadline(time.Now().Add(look)); err != nil {
		return 0, err
	}
	if _, err := sec.File.Seek(sec.Off+off, io.SeekStart); err != nil {
		return 0, err
	}
	sent, err := io.CopyN(conn, sec.File, n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // the file is shorter than it was
	}
	return sent, err
}

// abort closes a connection so that the other side cannot take what it has for all: by a reset, where there is one.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0) // if that fails it is gone already
	}
	conn.Close()
}

// A watcher reads what comes behind a request, which nobody wants: a line end, an address. Unread bytes would reset the
// connection when it is closed, and what was sent would be lost. And it hears of those who have gone.
type watcher struct {
	conn net.Conn
	done chan struct{}
}

// watch calls gone when the connection breaks. That the other side has nothing more to say means nothing.
func watch(conn net.Conn, gone context.CancelCauseFunc) *watcher {
	w := &watcher{conn, make(chan struct{})}
	go func() {
		defer close(w.done)
		conn.SetReadDeadline(time.Time{}) // if that fails, reading does
		_, err := io.CopyN(io.Discard, conn, maxIgnored)
		switch {
		case err == nil:
			gone(errFlood)
		case err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded):
			gone(err)
		}
	}()
	return w
}

// stop closes the connection, and returns when nothing reads from it any more. After a [watcher.linger] nothing is lost.
func (w *watcher) stop() {
	w.conn.Close()
	<-w.done
}

// linger waits, for a short time, for the other side to close.
func (w *watcher) linger() {
	w.conn.SetReadDeadline(time.Now().Add(lingerTime)) // if that fails it is closed
	<-w.done
}

// finish ends what is sent, at once: nobody waits for the other side's end. It returns when the system has sent it all, as
// it buffers whole chunks: a slot that was free before would be one of more than there are.
func finish(ctx context.Context, conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	if err := tcp.CloseWrite(); err != nil {
		return err
	}
	tick := time.NewTicker(queueLook)
	defer tick.Stop()
	moved := time.Now()
	for before := -1; ; {
		left := sendqueue.Len(tcp)
		if left == 0 {
			return nil
		}
		if left != before {
			before, moved = left, time.Now()
		}
		if time.Since(moved) > patience {
			return errSlow
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
