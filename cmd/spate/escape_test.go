package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// blockedWriter tells when it is written to, and waits until it is let go.
type blockedWriter struct{ begun, free chan struct{} }

func (w blockedWriter) Write(p []byte) (int, error) {
	close(w.begun)
	<-w.free
	return len(p), nil
}

func TestEscapableEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	w := blockedWriter{make(chan struct{}), make(chan struct{})}
	defer close(w.free)
	stopped := errors.New("stopped")
	go func() {
		<-w.begun
		cancel(stopped)
	}()
	if n, err := escapable(ctx, w).Write([]byte("x")); n != 0 || err != stopped {
		t.Errorf("%d, %v, want the cause of the context", n, err)
	}
}

func TestEscapablePassesOn(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	var b bytes.Buffer
	w := escapable(ctx, &b)
	io.WriteString(w, "a")
	if n, err := io.WriteString(w, "bc"); n != 2 || err != nil || b.String() != "abc" {
		t.Errorf("%d, %v, %q", n, err, &b)
	}
	cancel(io.ErrNoProgress)
	if _, err := io.WriteString(w, "d"); err != io.ErrNoProgress || b.String() != "abc" {
		t.Errorf("after the end: %v, %q", err, &b)
	}
	broken := errors.New("broken")
	r, pipe := io.Pipe()
	r.CloseWithError(broken)
	if _, err := escapable(t.Context(), pipe).Write([]byte("x")); err != broken {
		t.Errorf("%v, want the writer's error", err)
	}
}
