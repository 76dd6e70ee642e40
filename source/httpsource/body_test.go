package httpsource

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"spate/source"
	"spate/source/driver"
)

// endless is a body that notes what it was given.
type endless struct{ p []byte }

func (e *endless) Read(p []byte) (int, error) {
	e.p = p
	return len(p), nil
}

func (e *endless) Close() error { return nil }

// endlessBody is the body of an answer without a length.
func endlessBody(t *testing.T, src *endless, rng source.Range) *driver.Body {
	_, w := driver.NewWatch(t.Context())
	a := &answer{
		resp:   &http.Response{Body: src, ContentLength: -1},
		url:    &url.URL{Scheme: "http", Host: "h"},
		length: -1,
		watch:  w,
		idle:   time.Minute,
	}
	b := newBody(a, "http://h/", &source.Resource{Len: -1}, rng)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// A byte is copied once: from the socket to where the caller wants it.
func TestReadPassesThrough(t *testing.T) {
	src := &endless{}
	b := endlessBody(t, src, source.From(0))
	p := make([]byte, 256<<10)
	if n, err := b.Read(p); n != len(p) || err != nil {
		t.Fatal(n, err)
	}
	if len(src.p) != len(p) || &src.p[0] != &p[0] {
		t.Error("the caller's bytes did not reach the connection")
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = b.Read(p) }); n > 0 {
		t.Errorf("%v allocations in a Read", n)
	}
}

func TestReadKeepsToTheRange(t *testing.T) {
	for _, n := range []int64{0, 1, 9, 10, 11, 25} {
		b := endlessBody(t, &endless{}, source.Range{Len: n})
		var sizes []int
		for {
			got, err := b.Read(make([]byte, 10))
			if err == io.EOF {
				break
			}
			sizes = append(sizes, got)
		}
		sum := 0
		for _, s := range sizes {
			sum += s
		}
		if int64(sum) != n {
			t.Errorf("range of %d: reads of %v", n, sizes)
		}
	}
}

func TestClassify(t *testing.T) {
	tests := []struct {
		err  error
		kind source.Kind
	}{
		{io.EOF, source.KindNetwork},
		{io.ErrUnexpectedEOF, source.KindNetwork},
		{fmt.Errorf("x: %w", syscall.ECONNRESET), source.KindNetwork},
		{syscall.EPIPE, source.KindNetwork},
		{net.ErrClosed, source.KindNetwork},
		{&net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}, source.KindNetwork},
		{&net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}, source.KindTimeout},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, source.KindNetwork},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, source.KindTimeout},
		{errors.New("http: server closed idle connection"), source.KindNetwork},
		{errors.New("http2: client connection lost"), source.KindNetwork},
		{errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1"), source.KindNetwork},
		{&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}, source.KindTLS},
		{http.ErrSchemeMismatch, source.KindTLS},
		{&proxyError{407}, source.KindAuth},
		{&proxyError{502}, source.KindNetwork},
		{errors.New("malformed HTTP response"), source.KindProtocol},
	}
	for _, tt := range tests {
		e := classify(tt.err, nil)
		if e.Kind != tt.kind || errors.Is(e, io.EOF) {
			t.Errorf("%v: %v", tt.err, e.Kind)
		}
	}
}
