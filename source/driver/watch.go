package driver

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"spate/source"
)

// A timeoutError is a wait that was too long.
type timeoutError struct {
	what  string // "no answer within"
	limit time.Duration
}

func (e *timeoutError) Error() string { return fmt.Sprintf("%s %v", e.what, e.limit) }

// Timeout is true; it makes a timeoutError look like the net package's.
func (e *timeoutError) Timeout() bool { return true }

// A Watch looks after one exchange: from dialing, or taking an idle connection, until its body is closed. It bounds
// whatever is being waited for, one thing at a time. If that takes too long, or the caller's context ends, it closes
// all that was added to it, which ends every read and write that waits. Time in which the process did not run is none of a wait, but for
// some of it: up to a quarter of the limit. End must be called.
type Watch struct {
	over   func() error // the error of the caller's context
	cancel context.CancelFunc
	stop   func() bool // of what waits for the caller's context

	mu       sync.Mutex
	held     []io.Closer
	timer    *time.Timer  // not moved with each wait, which would cost more than many a wait: where it fires too early, it is set anew
	fires    time.Time    // when the timer does; zero: it is not set
	seen     time.Time    // when the wait began, or it was looked at last: some time ago, and we were running since
	waits    bool         // until the deadline, for which waiting is the error
	waiting  timeoutError // no pointer: a wait costs no memory
	deadline time.Time
	expired  *timeoutError
	killed   bool
	ended    bool
}

// NewWatch begins to watch. The context that it returns ends with the exchange, and is for what the exchange calls.
func NewWatch(ctx context.Context) (context.Context, *Watch) {
	inner, cancel := context.WithCancel(ctx)
	w := &Watch{over: func() error { return CtxError(ctx) }, cancel: cancel}
	w.stop = context.AfterFunc(ctx, w.Kill)
	return inner, w
}

// Add makes c close when the exchange is ended early. It reports false, and closes c, if that has happened.
func (w *Watch) Add(c io.Closer) bool {
	w.mu.Lock()
	killed := w.killed
	if !killed {
		w.held = append(w.held, c)
	}
	w.mu.Unlock()
	if killed {
		_ = c.Close()
	}
	return !killed
}

// Kill ends the exchange early.
func (w *Watch) Kill() {
	w.mu.Lock()
	if w.ended || w.killed {
		w.mu.Unlock()
		return
	}
	w.killed = true
	held := w.held
	w.held = nil
	w.mu.Unlock()
	w.cancel()
	for _, c := range held {
		_ = c.Close()
	}
}

// End ends the exchange. It reports whether what was added is still open; it will not be closed any more then.
func (w *Watch) End() bool {
	w.stop()
	w.mu.Lock()
	w.ended = true
	w.waits, w.held = false, nil
	if w.timer != nil {
		w.timer.Stop()
	}
	killed := w.killed
	w.mu.Unlock()
	w.cancel()
	return !killed
}

// Wait begins to wait for at most limit; a limit below 0 is none. what begins the text of the error: "no answer within".
func (w *Watch) Wait(what string, limit time.Duration) {
	w.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	if limit < 0 || w.expired != nil || w.ended {
		return
	}
	now := time.Now()
	w.waits, w.waiting, w.deadline, w.seen = true, timeoutError{what, limit}, now.Add(limit), now
	if next := now.Add(w.slice()); w.fires.IsZero() || w.fires.After(next) {
		w.set(w.slice())
	}
}

// slices are how often the watch looks during a wait. Who looks so late that two of them have passed did not run meanwhile: the process was
// stopped, or its machine asleep, and of what came then nobody could be told.
const slices = 8

// slice is how long it is until the next look.
func (w *Watch) slice() time.Duration { return max(w.waiting.limit/slices, time.Millisecond) }

// look moves the deadline by the time in which we did not run, and says how much is left until then. It needs the lock.
func (w *Watch) look() time.Duration {
	now, slice := time.Now(), w.slice()
	if gap := now.Sub(w.seen); gap > 2*slice {
		w.deadline = w.deadline.Add(gap - slice)
	}
	w.seen = now
	return w.deadline.Sub(now)
}

// Done ends a wait. Where the time is up, it is up, even if the timer comes a little late.
func (w *Watch) Done() {
	w.mu.Lock()
	late := w.waits && w.look() <= 0
	if late {
		w.expire()
	}
	w.waits = false
	w.mu.Unlock()
	if late {
		w.Kill()
	}
}

// expire notes what took too long; Kill comes next. It needs the lock.
func (w *Watch) expire() {
	what := w.waiting
	w.expired, w.waits = &what, false
}

// Touch says that something has come of what is waited for: the wait begins anew.
func (w *Watch) Touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waits {
		w.seen = time.Now()
		w.deadline = w.seen.Add(w.waiting.limit)
	}
}

// set makes the timer fire after d.
func (w *Watch) set(d time.Duration) {
	w.fires = time.Now().Add(d)
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.fire)
	} else {
		w.timer.Reset(d)
	}
}

func (w *Watch) fire() {
	w.mu.Lock()
	w.fires = time.Time{}
	if !w.waits {
		w.mu.Unlock()
		return
	}
	if left := w.look(); left > 0 {
		w.set(min(left, w.slice()))
		w.mu.Unlock()
		return
	}
	w.expire()
	w.mu.Unlock()
	w.Kill()
}

// Abandon ends what has failed with err, and says why: what ended the exchange early, if anything did, else err.
func (w *Watch) Abandon(err error) error {
	if e := w.Interrupted(); e != nil {
		err = e
	}
	w.Kill()
	w.End()
	return err
}

// Interrupted is the error of an exchange that was ended early, without its URL; nil if it was not.
func (w *Watch) Interrupted() *source.Error {
	if over := w.over(); over != nil {
		return Interruption(over)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.expired != nil {
		return Classed(source.KindTimeout, w.expired)
	}
	return nil
}
