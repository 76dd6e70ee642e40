package tracker

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"spate/internal/leak"
	"spate/swarm/actionlog"
)

func TestMain(m *testing.M) { leak.Main(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A room is a tracker whose clients are connected by pipes, in a bubble of synctest: its time is not that of the clock,
// and what one side writes at once is what the other reads at once.
type room struct {
	t       *testing.T
	server  *Server
	clients sync.WaitGroup
	logPath string
	all     []*client

	mu      sync.Mutex
	notices []string
}

// inRoom runs f with a tracker.
func inRoom(t *testing.T, o Options, f func(r *room)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &room{t: t, logPath: filepath.Join(t.TempDir(), actionlog.Name)}
		l, err := actionlog.Open(r.logPath)
		must(t, err)
		o.Log = l
		o.Notice = func(s string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.notices = append(r.notices, s)
		}
		r.server = newServer(&o)
		defer func() {
			for _, c := range r.all {
				c.Close() // of a test that has failed
			}
			r.clients.Wait()
		}()
		f(r)
		for _, c := range r.all {
			c.close()
		}
		r.clients.Wait()
		must(t, l.Close())
		if n := r.server.Stats().Connections; n != 0 {
			t.Errorf("%d connections are left", n)
		}
	})
}

// log is what was logged since the last call.
func (r *room) log() string {
	r.t.Helper()
	synctest.Wait()
	text, err := os.ReadFile(r.logPath)
	must(r.t, err)
	must(r.t, os.Truncate(r.logPath, 0))
	return string(text)
}

func (r *room) noticed() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.notices
}

// A client is a program that someone else wrote.
type client struct {
	net.Conn
	t *testing.T
}

func (r *room) client() *client {
	here, there := net.Pipe()
	r.server.admit(there, &r.clients)
	c := &client{here, r.t}
	r.all = append(r.all, c)
	return c
}

// send writes each text at once, and the next one without a pause.
func (c *client) send(texts ...string) {
	c.t.Helper()
	for _, s := range texts {
		if s == "" {
			continue
		}
		if _, err := io.WriteString(c, s); err != nil {
			c.t.Fatalf("send %q: %v", s, err)
		}
	}
}

// receive is what one recv(65536) returns within 5 s: "" if nothing comes, "EOF" if the tracker has hung up.
func (c *client) receive() string {
	c.t.Helper()
	buf := make([]byte, 1<<16)
	err := c.SetReadDeadline(time.Now().Add(5 * time.Second))
	n := 0
	if err == nil {
		n, err = c.Read(buf)
	}
	switch {
	case errors.Is(err, io.ErrClosedPipe): // by the other side
		return "EOF"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ""
	case err == io.EOF:
		return "EOF"
	}
	must(c.t, err)
	return string(buf[:n])
}

// ask is a question and its answer.
func (c *client) ask(question string) string {
	c.t.Helper()
	c.send(question)
	return c.receive()
}

// expect fails if the tracker answers otherwise.
func (c *client) expect(question, answer string) {
	c.t.Helper()
	if got := c.ask(question); got != answer {
		c.t.Errorf("%q is answered by %q, want %q", question, got, answer)
	}
}

func (c *client) close() { must(c.t, c.Close()) }

// wants fails if got is not made of these lines.
func wants(t *testing.T, got string, lines ...string) {
	t.Helper()
	want := ""
	if len(lines) > 0 {
		want = strings.Join(lines, "\n") + "\n"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func local(chunk, port int) string { return fmt.Sprintf("LOCAL_CHUNKS,%d,localhost,%d", chunk, port) }
