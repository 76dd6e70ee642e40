package peer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"spate/swarm/loopback"
)

// chunks are texts by index.
type chunks map[int]string

// serving is a server of a test.
type serving struct {
	*server
	t    *testing.T
	addr string
	stop func()

	ended  chan upload
	mu     sync.Mutex
	opened []int // each chunk twice: when it is asked for, and when it is its turn
}

// serve serves chunks until the test ends; adjust may change the server before.
func serve(t *testing.T, c chunks, adjust func(*server)) *serving {
	t.Helper()
	s := newServing(t, c, adjust)
	ls, _, err := loopback.Listen(t.Context(), "127.0.0.1", 0)
	must(t, err)
	s.addr = ls[0].Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, ls[0]) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.wait()
	})
	t.Cleanup(s.stop)
	return s
}

func newServing(t *testing.T, c chunks, adjust func(*server)) *serving {
	dir := t.TempDir()
	for i, text := range c {
		write(t, filepath.Join(dir, ChunkName(i)), text)
	}
	s := &serving{server: newServer(2), t: t, ended: make(chan upload, 100)}
	s.last = 64
	s.open = func(chunk int) (Section, error) {
		s.mu.Lock()
		s.opened = append(s.opened, chunk)
		s.mu.Unlock()
		if _, ok := c[chunk]; !ok {
			return Section{}, fs.ErrNotExist
		}
		w, err := OpenWhole(filepath.Join(dir, ChunkName(chunk)), 1)
		if err != nil {
			return Section{}, err
		}
		return w.Open(1)
	}
	s.tell = func(u upload) { s.ended <- u }
	if adjust != nil {
		adjust(s.server)
	}
	return s
}

func (s *serving) dial(from string) *net.TCPConn {
	s.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.DialContext(s.t.Context(), "tcp", s.addr)
	must(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	return conn.(*net.TCPConn)
}

func (s *serving) ask(texts ...string) *net.TCPConn {
	s.t.Helper()
	conn := s.dial("127.0.0.1")
	for _, text := range texts {
		_, err := io.WriteString(conn, text)
		must(s.t, err)
	}
	return conn
}

func (s *serving) wantStats(is func(UploadStats) bool) {
	s.t.Helper()
	await(s.t, func() bool { return is(s.statistics()) })
}

// await waits for what happens in goroutines that tell nobody. It gives up when the test would be killed.
func await(t *testing.T, is func() bool) {
	t.Helper()
	for tick := time.NewTicker(time.Millisecond); !is(); {
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatal("never")
		}
	}
}

func big(n int) string { return string(bytes.Repeat([]byte("0123456789abcdef"), n/16)) }

func TestRequestIsAnsweredWithTheBytes(t *testing.T) {
	c := chunks{1: "one", 5: "five\n", 12: "", 50: big(1 << 20), 64: "last"}
	s := serve(t, c, nil)
	for name, texts := range map[string][]string{
		"one segment":           {"REQUEST_CHUNK,5"},
		"newline":               {"REQUEST_CHUNK,5\n"},
		"CRLF":                  {"REQUEST_CHUNK,5\r\n"},
		"with an address":       {"REQUEST_CHUNK,5,localhost,7001"},
		"address and newline":   {"REQUEST_CHUNK,5,localhost,7001\n"},
		"word in two segments":  {"REQUEST_", "CHUNK,5"},
		"segments of one byte":  {"R", "E", "Q", "U", "E", "S", "T", "_", "C", "H", "U", "N", "K", ",", "5"},
		"index in two segments": {"REQUEST_CHUNK,", "5"},
		"newline afterwards":    {"REQUEST_CHUNK,5", "\n"},
		"address afterwards":    {"REQUEST_CHUNK,5", ",localhost,7001"},
	} {
		t.Run(name, func(t *testing.T) {
			conn := s.ask(texts...)
			b, err := io.ReadAll(conn)
			if err != nil || string(b) != c[5] {
				t.Errorf("%q, %v", b, err)
			}
			if u := <-s.ended; u.err != nil || u.chunk != 5 {
				t.Errorf("%+v", u)
			}
		})
	}
	for chunk, want := range map[string]string{"1": "one", "12": "", "50": c[50], "64": "last"} {
		if b, err := io.ReadAll(s.ask("REQUEST_CHUNK," + chunk)); err != nil || string(b) != want {
			t.Errorf("chunk %s: %d bytes, %v", chunk, len(b), err)
		}
	}
}

// The index may come in two segments as long as it is not as long as the last one.
func TestIndexThatGrows(t *testing.T) {
	s := serve(t, chunks{1: "one", 12: "twelve"}, nil)
	conn := s.ask("REQUEST_CHUNK,1", "2")
	if b, err := io.ReadAll(conn); err != nil || string(b) != "twelve" {
		t.Errorf("%q, %v", b, err)
	}
}

