package sendqueue

import (
	"io"
	"net"
	"runtime"
	"testing"
)

// What was written and nobody reads is in the queue; what the other side has confirmed is not.
func TestLen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nobody can tell")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	theirs, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	Bound(ours, 64<<10)
	const all = 64 << 20 // more than systems have room for
	written := make(chan error, 1)
	go func() {
		_, err := ours.Write(make([]byte, all))
		written <- err
	}()
	for Len(ours) == 0 {
		runtime.Gosched()
	}
	if n, err := io.CopyN(io.Discard, theirs, all); err != nil {
		t.Fatal(n, err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	for Len(ours) > 0 {
		runtime.Gosched()
	}
	ours.Close()
	if n := Len(ours); n != 0 {
		t.Errorf("%d bytes of a connection that is closed", n)
	}
	if a, b := net.Pipe(); Len(a) != 0 || Len(b) != 0 {
		t.Error("a pipe has no queue")
	}
}
