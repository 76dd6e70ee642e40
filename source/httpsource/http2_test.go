package httpsource

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"spate/internal/localcert"
	"spate/source"
	"spate/source/sourcetest"
)

// A framer is one connection of an origin that says what it likes.
type framer struct {
	*http2.Framer
	nth  int // of the connections, from 0 on
	text bytes.Buffer
}

// head answers with a header of name-value pairs.
func (f *framer) head(stream uint32, last bool, pairs ...string) {
	f.text.Reset()
	enc := hpack.NewEncoder(&f.text)
	for i := 0; i < len(pairs); i += 2 {
		_ = enc.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.text.Bytes(), EndHeaders: true, EndStream: last})
}

// give is the header, and the first bytes, of a 206 of ten bytes from 7 on.
func (f *framer) give(stream uint32, bytes string, last bool) {
	f.head(stream, false, ":status", "206", "content-range", "bytes 7-16/100")
	_ = f.WriteData(stream, last, []byte(bytes))
}

// framed is the URL of an origin that answers each stream of HTTP/2 by answer, which reports whether the connection goes on.
func framed(t *testing.T, answer func(f *framer, stream uint32) bool) (string, *tls.Config) {
	t.Helper()
	pair, pool, err := localcert.New()
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { end(); _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for nth := 0; ; nth++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = c.Close() })
			wg.Go(func() { defer c.Close(); defer stop(); frames(c, nth, answer) })
		}
	})
	return "https://" + l.Addr().String() + "/", &tls.Config{RootCAs: pool}
}

// frames answers until answer wants no more, or the client leaves.
func frames(c net.Conn, nth int, answer func(*framer, uint32) bool) {
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	f := &framer{Framer: http2.NewFramer(c, c), nth: nth}
	_ = f.WriteSettings()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				_ = f.WriteSettingsAck()
			}
		case *http2.HeadersFrame:
			if !answer(f, frame.StreamID) {
				return
			}
		}
	}
}

const tenBytes = "0123456789"

// A stream of HTTP/2 that breaks is no end, however it does; one that its connection outlives, or that is done again, is right.
func TestStreams(t *testing.T) {
	reset := func(code http2.ErrCode) func(*framer, uint32) bool {
		return func(f *framer, stream uint32) bool {
			f.give(stream, tenBytes[:5], false)
			_ = f.WriteRSTStream(stream, code)
			return true
		}
	}
	rest := func(f *framer, stream uint32) bool {
		f.give(stream, tenBytes, true)
		return true
	}
	tests := []struct {
		name   string
		answer func(f *framer, stream uint32) bool
		want   string
		kind   source.Kind // 0: no error
	}{
		{"all of it", rest, tenBytes, 0},
		{"RST_STREAM in the middle", reset(http2.ErrCodeInternal), "01234", source.KindNetwork},
		{"RST_STREAM in the middle, cancelled", reset(http2.ErrCodeCancel), "01234", source.KindNetwork},
		{"RST_STREAM in the middle, without an error", reset(http2.ErrCodeNo), "01234", source.KindNetwork},
		{"RST_STREAM in the middle, refused", reset(http2.ErrCodeRefusedStream), "01234", source.KindNetwork},
		{"the end in the middle", func(f *framer, stream uint32) bool {
			f.give(stream, tenBytes[:5], true)
			return true
		}, "01234", source.KindNetwork},
		{"more than was announced", func(f *framer, stream uint32) bool {
			f.give(stream, tenBytes+"x", true)
			return true
		}, tenBytes, source.KindProtocol},
		{"RST_STREAM, refused at first", func(f *framer, stream uint32) bool {
			if stream == 1 {
				_ = f.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
				return true
			}
			return rest(f, stream)
		}, tenBytes, 0},
		{"GOAWAY, which lets the stream end", func(f *framer, stream uint32) bool {
			f.give(stream, tenBytes[:5], false)
			_ = f.WriteGoAway(stream, http2.ErrCodeNo, nil)
			_ = f.WriteData(stream, true, []byte(tenBytes[5:]))
			return true
		}, tenBytes, 0},
		{"GOAWAY before the answer", func(f *framer, stream uint32) bool {
			if f.nth == 0 {
				_ = f.WriteGoAway(0, http2.ErrCodeNo, nil)
				return false
			}
			return rest(f, stream)
		}, tenBytes, 0},
		{"GOAWAY, and hangs up", func(f *framer, stream uint32) bool {
			f.give(stream, tenBytes[:5], false)
			_ = f.WriteGoAway(stream, http2.ErrCodeNo, nil)
			return false
		}, "01234", source.KindNetwork},
		{"GOAWAY, for there is too much", func(f *framer, stream uint32) bool {
			_ = f.WriteGoAway(stream, http2.ErrCodeEnhanceYourCalm, nil)
			return false
		}, "", source.KindNetwork},
		{"hangs up", func(f *framer, stream uint32) bool {
			f.give(stream, tenBytes[:5], false)
			return false
		}, "01234", source.KindNetwork},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, config := framed(t, tt.answer)
			_, body, err := sourcetest.Read(t, newSource(t, &Options{TLSConfig: config}), url, source.Range{Off: 7, Len: 11})
			if body != tt.want {
				t.Errorf("got %q, want %q", body, tt.want)
			}
			e, ok := errors.AsType[*source.Error](err)
			if ok != (tt.kind != 0) || ok && e.Kind != tt.kind || !ok && err != nil {
				t.Errorf("got %#v, want kind %v", err, tt.kind)
			}
			if errors.Is(err, io.EOF) || tt.kind == source.KindNetwork && tt.want != "" && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v is no io.ErrUnexpectedEOF", err)
			}
		})
	}
}

