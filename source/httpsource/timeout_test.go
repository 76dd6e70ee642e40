package httpsource

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
	"spate/source/sourcetest"
)

// bubble is a Source with an origin that does talk, over connections in memory and in the time of synctest.
func bubble(t *testing.T, opts *Options, talk func(net.Conn)) *Source {
	s := New(opts)
	s.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			talk(theirs)
		}()
		return ours, nil
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// afterRequest talks once a request has come.
func afterRequest(talk func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		talk(c)
		_, _ = io.Copy(io.Discard, r) // until the client leaves
	}
}

// always answers every request with text.
func always(text string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, text)
		}
	}
}

func silent(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// timesOut is an error of KindTimeout that came after so long.
func timesOut(t *testing.T, err error, start time.Time, after time.Duration, text string) {
	t.Helper()
	e, ok := errors.AsType[*source.Error](err)
	if !ok || e.Kind != source.KindTimeout || errors.Is(err, context.Canceled) {
		t.Fatalf("got %#v", err)
	}
	if e.Err.Error() != text {
		t.Errorf("got %q, want %q", e.Err, text)
	}
	if took := time.Since(start); took != after {
		t.Errorf("after %v, want %v", took, after)
	}
	if to, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); !ok || !to.Timeout() {
		t.Errorf("%v has no Timeout", err)
	}
}

func TestOpenTimesOut(t *testing.T) {
	tests := []struct {
		name, url string
		opts      *Options
		talk      func(net.Conn)
		after     time.Duration
		text      string
	}{
		{"no TLS handshake", "https://h/", nil, silent, 15 * time.Second, "no connection within 15s"},
		{"no TLS handshake, own limit", "https://h/", &Options{ConnectTimeout: time.Second}, silent, time.Second, "no connection within 1s"},
		{"no answer", "http://h/", nil, silent, 30 * time.Second, "no answer within 30s"},
		{"no answer, own limit", "http://h/", &Options{HeaderTimeout: time.Minute}, silent, time.Minute, "no answer within 1m0s"},
		{"half a header", "http://h/", nil, afterRequest(saying("HTTP/1.1 200 OK\r\nX: ")), 30 * time.Second, "no answer within 30s"},
		{"hints alone", "http://h/", nil, afterRequest(saying("HTTP/1.1 103 Early Hints\r\n\r\n")), 30 * time.Second, "no answer within 30s"},
		{"redirect to silence", "http://h/", nil, toSilence(), 30 * time.Second, "redirected to http://i/: no answer within 30s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, start := bubble(t, tt.opts, tt.talk), time.Now()
				_, err := s.Open(t.Context(), tt.url, source.From(0))
				timesOut(t, err, start, tt.after, tt.text)
			})
		})
	}
}

// toSilence redirects on the first connection and is silent on the others.
func toSilence() func(net.Conn) {
	first := make(chan struct{}, 1)
	return func(c net.Conn) {
		select {
		case first <- struct{}{}:
			afterRequest(saying("HTTP/1.1 302 Found\r\nLocation: http://i/\r\nContent-Length: 0\r\n\r\n"))(c)
		default:
			silent(c)
		}
	}
}

func TestDialTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, start := bubble(t, nil, silent), time.Now()
		s.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		_, err := s.Open(t.Context(), "http://h/", source.From(0))
		timesOut(t, err, start, 15*time.Second, "no connection within 15s")
	})
}

const ten = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"

func TestSilence(t *testing.T) {
	for _, limit := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &Options{IdleTimeout: limit}, afterRequest(saying(ten+"01234")))
			res, err := s.Open(t.Context(), "http://h/", source.From(0))
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			time.Sleep(time.Hour) // nobody reads, and nobody is silent
			if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			start, text := time.Now(), "silent for 20s"
			if limit = orDefault(limit, 20*time.Second); limit == time.Second {
				text = "silent for 1s"
			}
			_, err = res.Body.Read(make([]byte, 1))
			timesOut(t, err, start, limit, text)
			_, again := res.Body.Read(make([]byte, 1))
			if again != err {
				t.Errorf("then %v", again)
			}
		})
	}
}

