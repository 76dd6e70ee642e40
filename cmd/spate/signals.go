package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A signalError is the cause of a context that a signal has cancelled.
type signalError struct{ sig syscall.Signal }

func (e *signalError) Error() string { return "stopped by signal: " + e.sig.String() }

// sameSignal is for how long after the first signal another one is taken for the same: timeout(1) sends each to the program, and then
// to the group that the program is in.
const sameSignal = 100 * time.Millisecond

// withSignals returns a context that the first SIGINT or SIGTERM cancels, with a [*signalError] as the cause. The
// second, if it comes later than [sameSignal], has its usual effect. One that was ignored when the program was started stays so. A
// closed pipe is an error of the write, not a signal, so that everything is closed
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
	stopping, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		awaitSignal(c, stopping, cancel)
		signal.Stop(c)
	}()
	return ctx, func() {
		cancel(nil)
		close(stopping)
		<-ended
		signal.Reset(syscall.SIGPIPE)
	}
}

// awaitSignal cancels with the first signal, and returns when a second one is no longer taken for the same, or with stopping.
func awaitSignal(c <-chan os.Signal, stopping <-chan struct{}, cancel context.CancelCauseFunc) {
	select {
	case s := <-c:
		cancel(&signalError{s.(syscall.Signal)})
	case <-stopping:
		return
	}
	select {
	case <-time.After(sameSignal):
	case <-stopping:
	}
}

// orSignal is the signal that has cancelled ctx, with the hint of err, else err.
func orSignal(ctx context.Context, err error) error {
	if sig, ok := errors.AsType[*signalError](context.Cause(ctx)); ok {
		return &hintedError{sig, hintOf(err)}
	}
	return err
}
