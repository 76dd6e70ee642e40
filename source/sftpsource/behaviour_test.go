package sftpsource

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/internal/servers"
	"spate/source"
	"spate/source/sourcetest"
)

func TestWhatCannotBeOpened(t *testing.T) {
	o := newOrigin(t)
	o.Put("/dir/forbidden", []byte(ten))
	s := newSource(t, o.options())
	if err := sourcetest.FailsWith(t, s, o.url+"none", source.KindStatus, 404); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := sourcetest.FailsWith(t, s, o.url+"dir/forbidden", source.KindAuth, 403); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := sourcetest.FailsWith(t, s, o.url+"dir", source.KindStatus, 403); !strings.Contains(err.Error(), "is a directory") {
		t.Error(err)
	}
	if n := o.Connections(); n != 1 {
		t.Errorf("%d connections, want 1: what is refused costs none", n)
	}
}

func TestInfo(t *testing.T) {
	o := newOrigin(t)
	o.Put("/home/a b", []byte(ten))
	o.PutAt("/young", []byte(ten), time.Now())
	s := newSource(t, o.options())
	res, body, err := sourcetest.Read(t, s, o.url+"~/a%20b#x", source.From(4))
	if err != nil || body != ten[4:] {
		t.Fatalf("%q, %v", body, err)
	}
	if res.URL != o.url+"~/a%20b" || res.Size != 10 || res.Off != 4 || !res.Seekable || !res.ModTime.Equal(servers.Modified) || !res.HasStrongValidator() {
		t.Errorf("%+v", res)
	}
	if res, _, err = sourcetest.Read(t, s, o.url+"young", source.From(0)); err != nil || res.Validator == "" || res.HasStrongValidator() {
		t.Errorf("young: %q, %v", res.Validator, err)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	o := newOrigin(t)
	o.Put("/small", []byte(ten))
	o.Put("/large", make([]byte, 8<<20))
	s := newSource(t, o.options())
	take := func(name string, rng source.Range, n int64) error {
		res, err := s.Open(t.Context(), o.url+name, rng)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.CopyN(io.Discard, res.Body, n)
		return err
	}
	small := func() error { return take("small", source.From(0), 10) }
	steps := []struct {
		name  string
		do    func() error
		conns int
	}{
		{"the first", small, 1},
		{"the next", small, 1},
		{"a range in the middle", func() error { return take("large", source.Range{Off: 5, Len: 10}, 10) }, 1},
		{"left with little under way", func() error { return take("large", source.From(8<<20-100), 1) }, 1},
		{"nothing read", func() error { return take("large", source.From(0), 0) }, 1},
		{"after that", small, 1},
		{"after the origin hung up", func() error { o.HangUp(); return small() }, 2},
		{"after CloseIdleConnections", func() error { s.CloseIdleConnections(); return small() }, 3},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if got := o.Connections(); got != step.conns {
			t.Errorf("%s: %d connections, want %d", step.name, got, step.conns)
		}
	}
}

// A relay stands before an origin and hands on what it answers, up to a number of bytes; then it is silent, or hangs up.
type relay struct {
	l       net.Listener
	to      string
	most    int64
	cut     bool
	serving sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

func newRelay(t *testing.T, to string, most int64, cut bool) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l: l, to: to, most: most, cut: cut}
	t.Cleanup(r.close)
	r.serving.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			r.serving.Go(func() { r.serve(in) })
		}
	})
	return r
}

func (r *relay) serve(in net.Conn) {
	out, err := net.Dial("tcp", r.to)
	if err != nil {
		in.Close()
		return
	}
	r.mu.Lock()
	r.conns = append(r.conns, in, out)
	r.mu.Unlock()
	r.serving.Go(func() { _, _ = io.Copy(out, in); out.Close() })
	_, _ = io.CopyN(in, out, r.most)
	if r.cut {
		in.Close()
		return
	}
	_, _ = io.Copy(io.Discard, out)
}

func (r *relay) close() {
	r.l.Close()
	r.mu.Lock()
	for _, c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.serving.Wait()
}

// TestPhases: wherever the wire falls silent, the time-out of that phase ends it, and so does the caller; where it is cut, that
// is an error of the network.
func TestPhases(t *testing.T) {
	const short = 100 * time.Millisecond
	for _, most := range []int64{0, 10, 500, 1500, 2500, 3500, 60_000, 200_000} {
		o := newOrigin(t)
		o.Put("/x", make([]byte, 1<<20))
		opts := *o.options()
		opts.AcceptNew = true
		url := func(cut bool) string {
			return strings.Replace(o.url, o.Addr(), newRelay(t, o.Addr(), most, cut).l.Addr().String(), 1) + "x"
		}
		limited := opts
		limited.ConnectTimeout, limited.HeaderTimeout, limited.IdleTimeout = short, short, short
		sourcetest.FailsWith(t, newSource(t, &limited), url(false), source.KindTimeout, 0)

		ctx, cancel := context.WithTimeout(t.Context(), short)
		res, err := newSource(t, &opts).Open(ctx, url(false), source.From(0))
		if err == nil {
			_, err = io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
		cancel()
		if _, ok := errors.AsType[*source.Error](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %d bytes: %v", most, err)
		}
		if err := sourcetest.FailsWith(t, newSource(t, &opts), url(true), source.KindNetwork, 0); err.Op == "read" && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d bytes: %v", most, err)
		}
	}
}

func TestOriginsThatAreNone(t *testing.T) {
	for _, says := range []string{
		"", "HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-1.0-old\r\n", strings.Repeat("x", 1000) + "\r\n",
		strings.Repeat("x\r\n", 1000), "SSH-2.0-x\r\n\xff\xff\xff\xff\xff\xff",
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		serving.Go(func() {
			if c, err := l.Accept(); err == nil {
				_, _ = io.WriteString(c, says)
				_ = c.(*net.TCPConn).CloseWrite()
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}
		})
		_, err = newSource(t, newOrigin(t).options()).Open(t.Context(), "sftp://user:secret@"+l.Addr().String()+"/x", source.From(0))
		e, ok := errors.AsType[*source.Error](err)
		if !ok || e.Kind != source.KindNetwork && e.Kind != source.KindProtocol || errors.Is(err, io.EOF) {
			t.Errorf("%.20q: %v", says, err)
		}
		l.Close()
		serving.Wait()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	sourcetest.FailsWith(t, newSource(t, newOrigin(t).options()), "sftp://"+l.Addr().String()+"/x", source.KindNetwork, 0)
}
