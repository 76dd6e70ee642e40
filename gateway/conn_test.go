package gateway

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// accepting is a listener of connections that were made before.
type accepting chan net.Conn

func (a accepting) Accept() (net.Conn, error) { return <-a, nil }
func (a accepting) Close() error              { return nil }
func (a accepting) Addr() net.Addr            { return &net.TCPAddr{} }

// accepted is raw as Listen gives it to the server.
func accepted(t *testing.T, raw net.Conn) *conn {
	t.Helper()
	a := make(accepting, 1)
	a <- raw
	l := Listen(a, 1)
	t.Cleanup(func() { l.Close() })
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return c.(*conn)
}

// TestDeadlineIsOfProgress: whoever takes a little now and then may take as long as he likes; a write of which nothing is taken for the
// time ends soon after.
func TestDeadlineIsOfProgress(t *testing.T) {
	const most = 3 * time.Minute
	for _, pause := range []time.Duration{time.Second, most / 2, most - 2*most/looks} {
		synctest.Test(t, func(t *testing.T) {
			ours, theirs := net.Pipe()
			c := accepted(t, theirs)
			data := bytes.Repeat([]byte("0123456789"), 10)
			go func() {
				defer c.Close()
				for p := range bytes.SplitSeq(data, []byte("5")) { // several writes
					if err := c.SetWriteDeadline(time.Now().Add(most)); err != nil {
						t.Error(err)
					}
					if n, err := c.Write(append(p, '5')); err != nil {
						t.Errorf("%v between bytes: %d were written, %v", pause, n, err)
						return
					}
				}
			}()
			var got []byte
			for range len(data) + 1 {
				time.Sleep(pause)
				var b [1]byte
				if _, err := ours.Read(b[:]); err != nil {
					t.Fatalf("%v between bytes: %v after %d of them", pause, err, len(got))
				}
				got = append(got, b[0])
			}
			if want := append(data, '5'); !bytes.Equal(got, want) {
				t.Errorf("%v between bytes: got %q", pause, got)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		c := accepted(t, theirs)
		defer c.Close()
		go func() {
			_, _ = ours.Read(make([]byte, 7))
			time.Sleep(most - 2*most/looks)
			_, _ = ours.Read(make([]byte, 5))
		}()
		begun := time.Now()
		if err := c.SetWriteDeadline(begun.Add(most)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)                       // the time is that of a write that waits
		begun = time.Now().Add(most - 2*most/looks) // when the last byte is taken
		n, err := c.Write(make([]byte, 100))
		if d := time.Since(begun); n != 12 || !errors.Is(err, os.ErrDeadlineExceeded) || d < most || d > most+most/looks {
			t.Errorf("%d bytes, %v after %v", n, err, d)
		}
	})
}

// system is a connection into a buffer of the system, which tells that there is room again only once much of it is free.
type system struct {
	net.Conn
	rate     float64 // bytes a second that the other side takes
	begun    time.Time
	wakes    time.Duration // that much later there is room
	deadline time.Time
}

func (s *system) SetWriteDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *system) Write(p []byte) (int, error) {
	room := s.begun.Add(s.wakes)
	if s.deadline.IsZero() || room.Before(s.deadline) {
		time.Sleep(time.Until(room))
		return len(p), nil
	}
	time.Sleep(time.Until(s.deadline))
	return 0, os.ErrDeadlineExceeded
}

func (s *system) queued() int { return 4<<20 - int(s.rate*time.Since(s.begun).Seconds()) }

// TestWhatTheSystemHasIsTaken: a client that takes 500 bytes a second of what the system has for it is served, although no write returns for
// longer than a client may take nothing.
func TestWhatTheSystemHasIsTaken(t *testing.T) {
	const most = 3 * time.Minute
	for rate, served := range map[float64]bool{500: true, 0: false} {
		synctest.Test(t, func(t *testing.T) {
			s := &system{Conn: new(net.TCPConn), rate: rate, begun: time.Now(), wakes: 45 * time.Minute}
			c := accepted(t, s)
			c.queued = s.queued
			if err := c.SetWriteDeadline(time.Now().Add(most)); err != nil {
				t.Fatal(err)
			}
			n, err := c.Write(make([]byte, 100))
			if isServed := n == 100 && err == nil; isServed != served || !served && time.Since(s.begun) > most+most/looks {
				t.Errorf("%v bytes a second: %d, %v after %v", rate, n, err, time.Since(s.begun))
			}
		})
	}
}

// TestDeadlinesOfAConnection are otherwise those of any.
func TestDeadlinesOfAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		c := accepted(t, theirs)
		defer c.Close()
		write := func() error { _, err := c.Write([]byte("x")); return err }
		for _, over := range []time.Time{time.Now(), time.Now().Add(-time.Hour)} {
			if err := errors.Join(c.SetWriteDeadline(over), write()); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("a deadline that is over: %v", err)
			}
		}
		if err := c.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		go func() {
			time.Sleep(24 * time.Hour)
			_, _ = ours.Read(make([]byte, 1))
		}()
		if err := write(); err != nil {
			t.Errorf("no deadline: %v", err)
		}
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		time.AfterFunc(time.Second, func() { _ = c.SetWriteDeadline(time.Now()) }) // as whoever ends a connection does
		begun := time.Now()
		if err := errors.Join(c.SetWriteDeadline(begun.Add(time.Hour)), write()); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begun) > time.Minute {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		ours.Close()
		if err := write(); !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	})
}

// TestListenIsBounded: one more waits until another is closed, however often, or until the listener is.
func TestListenIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := make(accepting, 10)
		for range 10 {
			_, theirs := net.Pipe()
			a <- theirs
		}
		l := Listen(a, 2)
		first, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Accept(); err != nil {
			t.Fatal(err)
		}
		more := make(chan error)
		accept := func() { _, err := l.Accept(); more <- err }
		go accept()
		go accept()
		synctest.Wait()
		if len(a) != 8 {
			t.Errorf("%d were accepted", 10-len(a))
		}
		first.Close()
		first.Close()
		if err := <-more; err != nil || len(a) != 7 {
			t.Errorf("%d were accepted, %v", 10-len(a), err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if err := <-more; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}