// A byte now and then is not silence, however long it takes in all.
func TestTrickle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, nil, afterRequest(func(c net.Conn) {
			time.Sleep(29 * time.Second)
			_, _ = io.WriteString(c, ten)
			for range 10 {
				time.Sleep(20*time.Second - 1)
				_, _ = io.WriteString(c, "x")
			}
		}))
		if _, body, err := sourcetest.Read(t, s, "http://h/", source.From(0)); body != "xxxxxxxxxx" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
	})
}

func TestNoLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &Options{ConnectTimeout: -1, HeaderTimeout: -1, IdleTimeout: -1}, afterRequest(func(c net.Conn) {
			time.Sleep(24 * time.Hour)
			_, _ = io.WriteString(c, ten)
			time.Sleep(24 * time.Hour)
			_, _ = io.WriteString(c, "0123456789")
		}))
		if _, body, err := sourcetest.Read(t, s, "http://h/", source.From(0)); body != "0123456789" || err != nil {
			t.Errorf("got %q, %v", body, err)
		}
	})
}

func TestDeadline(t *testing.T) {
	tests := []struct {
		name string
		talk func(net.Conn)
	}{{"in Open", silent}, {"in Read", afterRequest(saying(ten))}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				res, err := bubble(t, nil, tt.talk).Open(ctx, "http://h/", source.From(0))
				if err == nil {
					defer res.Body.Close()
					_, err = res.Body.Read(make([]byte, 1))
				}
				e, ok := errors.AsType[*source.Error](err)
				if !ok || e.Kind != source.KindTimeout || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %#v", err)
				}
			})
		})
	}
}

// Close waits a quarter of a second for the little that is left, and for nothing else.
func TestCloseWaits(t *testing.T) {
	tests := []struct {
		name, answer string
		want         time.Duration
	}{
		{"little left", ten + "012", drainTime},
		{"much left", "HTTP/1.1 200 OK\r\nContent-Length: 262148\r\n\r\n012", 0},
		{"just little enough", "HTTP/1.1 200 OK\r\nContent-Length: 262147\r\n\r\n012", drainTime},
		{"unknown", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n012\r\n", 0},
		{"nothing left", ten + "0123456789", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				res, err := bubble(t, nil, afterRequest(saying(tt.answer))).Open(t.Context(), "http://h/", source.From(0))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(res.Body, make([]byte, 3)); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if err := res.Body.Close(); err != nil || time.Since(start) != tt.want {
					t.Errorf("Close = %v after %v, want %v", err, time.Since(start), tt.want)
				}
			})
		})
	}
}

func TestCloseEndsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		res, err := bubble(t, nil, afterRequest(saying(ten))).Open(t.Context(), "http://h/", source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		failed := make(chan error)
		go func() {
			_, err := res.Body.Read(make([]byte, 1))
			failed <- err
		}()
		synctest.Wait()
		start := time.Now()
		_ = res.Body.Close()
		if err := <-failed; err == nil || err == io.EOF || errors.Is(err, context.Canceled) || time.Since(start) != 0 {
			t.Errorf("Read = %v, %v after Close", err, time.Since(start))
		}
	})
}

func TestCancelWhileOpening(t *testing.T) {
	cause := errors.New("enough")
	for _, url := range []string{"http://h/", "https://h/"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			s := bubble(t, nil, silent)
			failed := make(chan error)
			go func() {
				_, err := s.Open(ctx, url, source.From(0))
				failed <- err
			}()
			synctest.Wait()
			cancel(cause)
			err := <-failed
			if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindOther {
				t.Errorf("got %#v", err)
			}
			if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) || errors.Is(err, source.ErrUnavailable) {
				t.Errorf("got %v", err)
			}
			s.CloseIdleConnections() // a dial may go on for the next request
		})
	}
}
