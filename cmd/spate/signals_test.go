//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
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

// TestSignalSentTwice has a signal that comes twice at once, as timeout(1) sends it: it is one, and what ends the program at once
// comes later.
func TestSignalSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		c, stopping, over := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(over)
			awaitSignal(c, stopping, cancel)
		}()
		c <- syscall.SIGTERM
		<-ctx.Done()
		if sig, ok := errors.AsType[*signalError](context.Cause(ctx)); !ok || sig.sig != syscall.SIGTERM {
			t.Errorf("ended by %v", context.Cause(ctx))
		}
		time.Sleep(sameSignal - 1)
		synctest.Wait()
		select {
		case <-over:
			t.Error("the second one has its usual effect already")
		default:
		}
		<-over
	})
}

// TestEndSoonAfterSignal has a command that ends before a second signal would count: it does not wait for that.
func TestEndSoonAfterSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		ctx, cancel := context.WithCancelCause(t.Context())
		c, stopping, over := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(over)
			awaitSignal(c, stopping, cancel)
		}()
		c <- syscall.SIGINT
		<-ctx.Done()
		close(stopping)
		<-over
		if took := time.Since(begun); took != 0 { // the bubble's clock
			t.Errorf("it took %v", took)
		}
	})
}
