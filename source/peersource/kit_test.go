package peersource

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A desk is a server that takes what one read returns for one message, as many of the assignment's do.
type desk struct {
	l      net.Listener
	served sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	heard []string
}

// newDesk begins to serve: answer has each message, and says whether the connection stays open.
func newDesk(t *testing.T, answer func(c net.Conn, said string) bool) *desk {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{l: l}
	t.Cleanup(d.close)
	d.served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.served.Go(func() { d.talk(c, answer) })
		}
	})
	return d
}

func (d *desk) talk(c net.Conn, answer func(net.Conn, string) bool) {
	defer c.Close()
	d.mu.Lock()
	d.conns = append(d.conns, c)
	d.mu.Unlock()
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		d.mu.Lock()
		d.heard = append(d.heard, string(buf[:n]))
		d.mu.Unlock()
		if !answer(c, string(buf[:n])) {
			return
		}
	}
}

func (d *desk) close() {
	d.l.Close()
	d.mu.Lock()
	for _, c := range d.conns {
		c.Close()
	}
	d.mu.Unlock()
	d.served.Wait()
}

// messages are what was heard, and over how many connections.
func (d *desk) messages() (said []string, conns int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.heard), len(d.conns)
}

func (d *desk) addr() string { return d.l.Addr().String() }

// A fakeTracker knows who has which chunk.
type fakeTracker struct {
	*desk
	mu      sync.Mutex
	holders map[string][]string // addresses as on the wire, by chunk
	raw     map[string]string   // answers in place of that
}

func newTracker(t *testing.T) *fakeTracker {
	tr := &fakeTracker{holders: map[string][]string{}, raw: map[string]string{}}
	tr.desk = newDesk(t, func(c net.Conn, said string) bool {
		chunk := strings.TrimPrefix(said, "WHERE_CHUNK,")
		tr.mu.Lock()
		answer, isRaw := tr.raw[chunk]
		if all := tr.holders[chunk]; !isRaw && len(all) > 0 {
			answer = "GET_CHUNK_FROM," + chunk + "," + strings.Join(all, ",")
		} else if !isRaw {
			answer = "CHUNK_LOCATION_UNKNOWN," + chunk
		}
		tr.mu.Unlock()
		_, err := c.Write([]byte(answer))
		return err == nil
	})
	return tr
}

// register makes a chunk known as that of these places.
func (tr *fakeTracker) register(chunk int, at ...string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, a := range at {
		tr.holders[strconv.Itoa(chunk)] = append(tr.holders[strconv.Itoa(chunk)], a)
	}
}

func (tr *fakeTracker) answer(chunk int, raw string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.raw[strconv.Itoa(chunk)] = raw
}

func (tr *fakeTracker) url(format string, args ...any) string {
	return "peer://" + tr.addr() + "/" + fmt.Sprintf(format, args...)
}

// at is an address as on the wire.
func at(addr string) string { return strings.Replace(addr, ":", ",", 1) }

// newPeer has chunks as send says: it sends one, and reports whether to close then.
func newPeer(t *testing.T, send func(c net.Conn, chunk int) bool) *desk {
	return newDesk(t, func(c net.Conn, said string) bool {
		chunk, err := strconv.Atoi(strings.TrimPrefix(said, "REQUEST_CHUNK,"))
		return err == nil && !send(c, chunk)
	})
}

// sending sends the same for any chunk, and closes.
func sending(text string) func(net.Conn, int) bool {
	return func(c net.Conn, _ int) bool {
		_, err := c.Write([]byte(text))
		return err == nil
	}
}

// breaking sends that and resets.
func breaking(text string) func(net.Conn, int) bool {
	return func(c net.Conn, _ int) bool {
		_, err := c.Write([]byte(text))
		_ = c.(*net.TCPConn).SetLinger(0)
		return err == nil
	}
}

// silentAfter never says anything more than that.
func silentAfter(text string) func(net.Conn, int) bool {
	return func(c net.Conn, _ int) bool {
		_, err := c.Write([]byte(text))
		return err != nil
	}
}

// dead is an address where nobody listens.
func dead(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// fresh is a Source that lives as long as t.
func fresh(t *testing.T, opts *Options) *Source {
	s := New(opts)
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// short is a patience that a test can wait for.
var short = &Options{HeaderTimeout: 100 * time.Millisecond, IdleTimeout: 100 * time.Millisecond}

// file is a file with that content.
func file(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