// What is not there is a connection that is closed without a byte, and so is what nobody understands.
func TestNothingToGive(t *testing.T) {
	s := serve(t, chunks{1: "one"}, nil)
	for _, text := range []string{"REQUEST_CHUNK,2", "REQUEST_CHUNK,64", "REQUEST_CHUNK,0", "REQUEST_CHUNK,x", "GET / HTTP/1.1\r\n\r\n", "WHERE_CHUNK,1", ""} {
		conn := s.ask(text)
		must(t, conn.CloseWrite())
		if b, err := io.ReadAll(conn); err != nil || len(b) > 0 {
			t.Errorf("%q: %q, %v", text, b, err)
		}
		if u := <-s.ended; u.err == nil || u.bytes > 0 {
			t.Errorf("%q: %+v", text, u)
		}
	}
	if st := s.statistics(); st.Refused != 7 || st.Served != 0 {
		t.Errorf("%+v", st)
	}
}

// An index beyond the last is a chunk that is not there: nobody waits for more of it.
func TestIndexBeyondTheLast(t *testing.T) {
	s := serve(t, chunks{1: "one"}, nil)
	for text, chunk := range map[string]int{"REQUEST_CHUNK,65": 65, "REQUEST_CHUNK,99\n": 99, "REQUEST_CHUNK,2147483647": 2147483647} {
		if b, err := io.ReadAll(s.ask(text)); err != nil || len(b) > 0 {
			t.Errorf("%q: %q, %v", text, b, err)
		}
		if u := <-s.ended; u.chunk != chunk || !errors.Is(u.err, fs.ErrNotExist) {
			t.Errorf("%q: %+v", text, u)
		}
	}
}

