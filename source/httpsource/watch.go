package httpsource

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http/httptrace"
	"sync"
	"time"
)

// A timeoutError is a wait of ours that was too long.
type timeoutError struct {
	format string // with a %v for the time
	limit  time.Duration
}

func (e *timeoutError) Error() string { return fmt.Sprintf(e.format, e.limit) }

// Timeout is true; it makes a timeoutError look like the net package's.
func (e *timeoutError) Timeout() bool { return true }

// A watch is the one clock of an exchange: it bounds whatever is being waited for, one thing at a time, and cancels
// the exchange if that takes too long. One timer serves them all. It is not moved with each wait, which would cost
// more than many a wait itself: where it fires too early, it is set anew. end must be called.
type watch struct {
	opts   *Options
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	timer    *time.Timer
	fires    time.Time     // when the timer does; zero: it is not set
	waiting  *timeoutError // what it will be at the deadline; nil while nothing is waited for
	deadline time.Time
	expired  *timeoutError
	answered bool // the header has come: what the trace still reports is late
	conn     httptrace.GotConnInfo
	tlsErr   error
}

// wait begins to wait for at most limit; a limit below 0 is none.
func (w *watch) wait(e *timeoutError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm(e)
}

// arm is wait for who holds the lock.
func (w *watch) arm(e *timeoutError) {
	w.disarm()
	if e.limit < 0 || w.expired != nil {
		return
	}
	w.waiting, w.deadline = e, time.Now().Add(e.limit)
	if w.fires.IsZero() || w.fires.After(w.deadline) {
		w.set(e.limit)
	}
}

// set makes the timer fire at the deadline, after d.
func (w *watch) set(d time.Duration) {
	w.fires = w.deadline
	if w.timer == nil {
		w.timer = time.AfterFunc(d, w.fire)
	} else {
		w.timer.Reset(d)
	}
}

// done ends a wait.
func (w *watch) done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disarm()
}

// disarm needs the lock. Where the time is up, it is up, even if the timer comes late.
func (w *watch) disarm() {
	if w.waiting != nil && time.Until(w.deadline) <= 0 {
		w.expire()
	}
	w.waiting = nil
}

func (w *watch) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fires = time.Time{}
	if w.waiting == nil {
		return
	}
	if left := time.Until(w.deadline); left > 0 {
		w.set(left)
		return
	}
	w.expire()
}

func (w *watch) expire() {
	w.expired, w.waiting = w.waiting, nil
	w.cancel(w.expired)
}

// end ends the exchange.
func (w *watch) end() {
	w.mu.Lock()
	w.waiting = nil
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Unlock()
	w.cancel(nil)
}

// verdict is the time-out that ended the exchange, nil if none did.
func (w *watch) verdict() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.expired != nil {
		return w.expired
	}
	return nil
}

// trace follows the exchange up to its header. Its functions may be called late and from several goroutines.
func (w *watch) trace() *httptrace.ClientTrace {
	connect := &timeoutError{"no connection within %v", w.opts.ConnectTimeout}
	header := &timeoutError{"no answer within %v", w.opts.HeaderTimeout}
	return &httptrace.ClientTrace{
		GetConn: func(string) {
			w.step(connect, func() { w.tlsErr = nil })
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			w.step(nil, func() { w.tlsErr = err })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			w.step(header, func() { w.conn, w.tlsErr = info, nil })
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			w.step(header, func() {})
		},
	}
}

// step notes what the trace reported and waits for what comes next, if that is anything new.
func (w *watch) step(next *timeoutError, note func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.answered {
		return
	}
	note()
	if next != nil {
		w.arm(next)
	}
}

// settle ends the wait for the header.
func (w *watch) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.disarm()
	w.answered = true
}
