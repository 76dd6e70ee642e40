package driver

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/source"
)

// A door counts how often it was closed.
type door struct{ times atomic.Int32 }

func (d *door) Close() error { d.times.Add(1); return nil }

func (d *door) closed() int { return int(d.times.Load()) }

func TestWatchExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, w := NewWatch(t.Context())
		defer w.End()
		d := &door{}
		w.Add(d)
		w.Wait("no answer within", time.Minute)
		time.Sleep(time.Minute - 1)
		w.Done() // in time
		time.Sleep(time.Hour)
		w.Wait("silent for", 10*time.Second)
		time.Sleep(9 * time.Second)
		w.Touch()
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if e := w.Interrupted(); e != nil || d.closed() != 0 || ctx.Err() != nil {
			t.Fatalf("%v, closed %d times, %v", e, d.closed(), ctx.Err())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		e := w.Interrupted()
		if e == nil || e.Kind != source.KindTimeout || e.Err.Error() != "silent for 10s" || d.closed() != 1 || ctx.Err() == nil {
			t.Fatalf("%v, closed %d times, %v", e, d.closed(), ctx.Err())
		}
		late := &door{}
		if w.Add(late) || late.closed() != 1 {
			t.Error("what is added afterwards stays open")
		}
		if w.End() {
			t.Error("End tells of open connections")
		}
	})
}

func TestWatchWithoutLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := NewWatch(t.Context())
		w.Wait("no answer within", -1)
		time.Sleep(1000 * time.Hour)
		if e := w.Interrupted(); e != nil || !w.End() {
			t.Errorf("%v", e)
		}
	})
}

func TestWatchIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		_, w := NewWatch(ctx)
		d := &door{}
		w.Add(d)
		cancel(why)
		synctest.Wait()
		if e := w.Interrupted(); e == nil || !errors.Is(e, context.Canceled) || !errors.Is(e, why) || d.closed() != 1 {
			t.Errorf("%v, closed %d times", e, d.closed())
		}
		w.End()
	})
}

func TestWatchEndsBeforeItIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		inner, w := NewWatch(ctx)
		d := &door{}
		w.Add(d)
		w.Wait("silent for", time.Second)
		open := w.End()
		cancel()
		time.Sleep(time.Hour)
		if !open || d.closed() != 0 || inner.Err() == nil {
			t.Errorf("open: %v, closed %d times, %v", open, d.closed(), inner.Err())
		}
	})
}

// A timer that fires while its wait ends takes nothing else for what it was about.
func TestWatchLateTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, w := NewWatch(t.Context())
		defer w.End()
		w.Wait("no connection within", time.Second)
		time.Sleep(time.Second - 1)
		synctest.Wait()
		w.timer.Stop() // it comes too late
		time.Sleep(time.Nanosecond)
		w.Wait("no answer within", time.Minute)
		w.fire()
		if e := w.Interrupted(); e == nil || e.Err.Error() != "no connection within 1s" {
			t.Errorf("got %v", e)
		}
		if w.waits {
			t.Errorf("waits on for %v", &w.waiting)
		}
	})
}

// The timer of a wait that has ended fires for none of those that came later.
func TestWatchEarlyTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, w := NewWatch(t.Context())
		defer w.End()
		w.Wait("no connection within", 15*time.Second)
		time.Sleep(10 * time.Second)
		w.Wait("no answer within", 30*time.Second)
		time.Sleep(29 * time.Second)
		if e := w.Interrupted(); e != nil {
			t.Fatalf("got %v", e)
		}
		w.Wait("silent for", 20*time.Second)
		<-ctx.Done()
		if e := w.Interrupted(); e == nil || e.Err.Error() != "silent for 20s" || time.Since(begin) != 59*time.Second {
			t.Errorf("got %v after %v", e, time.Since(begin))
		}
	})
}

// While the process is stopped no timer fires, and nothing that came could be read: that is no part of a wait, whoever looks first.
func TestWatchStandsStill(t *testing.T) {
	const limit = 20 * time.Second
	for _, looks := range []string{"the timer", "who waits"} {
		synctest.Test(t, func(t *testing.T) {
			_, w := NewWatch(t.Context())
			defer w.End()
			w.Wait("silent for", limit)
			time.Sleep(limit / 2)
			synctest.Wait()
			w.mu.Lock()
			w.timer.Stop()
			w.mu.Unlock()
			time.Sleep(time.Hour)
			if looks == "the timer" {
				w.fire()
				time.Sleep(limit / 4)
				synctest.Wait()
			} else {
				w.Done()
			}
			if e := w.Interrupted(); e != nil {
				t.Fatalf("%s: %v", looks, e)
			}
			if looks == "the timer" {
				time.Sleep(limit / 2)
				synctest.Wait()
				if e := w.Interrupted(); e == nil || e.Err.Error() != "silent for 20s" {
					t.Errorf("it is silent after that, too: %v", e)
				}
			}
		})
	}
}

func TestWatchAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("failed")
		for _, late := range []bool{false, true} {
			_, w := NewWatch(t.Context())
			d := &door{}
			w.Add(d)
			w.Wait("no answer within", time.Second)
			if late {
				time.Sleep(2 * time.Second)
			}
			e, isTimeout := errors.AsType[*source.Error](w.Abandon(failed))
			if isTimeout != late || late && e.Kind != source.KindTimeout || d.closed() != 1 {
				t.Errorf("late %v: %v, closed %d times", late, e, d.closed())
			}
		}
	})
}
