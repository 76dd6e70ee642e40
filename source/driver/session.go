package driver

import (
	"context"
	"errors"
	"io"
	"sync"

	"spate/source"
)

// ErrSessionClosed is why an Open of a closed session fails, and the cause of what its Close cuts off.
var ErrSessionClosed = errors.New("session closed")

// Idler is a Source that keeps idle connections.
type Idler interface {
	source.Source
	CloseIdleConnections()
}

// A Session is one connection's worth of a Source. It carries one resource at a time: a second Open waits until the body
// of the first is closed. Close ends what is open. [NewSession] makes one.
type Session struct {
	Source Idler         // nobody else's; it keeps one connection at most
	turn   chan struct{} // holds a token while a resource is open
	done   chan struct{} // closed by Close

	mu     sync.Mutex
	closed bool
	cancel context.CancelCauseFunc // of the resource that is open
}

// NewSession makes a session of src, which is the session's alone from then on, and must keep one connection at most.
func NewSession(src Idler) *Session {
	return &Session{Source: src, turn: make(chan struct{}, 1), done: make(chan struct{})}
}

// Open is that of the Source, one at a time.
func (s *Session) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	if err := s.take(ctx); err != nil {
		return nil, Failed("open", rawURL, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s.hold(cancel)
	res, err := s.Source.Open(ctx, rawURL, rng)
	if err != nil {
		s.release()
		return nil, err
	}
	res.Body = &sessionBody{res.Body, sync.OnceFunc(s.release)}
	return res, nil
}

// take waits for the turn.
func (s *Session) take(ctx context.Context) error {
	select {
	case <-s.done:
		return ErrSessionClosed
	default:
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-s.done:
		return ErrSessionClosed
	case <-ctx.Done():
		return Interruption(CtxError(ctx))
	}
}

// hold lets Close cancel what has the turn; if Close came first, that is at once.
func (s *Session) hold(cancel context.CancelCauseFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel = cancel
	if s.closed {
		cancel(ErrSessionClosed)
	}
}

// release gives the turn back.
func (s *Session) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cancel(nil)
	if s.closed { // the connection may have become idle since
		s.Source.CloseIdleConnections()
	}
	<-s.turn
}

// Close ends what is open and closes the connection. It never fails.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	close(s.done)
	if s.cancel != nil {
		s.cancel(ErrSessionClosed)
	}
	s.Source.CloseIdleConnections()
	return nil
}

type sessionBody struct {
	io.ReadCloser
	release func()
}

func (b *sessionBody) Close() error {
	err := b.ReadCloser.Close()
	b.release()
	return err
}