// An origin that takes one stream a connection gives all of them.
func TestOneStreamAtATime(t *testing.T) {
	o := newOrigin(t, func(s *httptest.Server) {
		s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 1}
		startHTTP2(s)
	})
	content := bytes.Repeat([]byte(tenBytes), 100_000)
	url := o.on("/", serve(content))
	s := newSource(t, &Options{TLSConfig: o.tls()})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			res, err := s.Open(t.Context(), url, source.Range{Off: int64(i), Len: 900_000})
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, content[i:i+900_000]) {
				t.Errorf("%d: %d bytes, %v", i, len(got), err)
			}
		})
	}
	wg.Wait()
	for _, r := range o.requests() {
		if r.ProtoMajor != 2 {
			t.Errorf("asked by %s", r.Proto)
		}
	}
}

// onlyHTTP2 starts an origin that speaks nothing else and counts its connections; who offers something else finds that it
// hangs up, or refuses the handshake.
func onlyHTTP2(alert bool, conns *atomic.Int64) func(*httptest.Server) {
	return func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				conns.Add(1)
			}
		}
		s.Config.Protocols = new(http.Protocols)
		s.Config.Protocols.SetHTTP2(true)
		s.EnableHTTP2 = true
		s.TLS = &tls.Config{NextProtos: []string{"h2"}}
		if alert {
			s.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
				if slices.Contains(hello.SupportedProtos, "h2") {
					return nil, nil
				}
				strict := s.TLS.Clone()
				strict.GetConfigForClient = nil
				strict.NextProtos = []string{"none"} // what the standard library would take for HTTP/1.1 it refuses now
				return strict, nil
			}
		}
		s.StartTLS()
	}
}

// A session speaks HTTP/2 where there is nothing else, and has asked in vain once.
func TestSessionOverHTTP2Alone(t *testing.T) {
	for _, alert := range []bool{false, true} {
		var conns atomic.Int64
		o := newOrigin(t, onlyHTTP2(alert, &conns))
		url := o.on("/", serve([]byte(tenBytes)))
		s := newSource(t, &Options{TLSConfig: o.tls()})
		for i := range 3 {
			session := asSession(t, s)
			for range 2 {
				_, body, err := sourcetest.Read(t, session, url, source.Range{Off: int64(i), Len: 3})
				if body != tenBytes[i:i+3] || err != nil {
					t.Errorf("alert %v: session %d: %q, %v", alert, i, body, err)
				}
			}
		}
		for _, r := range o.requests() {
			if r.ProtoMajor != 2 {
				t.Errorf("asked by %s", r.Proto)
			}
		}
		if n := conns.Load(); n != 1+3 {
			t.Errorf("alert %v: %d connections for three sessions", alert, n)
		}
	}
}

// An origin that has agreed on HTTP/1.1 and hangs up has not done so over that.
func TestSessionAsksOnce(t *testing.T) {
	o := newOrigin(t, secure)
	url := o.on("/", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	s := newSource(t, &Options{TLSConfig: o.tls()})
	sourcetest.Fails(t, asSession(t, s), url, source.From(0), source.KindNetwork)
	if asked := o.requests(); len(asked) != 1 || asked[0].ProtoMajor != 1 || asked[0].TLS.NegotiatedProtocol != "http/1.1" {
		t.Errorf("%d requests", len(asked))
	}
}
