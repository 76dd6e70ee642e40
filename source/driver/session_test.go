package driver

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"spate/source"
)

// memory is a Source whose bodies wait for their context.
type memory struct{ closed int }

func (m *memory) Open(ctx context.Context, url string, _ source.Range) (*source.Resource, error) {
	if url == "bad" {
		return nil, Failed("open", url, Classed(source.KindStatus, errors.New("no")))
	}
	r, w := io.Pipe()
	context.AfterFunc(ctx, func() { _ = w.CloseWithError(CtxError(ctx)) })
	return &source.Resource{Body: r}, nil
}

func (m *memory) CloseIdleConnections() { m.closed++ }

func TestSessionTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSession(&memory{})
		first, err := s.Open(t.Context(), "a", source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		opened := make(chan error)
		go func() {
			_, err := s.Open(ctx, "b", source.From(0))
			opened <- err
		}()
		synctest.Wait()
		select {
		case err := <-opened:
			t.Fatalf("the second did not wait: %v", err)
		default:
		}
		cancel()
		if err := <-opened; !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled while it waits: %v", err)
		}
		first.Body.Close()
		if _, err := s.Open(t.Context(), "bad", source.From(0)); err == nil {
			t.Error("bad is good")
		}
		if _, err := s.Open(t.Context(), "c", source.From(0)); err != nil {
			t.Error(err)
		}
		s.Close()
	})
}

func TestSessionCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{}
		s := NewSession(m)
		res, err := s.Open(t.Context(), "a", source.From(0))
		if err != nil {
			t.Fatal(err)
		}
		waits := make(chan error)
		go func() {
			_, err := s.Open(t.Context(), "b", source.From(0))
			waits <- err
		}()
		synctest.Wait()
		s.Close()
		if err := <-waits; err == nil || !strings.Contains(err.Error(), ErrSessionClosed.Error()) {
			t.Errorf("who waited got %v", err)
		}
		if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, ErrSessionClosed) {
			t.Errorf("Read: %v", err)
		}
		before := m.closed
		res.Body.Close()
		if m.closed == before {
			t.Error("what has become idle since is not closed")
		}
		if _, err := s.Open(t.Context(), "c", source.From(0)); err == nil {
			t.Error("a closed session opens")
		}
	})
}
