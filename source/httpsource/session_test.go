package httpsource

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"spate/source"
	"spate/source/driver"
	"spate/source/sourcetest"
)

// A session keeps to one connection, and to HTTP/1.1.
func TestSession(t *testing.T) {
	o := newOrigin(t, startHTTP2)
	url := o.on("/", serve([]byte("0123456789")))
	s := newSource(t, &Options{TLSConfig: o.tls()})
	session, err := s.Dial(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for i := range 3 {
		res, body, err := sourcetest.Read(t, session, url, source.Range{Off: int64(i), Len: 3})
		if err != nil || len(body) != 3 || res.Conn.Reused != (i > 0) {
			t.Errorf("%d: %q, %v", i, body, err)
		}
	}
	// The Source's own connections are others.
	if res, _, err := sourcetest.Read(t, s, url, source.From(0)); err != nil || res.Conn.Reused {
		t.Errorf("reused, or %v", err)
	}
	for i, r := range o.requests() {
		if want := []int{1, 1, 1, 2}[i]; r.ProtoMajor != want {
			t.Errorf("request %d over %s", i, r.Proto)
		}
	}
}

func TestSessionMalformed(t *testing.T) {
	s := newSource(t, nil)
	for _, url := range malformed {
		_, err := s.Dial(t.Context(), url)
		if e, ok := errors.AsType[*source.Error](err); !ok || e.Kind != source.KindMalformed || e.Op != "dial" {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// bubbleSession is a session in a bubble.
func bubbleSession(t *testing.T, talk func(net.Conn)) *driver.Session {
	s := bubble(t, nil, talk)
	opened, err := s.Dial(t.Context(), "http://h/")
	if err != nil {
		t.Fatal(err)
	}
	own := opened.(*driver.Session)
	own.Source.(*Source).transport.DialContext = s.transport.DialContext
	t.Cleanup(func() { _ = own.Close() })
	return own
}

func TestSessionTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubbleSession(t, always(ten+"0123456789"))
		first, err := s.Open(t.Context(), "http://h/", source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := s.Open(ctx, "http://h/", source.From(0))
			failed <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		second := make(chan *source.Resource)
		go func() {
			res, err := s.Open(t.Context(), "http://h/", source.From(0))
			if err != nil {
				t.Error(err)
			}
			second <- res
		}()
		synctest.Wait()
		select {
		case <-second:
			t.Error("two at once")
		default:
		}
		_ = first.Body.Close()
		_ = first.Body.Close()
		_ = (<-second).Body.Close()
	})
}

func TestSessionClose(t *testing.T) {
	tests := []struct {
		name string
		talk func(net.Conn)
	}{{"while an Open waits", silent}, {"while a Read waits", afterRequest(saying(ten))}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := bubbleSession(t, tt.talk)
				failed := make(chan error)
				go func() {
					res, err := s.Open(t.Context(), "http://h/", source.From(0))
					if err == nil {
						_, err = io.Copy(io.Discard, res.Body)
						_ = res.Body.Close()
					}
					failed <- err
				}()
				synctest.Wait()
				go func() { // waits for its turn
					_, err := s.Open(t.Context(), "http://h/", source.From(0))
					failed <- err
				}()
				synctest.Wait()
				_ = s.Close()
				for range 2 {
					if err := <-failed; !errors.Is(err, driver.ErrSessionClosed) {
						t.Errorf("got %v", err)
					}
				}
				if _, err := s.Open(t.Context(), "http://h/", source.From(0)); !errors.Is(err, driver.ErrSessionClosed) {
					t.Errorf("after Close: %v", err)
				}
			})
		})
	}
}
