package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// A signalError is the cause of a context that a signal has cancelled.
type signalError struct{ sig syscall.Signal }

func (e *signalError) Error() string { return "stopped by signal: " + e.sig.String() }

// withSignals returns a context that the first SIGINT or SIGTERM cancels, with a [*signalError] as the cause. The
// second has its usual effect. One that was ignored when the program was started stays so. A closed pipe is an error of the write, not a signal, so that everything is closed
// before the program ends. stop puts the signals back and ends the goroutine that waits for them.
func withSignals(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Ignore(syscall.SIGPIPE)
	c := make(chan os.Signal, 1)
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		if !signal.Ignored(sig) { // nohup, and shells for what is in the background
			signal.Notify(c, sig)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case s := <-c:
			signal.Stop(c)
			cancel(&signalError{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(nil)
		<-ended
		signal.Stop(c)
		signal.Reset(syscall.SIGPIPE)
	}
}

// orSignal is the signal that has cancelled ctx, with the hint of err, else err.
func orSignal(ctx context.Context, err error) error {
	if sig, ok := errors.AsType[*signalError](context.Cause(ctx)); ok {
		return &hintedError{sig, hintOf(err)}
	}
	return err
}
