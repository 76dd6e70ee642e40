package content_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/gateway/content"
	"spate/internal/leak"
	"spate/source"
)

func TestMain(m *testing.M) { leak.Main(m) }

var errBroken = &source.Error{Op: "read", URL: "http://origin/", Kind: source.KindNetwork, Err: errors.New("broken")}

// An object is one in memory.
type object struct {
	info   source.Info
	data   string
	fails  error // what Open fails with
	breaks error // what a read fails with once it has got to at
	at     int64
	short  bool                              // a read that gets to at ends, as if all were there
	longer bool                              // a reader has a byte more than was asked for
	step   int                               // bytes that a read gives at most, 0: as many as fit
	wrap   func(io.ReadCloser) io.ReadCloser // around each reader

	mu     sync.Mutex
	opened []string
	open   int
}

func (o *object) Info() source.Info { return o.info }

func (o *object) Open(_ context.Context, off, n int64) (io.ReadCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.opened = append(o.opened, fmt.Sprintf("%d+%d", off, n))
	if o.fails != nil {
		return nil, o.fails
	}
	o.open++
	end := int64(len(o.data))
	if n >= 0 {
		end = off + n
	}
	var r io.ReadCloser = &reader{o: o, off: off, end: end}
	if o.wrap != nil {
		r = o.wrap(r)
	}
	return r, nil
}

func (o *object) asked() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.opened, " ")
}

func (o *object) stillOpen() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.open
}

type reader struct {
	o        *object
	off, end int64
}

func (r *reader) Read(p []byte) (int, error) {
	end := r.end
	if o := r.o; o.breaks != nil || o.short {
		end = min(end, max(o.at, r.off))
		if r.off == end && o.at <= r.end && r.off >= o.at {
			if o.short {
				return 0, io.EOF
			}
			return 0, o.breaks
		}
	}
	if r.off == end {
		if r.o.longer {
			return copy(p, "!"), nil
		}
		return 0, io.EOF
	}
	if r.o.step > 0 && len(p) > r.o.step {
		p = p[:r.o.step]
	}
	n := copy(p, r.o.data[r.off:end])
	r.off += int64(n)
	return n, nil
}

func (r *reader) Close() error {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	r.o.open--
	return nil
}

const modified = "Mon, 02 Jan 2006 15:04:05 GMT"

// of is an object of those bytes with a strong tag and a date that is strong.
func of(data string, change ...func(*object)) *object {
	at, err := http.ParseTime(modified)
	if err != nil {
		panic(err)
	}
	o := &object{data: data, info: source.Info{Size: int64(len(data)), MediaType: "text/plain", Validator: `"v1"`, ETag: `"v1"`, ModTime: at}}
	for _, c := range change {
		c(o)
	}
	return o
}

// ten is an object of ten bytes.
func ten(change ...func(*object)) *object { return of("0123456789", change...) }

// A server serves one object.
type server struct {
	*httptest.Server
	mu  sync.Mutex
	cut error // what the last answer was cut short by
}

func serve(t *testing.T, o content.Object) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, o) }))
	s.EnableHTTP2 = true
	t.Cleanup(s.Close)
	return s
}

func (s *server) answer(w http.ResponseWriter, r *http.Request, o content.Object) {
	w.Header().Set("Cache-Control", "no-cache") // as whoever serves may want
	opts := &content.Options{Cut: func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cut = err
	}}
	if err := content.Serve(w, r, o, opts); err != nil {
		content.Fail(w, r, err)
	}
}

func (s *server) cutBy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cut
}

// A response is one as it came.
type response struct {
	*http.Response
	body string
	cut  error // what came in place of its end
	raw  string
}

// ask sends a request of those lines over a connection of its own.
func (s *server) ask(t *testing.T, method, proto string, lines ...string) *response {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	lines = append([]string{method + " /x " + proto, "Host: h", "Connection: close"}, lines...)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	from := bufio.NewReader(io.TeeReader(conn, &raw))
	got, err := http.ReadResponse(from, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%v, after %q", err, raw.String())
	}
	body, err := io.ReadAll(got.Body)
	if rest, e := io.ReadAll(from); len(rest) > 0 || e != nil && err == nil {
		t.Errorf("%q, %v behind the answer", rest, e)
	}
	return &response{got, string(body), err, raw.String()}
}