// Some end their side with the request. They are there still.
func TestHalfClosed(t *testing.T) {
	text := big(4 << 20)
	s := serve(t, chunks{7: text}, nil)
	conn := s.ask("REQUEST_CHUNK,7")
	must(t, conn.CloseWrite())
	if b, err := io.ReadAll(conn); err != nil || string(b) != text {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if u := <-s.ended; u.err != nil || u.bytes != int64(len(text)) {
		t.Errorf("%+v", u)
	}
}

// The slots are those of chunks that have not arrived: what waits in the system's buffers has not.
func TestSlots(t *testing.T) {
	c := chunks{10: big(1 << 20), 20: "two", 30: "three"}
	s := serve(t, c, func(s *server) { s.queue.Slots = 1 })
	first := s.ask("REQUEST_CHUNK,10")
	s.wantStats(func(st UploadStats) bool { return st.Active == 1 })
	second := s.ask("REQUEST_CHUNK,20")
	s.wantStats(func(st UploadStats) bool { return st.Waiting == 1 })
	third := s.ask("REQUEST_CHUNK,30")
	s.wantStats(func(st UploadStats) bool { return st.Waiting == 2 && st.Active == 1 && st.Served == 0 })
	for i, conn := range []net.Conn{first, second, third} {
		want := c[10*(i+1)]
		if b, err := io.ReadAll(conn); err != nil || string(b) != want {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		conn.Close()
		if u := <-s.ended; u.chunk != 10*(i+1) {
			t.Errorf("%+v came as number %d", u, i+1)
		}
	}
}

// Who has asked often waits behind who has not, whatever the order in which they came.
func TestSlotsAreFair(t *testing.T) {
	c := chunks{10: big(8 << 20), 20: "a", 21: "b", 22: "c"}
	s := serve(t, c, func(s *server) { s.queue.Slots = 1 })
	ask := func(from, chunk string) net.Conn {
		waiting := s.statistics().Waiting
		conn := s.dial(from)
		_, err := io.WriteString(conn, "REQUEST_CHUNK,"+chunk)
		must(t, err)
		s.wantStats(func(st UploadStats) bool {
			return st.Waiting == waiting+1 || waiting == 0 && st.Active == 1 && chunk == "10"
		})
		return conn
	}
	first := ask("127.0.0.1", "10")
	var others []net.Conn
	others = append(others, ask("127.0.0.1", "20"), ask("127.0.0.1", "21"), ask("127.0.0.2", "22"))
	_, err := io.Copy(io.Discard, first)
	must(t, err)
	first.Close()
	for _, conn := range others {
		_, err := io.ReadAll(conn)
		must(t, err)
		conn.Close()
	}
	for range 4 {
		<-s.ended
	}
	if want := []int{10, 10, 20, 21, 22, 22, 20, 21}; !slices.Equal(s.opened, want) {
		t.Errorf("asked and served in the order %v, not %v: the other remote was to be second", s.opened, want)
	}
}

// Who leaves while he waits leaves the queue.
func TestGoneWhileWaiting(t *testing.T) {
	s := serve(t, chunks{10: big(8 << 20), 20: "two"}, func(s *server) { s.queue.Slots = 1 })
	first := s.ask("REQUEST_CHUNK,10")
	s.wantStats(func(st UploadStats) bool { return st.Active == 1 })
	second := s.ask("REQUEST_CHUNK,20")
	s.wantStats(func(st UploadStats) bool { return st.Waiting == 1 })
	abort(second)
	if u := <-s.ended; u.chunk != 20 || !errors.Is(u.err, syscall.ECONNRESET) {
		t.Errorf("%+v", u)
	}
	s.wantStats(func(st UploadStats) bool { return st.Waiting == 0 && st.Active == 1 })
	abort(first)
	if u := <-s.ended; u.chunk != 10 || u.err == nil {
		t.Errorf("%+v", u)
	}
	if b, err := io.ReadAll(s.ask("REQUEST_CHUNK,20")); err != nil || string(b) != "two" {
		t.Errorf("%q, %v: the slot is lost", b, err)
	}
}

// Whoever ends in the middle resets the connection: a clean end would say that this was all.
func TestShutdownIsNoEnd(t *testing.T) {
	s := serve(t, chunks{10: big(32 << 20)}, nil)
	conn := s.ask("REQUEST_CHUNK,10")
	_, err := io.ReadFull(conn, make([]byte, 100))
	must(t, err)
	s.stop()
	if n, err := io.Copy(io.Discard, conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestOnlySomeMayFetch(t *testing.T) {
	s := serve(t, chunks{10: "ten"}, func(s *server) { s.allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")} })
	for from, want := range map[string]string{"127.0.0.2": "ten", "127.0.0.1": ""} {
		conn := s.dial(from)
		io.WriteString(conn, "REQUEST_CHUNK,10") // may be refused before it is there
		b, err := io.ReadAll(conn)
		if string(b) != want || err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s got %q, %v", from, b, err)
		}
		if u := <-s.ended; errors.Is(u.err, errNotAllowed) != (want == "") {
			t.Errorf("%s: %+v", from, u)
		}
	}
}

// A purse lets pass what was put into it.
type purse struct {
	mu    sync.Mutex
	asked []int
	coins chan int
}

func (p *purse) Burst() int { return 1000 }

func (p *purse) WaitN(ctx context.Context, n int) error {
	p.mu.Lock()
	p.asked = append(p.asked, n)
	p.mu.Unlock()
	select {
	case <-p.coins:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Nothing is sent that the limit has not let pass, and all that has been is.
func TestUploadLimit(t *testing.T) {
	p := &purse{coins: make(chan int)}
	text := big(2512)
	s := serve(t, chunks{10: text}, func(s *server) { s.rate = p })
	conn := s.ask("REQUEST_CHUNK,10")
	for _, n := range []int{1000, 1000, 512} {
		p.coins <- n
		b := make([]byte, n)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != text[:n] {
			t.Fatalf("%q, %v", b, err)
		}
		text = text[n:]
	}
	if b, err := io.ReadAll(conn); err != nil || len(b) > 0 {
		t.Errorf("%d bytes more, %v", len(b), err)
	}
	if want := []int{1000, 1000, 512}; len(p.asked) != 3 || p.asked[2] != want[2] {
		t.Errorf("%v", p.asked)
	}
}

// Whoever takes a byte a second keeps nobody waiting, and whoever takes none is dropped.
func TestSlowReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServing(t, chunks{10: big(64 << 10), 20: "two"}, func(s *server) { s.queue.Slots = 1 })
		connect := func(request string) net.Conn {
			mine, its := net.Pipe()
			s.conns.Go(func() { s.handle(context.Background(), its) })
			_, err := io.WriteString(mine, request)
			must(t, err)
			return mine
		}
		crawl := connect("REQUEST_CHUNK,10")
		_, err := crawl.Read(make([]byte, 1))
		must(t, err)
		began := time.Now()
		quick := connect("REQUEST_CHUNK,20")
		if b, err := io.ReadAll(quick); err != nil || string(b) != "two" {
			t.Errorf("%q, %v", b, err)
		}
		if took := time.Since(began); took > 2*look {
			t.Errorf("waited %v for a slot", took)
		}
		for range 30 {
			if u := <-s.ended; u.chunk == 10 {
				if !errors.Is(u.err, errSlow) || time.Since(began) < patience {
					t.Errorf("%+v after %v", u, time.Since(began))
				}
				break
			}
		}
		s.wait()
		crawl.Close()
		quick.Close()
	})
}

// Who asks for nothing is not waited for.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServing(t, chunks{10: "ten"}, nil)
		mine, its := net.Pipe()
		s.conns.Go(func() { s.handle(context.Background(), its) })
		began := time.Now()
		if b, err := io.ReadAll(mine); err != nil || len(b) > 0 {
			t.Errorf("%q, %v", b, err)
		}
		if took := time.Since(began); took != requestTime {
			t.Errorf("dropped after %v", took)
		}
		s.wait()
		mine.Close()
	})
}
