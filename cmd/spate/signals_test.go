//go:build unix

package main

import (
	"context"
	"errors"
	"os/signal"
	"syscall"
	"testing"
)

// TestIgnoredSignal has a signal that whoever has started the program wants ignored, as a shell does for what is in the background.
func TestIgnoredSignal(t *testing.T) {
	signal.Ignore(syscall.SIGINT)
	defer signal.Reset(syscall.SIGINT)
	ctx, stop := withSignals(context.Background())
	defer stop()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if err := syscall.Kill(syscall.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	<-ctx.Done()
	sig, ok := errors.AsType[*signalError](context.Cause(ctx))
	if !ok || sig.sig != syscall.SIGTERM {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
}
