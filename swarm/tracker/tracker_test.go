package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"spate/swarm/actionlog"
	"spate/swarm/wire"
)

// A running is a tracker on sockets.
type running struct {
	*Server
	t    *testing.T
	addr string
	log  string
	stop func() error
}

// run begins a tracker, and has it stopped in the end. Nothing in o that has to be is left out.
func run(t *testing.T, o Options) *running {
	t.Helper()
	r := &running{t: t, log: filepath.Join(t.TempDir(), actionlog.Name)}
	l, err := actionlog.Open(r.log)
	must(t, err)
	o.Log = l
	if o.Addr == "" {
		o.Addr = "localhost:0"
	}
	ctx, cancel := context.WithCancel(t.Context())
	r.Server, err = Listen(ctx, &o)
	must(t, err)
	r.addr = r.Addrs()[0].String()
	served := make(chan error, 1)
	go func() { served <- r.Serve(ctx) }()
	r.stop = sync.OnceValue(func() error {
		cancel()
		return errors.Join(<-served, l.Close())
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// A tcpClient is a client as the assignment's programs are: it writes a message at once, and takes what recv(1024)
// returns to be one.
type tcpClient struct {
	*net.TCPConn
	t *testing.T
}

func (r *running) dial() *tcpClient {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	must(r.t, err)
	r.t.Cleanup(func() { c.Close() })
	return &tcpClient{c.(*net.TCPConn), r.t}
}

func (c *tcpClient) send(text string) {
	c.t.Helper()
	_, err := io.WriteString(c, text)
	must(c.t, err)
}

func (c *tcpClient) ask(question string) string {
	c.t.Helper()
	c.send(question)
	buf := make([]byte, 1024)
	n, err := c.Read(buf)
	must(c.t, err)
	return string(buf[:n])
}

// rest is what comes until the tracker hangs up.
func (c *tcpClient) rest() string {
	c.t.Helper()
	text, err := io.ReadAll(c)
	must(c.t, err)
	return string(text)
}

func (r *running) logged() string {
	r.t.Helper()
	text, err := os.ReadFile(r.log)
	must(r.t, err)
	return string(text)
}

// The four lines by which section 6 of the assignment grades a tracker.

func TestGradedSimultaneousConnections(t *testing.T) {
	r := run(t, Options{})
	var all []*tcpClient
	for range 50 {
		all = append(all, r.dial())
	}
	for i, c := range all { // all are open, and each is heard, the last one first
		c = all[len(all)-1-i]
		if got, want := c.ask(fmt.Sprintf("WHERE_CHUNK,%d", i+1)), fmt.Sprintf("CHUNK_LOCATION_UNKNOWN,%d", i+1); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if n := r.Stats().Connections; n != 50 {
		t.Errorf("%d connections", n)
	}
}

func TestGradedChunkOfOneClient(t *testing.T) {
	r := run(t, Options{})
	a, b := r.dial(), r.dial()
	a.send("LOCAL_CHUNKS,1,localhost,15122")
	if got := a.ask("WHERE_CHUNK,1"); got != "GET_CHUNK_FROM,1,localhost,15122" { // now it is certainly registered
		t.Error(got)
	}
	if got := b.ask("WHERE_CHUNK,1"); got != "GET_CHUNK_FROM,1,localhost,15122" {
		t.Error(got)
	}
	for _, line := range []string{"P2PTracker,LOCAL_CHUNKS,1,localhost,15122\n", "P2PTracker,GET_CHUNK_FROM,1,localhost,15122\n"} {
		if got := r.logged(); !strings.Contains(got, line) {
			t.Errorf("%q is not in\n%s", line, got)
		}
	}
}

func TestGradedChunkOfTwoClients(t *testing.T) {
	r := run(t, Options{})
	a, b, c := r.dial(), r.dial(), r.dial()
	a.ask("LOCAL_CHUNKS,1,localhost,15122WHERE_CHUNK,1")
	b.ask("LOCAL_CHUNKS,1,localhost,15123WHERE_CHUNK,1")
	if got := c.ask("WHERE_CHUNK,1"); got != "GET_CHUNK_FROM,1,localhost,15122,localhost,15123" {
		t.Error(got)
	}
	if got, line := r.logged(), "P2PTracker,GET_CHUNK_FROM,1,localhost,15122,localhost,15123\n"; strings.Count(got, line) != 2 {
		t.Errorf("%q is not twice in\n%s", line, got)
	}
}

func TestGradedChunkThatDoesNotExist(t *testing.T) {
	r := run(t, Options{})
	a, b := r.dial(), r.dial()
	a.ask("LOCAL_CHUNKS,1,localhost,15122WHERE_CHUNK,1")
	for range 2 {
		if got := b.ask("WHERE_CHUNK,2"); got != "CHUNK_LOCATION_UNKNOWN,2" {
			t.Error(got)
		}
	}
	if got, line := r.logged(), "P2PTracker,CHUNK_LOCATION_UNKNOWN,2\n"; strings.Count(got, line) != 2 {
		t.Errorf("%q is not twice in\n%s", line, got)
	}
	b.ask("LOCAL_CHUNKS,2,localhost,15123WHERE_CHUNK,2")
	if got := a.ask("WHERE_CHUNK,2"); got != "GET_CHUNK_FROM,2,localhost,15123" {
		t.Error(got)
	}
}

// A client that has shut down its side is answered, and then hung up on.
func TestHalfClosed(t *testing.T) {
	c := run(t, Options{}).dial()
	c.send("LOCAL_CHUNKS,1,localhost,70WHERE_CHUNK,1WHERE_CHUNK,2")
	must(t, c.CloseWrite())
	if got := c.rest(); got != "GET_CHUNK_FROM,1,localhost,70CHUNK_LOCATION_UNKNOWN,2" {
		t.Error(got)
	}
}

// A client that goes without a word takes nothing with it.
func TestReset(t *testing.T) {
	r := run(t, Options{})
	c := r.dial()
	c.ask("LOCAL_CHUNKS,1,localhost,7001WHERE_CHUNK,1")
	must(t, c.SetLinger(0))
	must(t, c.Close())
	if got := r.dial().ask("WHERE_CHUNK,1"); got != "GET_CHUNK_FROM,1,localhost,7001" {
		t.Error(got)
	}
}

// localhost is both of its addresses, at one port.
func TestLocalhost(t *testing.T) {
	r := run(t, Options{})
	if l, err := net.Listen("tcp", "[::1]:0"); err != nil {
		t.Logf("this machine has no IPv6: %v", err)
		if got := len(r.Addrs()); got != 1 {
			t.Errorf("%d addresses", got)
		}
		return
	} else {
		l.Close()
	}
	a, b := r.Addrs()[0].(*net.TCPAddr), r.Addrs()[1].(*net.TCPAddr)
	if a.String() != "127.0.0.1:"+strconv.Itoa(b.Port) || b.IP.String() != "::1" {
		t.Errorf("%v and %v", a, b)
	}
	r.addr = b.String()
	if got := r.dial().ask("WHERE_CHUNK,1"); got != "CHUNK_LOCATION_UNKNOWN,1" {
		t.Error(got)
	}
}

func TestPortInUse(t *testing.T) {
	r := run(t, Options{})
	_, port, err := net.SplitHostPort(r.addr)
	must(t, err)
	if _, err := Listen(t.Context(), &Options{Addr: "localhost:" + port}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Error(err)
	}
	for _, addr := range []string{"localhost", "localhost:x", "localhost:70000"} {
		if _, err := Listen(t.Context(), &Options{Addr: addr}); err == nil {
			t.Errorf("%s", addr)
		}
	}
}

// Who asks by UDP is answered by no more than he sent; who asks otherwise is not.
func TestUDP(t *testing.T) {
	r := run(t, Options{})
	for _, at := range r.Addrs() {
		c, err := net.Dial("udp", at.String())
		must(t, err)
		others := []string{"SPATE_TRACKER?", "hello", "", strings.Repeat("x", 1000), wire.TrackerQuestion + "x"}
		for _, question := range append(others, wire.TrackerQuestion) {
			_, err := io.WriteString(c, question)
			must(t, err)
		}
		buf := make([]byte, 100)
		n, err := c.Read(buf) // in order, on this machine: the first answer is that to the last one
		must(t, err)
		if got := string(buf[:n]); got != "SPATE_TRACKER,1" || n > len(wire.TrackerQuestion) {
			t.Errorf("%q", got)
		}
		must(t, c.Close())
	}
	if got := r.Stats().Probes; got != int64(len(r.Addrs())) {
		t.Errorf("%d were answered", got)
	}
}

// A tracker whose UDP port somebody else has is one without.
func TestUDPInUse(t *testing.T) {
	var notice string
	for range 16 {
		u, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		must(t, err)
		s, err := Listen(t.Context(), &Options{Addr: u.LocalAddr().String(), Notice: func(s string) { notice = s }})
		if err == nil {
			must(t, s.Close())
		}
		must(t, u.Close())
		if !errors.Is(err, syscall.EADDRINUSE) { // by TCP
			break
		}
	}
	if !strings.Contains(notice, "in use") {
		t.Errorf("%q", notice)
	}
}

// What was registered is there after a restart, also what came last.
func TestRestart(t *testing.T) {
	o := Options{State: filepath.Join(t.TempDir(), "state")}
	for i := range 3 {
		r := run(t, o)
		c := r.dial()
		want := "GET_CHUNK_FROM,1"
		for j := range i {
			want += fmt.Sprintf(",localhost,%d", 7001+j)
		}
		if got := c.ask("WHERE_CHUNK,1"); i > 0 && got != want {
			t.Errorf("%q, want %q", got, want)
		}
		c.send(local(1, 7001+i))
		must(t, c.CloseWrite())
		c.rest()
		must(t, r.stop())
	}
}

func TestStateRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	must(t, os.WriteFile(path, []byte("mine"), 0o600))
	if _, err := Listen(t.Context(), &Options{Addr: "localhost:0", State: path}); !errors.Is(err, ErrState) {
		t.Error(err)
	}
	must(t, os.Remove(path))
	run(t, Options{State: path})
	if _, err := Listen(t.Context(), &Options{Addr: "localhost:0", State: path}); !errors.Is(err, ErrStateInUse) {
		t.Error(err)
	}
}

// A tracker that stops answers what it was asked, closes what is open, and lets nobody in.
func TestStops(t *testing.T) {
	r := run(t, Options{})
	silent, asking := r.dial(), r.dial()
	silent.ask("WHERE_CHUNK,1")
	asking.ask("WHERE_CHUNK,1")
	asking.send("WHERE_CHUNK,2")
	must(t, r.stop())
	if got := asking.rest(); got != "CHUNK_LOCATION_UNKNOWN,2" {
		t.Errorf("answers %q", got)
	}
	if got := silent.rest(); got != "" {
		t.Errorf("sends %q", got)
	}
	if c, err := net.Dial("tcp", r.addr); err == nil {
		c.Close()
		t.Error("lets a client in")
	}
}

// The dead are named last where the tracker looks, until they register again.
func TestProbe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	alive := l.Addr().(*net.TCPAddr).Port
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	dead := gone.Addr().(*net.TCPAddr).Port
	must(t, gone.Close())
	s := newServer(nil)
	for _, p := range []int{dead, alive} {
		s.registry.add(message(t, local(1, p)))
	}
	check := func(first, second int) {
		t.Helper()
		want := fmt.Sprintf("GET_CHUNK_FROM,1,localhost,%d,localhost,%d", first, second)
		if got := string(s.registry.locate(1, false).Append(nil)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	check(dead, alive)
	s.probeRound(t.Context())
	check(alive, dead)
	s.registry.add(message(t, local(1, dead)))
	check(dead, alive)
}

// A tracker that is to look does so.
func TestProbes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	r := run(t, Options{Probe: time.Millisecond})
	r.dial().ask(local(1, l.Addr().(*net.TCPAddr).Port) + "WHERE_CHUNK,1\n")
	for range 2 {
		c, err := l.Accept()
		must(t, err)
		must(t, c.Close())
	}
}

// A log that cannot be written to is told of once; clients are answered all the same.
func TestLogFails(t *testing.T) {
	l, err := actionlog.Open(filepath.Join(t.TempDir(), "log"))
	must(t, err)
	must(t, l.Close())
	notices := make(chan string, 10)
	s, err := Listen(t.Context(), &Options{Addr: "localhost:0", Log: l, Notice: func(s string) { notices <- s }})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- s.Serve(ctx) }()
	c := (&running{Server: s, t: t, addr: s.Addrs()[0].String()}).dial()
	for range 2 {
		if got := c.ask("WHERE_CHUNK,1"); got != "CHUNK_LOCATION_UNKNOWN,1" {
			t.Error(got)
		}
	}
	cancel()
	must(t, <-served)
	if n := len(notices); n != 1 {
		t.Errorf("%d notices", n)
	}
}

// A connection that is silent takes little, the client's side of it included.
func TestIdleConnection(t *testing.T) {
	const n = 500
	bound := int64(10 << 10)
	if info, _ := debug.ReadBuildInfo(); info != nil && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		bound *= 2
	}
	r := run(t, Options{})
	inUse := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc + m.StackInuse)
	}
	before := inUse()
	for range n {
		r.dial().ask(local(1, 7001) + "WHERE_CHUNK,1\n")
	}
	if each := (inUse() - before) / n; each > bound {
		t.Errorf("%d bytes", each)
	} else {
		t.Logf("%d bytes", each)
	}
}
