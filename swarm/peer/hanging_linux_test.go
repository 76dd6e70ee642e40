package peer

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"spate/event"
)

// hanging is an address where a connection is neither made nor refused: nobody accepts, and the queue is full.
func hanging(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(t, syscall.Listen(fd, 0))
	f := os.NewFile(uintptr(fd), "hanging")
	t.Cleanup(func() { f.Close() })
	l, err := net.FileListener(f)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	for range 8 {
		conn, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond)
		if err != nil {
			return l.Addr().String()
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("the system queues more connections than were asked for")
	return ""
}

// While one giver can be neither connected to nor given up, the others give what it has, and the rest.
func TestGiverThatHangs(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(8, 500)...)
	hangs := hanging(t)
	s.tracker.register(hangs, 3, 4, 5, 6, 7, 8)
	s.tracker.register(give(t, s.honest), 3, 4, 5, 6, 7, 8)
	pl := s.join("client_1", 1, 2)
	s.finishes(pl)
	for _, e := range pl.told(event.Chunk) {
		if e.Origin == hangs {
			t.Errorf("%+v", e)
		}
	}
	for _, line := range s.by("client_1") {
		if strings.HasPrefix(line, "REQUEST_CHUNK,") && strings.HasSuffix(line, hangs[strings.LastIndex(hangs, ":")+1:]) {
			t.Errorf("%q stands in the log, which nobody has heard", line)
		}
	}
}
