package viewer

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"spate/event"
)

// serveBody sends the bytes as they come, once. What the page does not read is not read here either. That the body ends does not say that
// it is whole: who reads it asks for the outcome.
func (v *view) serveBody(w http.ResponseWriter, r *http.Request) {
	if !v.take(w, r) {
		return
	}
	defer close(v.read)
	if v.err != nil {
		refuse(w, http.StatusBadGateway, "it could not be opened")
		return
	}
	defer context.AfterFunc(r.Context(), v.cancel)()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	if as := r.URL.Query().Get("as"); isImageType(as) {
		h.Set("Content-Type", as)
	}
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	control := http.NewResponseController(w)
	defer v.interrupt(control)()
	out := &counted{w: w, control: control, v: v}
	out.bytes.Store(v.want.Skip)
	defer v.watching(out.progress)()
	err := out.copy()
	switch {
	case out.left || v.ctx.Err() != nil:
		v.cancel()
		panic(http.ErrAbortHandler)
	case err != nil:
		v.fail(err) // the body ends as if it were whole: browsers drop what they have of one that breaks
		return
	}
	v.events.finish(event.Event{Time: time.Now(), Type: event.Done, Bytes: out.bytes.Load()})
}

// interrupt has what is being sent to somebody who takes nothing end with the view, until the function that it returns is called.
func (v *view) interrupt(control *http.ResponseController) (stop func()) {
	done := make(chan struct{})
	end := context.AfterFunc(v.ctx, func() {
		defer close(done)
		_ = control.SetWriteDeadline(time.Now()) // a writer without deadlines is a test's
	})
	return func() {
		if !end() {
			<-done // control is not to be used any more
		}
	}
}

// counted is who takes the bytes.
type counted struct {
	w       http.ResponseWriter
	control *http.ResponseController
	v       *view
	bytes   atomic.Int64
	left    bool // nobody takes them any more
}

// progress is what there is to tell of it: also where nothing comes, and the engine says nothing.
func (c *counted) progress() (event.Event, bool) {
	return event.Event{Type: event.Progress, Bytes: c.bytes.Load(), Size: c.v.stream.Info().Size}, true
}

// copy sends all there is.
func (c *counted) copy() error {
	if err := c.send(c.v.head); err != nil {
		return err
	}
	if c.v.cut != nil {
		return c.v.cut
	}
	buf := make([]byte, 64<<10)
	for {
		p, err := c.v.next(buf)
		if len(p) > 0 {
			if err := c.send(p); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (c *counted) send(p []byte) error {
	n, err := c.w.Write(p)
	c.bytes.Add(int64(n))
	if err == nil {
		err = c.control.Flush()
	}
	c.left = err != nil
	return err
}

// servePlay has the view do without a body: a player reads from the gateway, and what is there by then is told.
func (v *view) servePlay(w http.ResponseWriter, r *http.Request) {
	if !v.take(w, r) {
		return
	}
	if v.err == nil {
		_ = v.stream.Close() // what it would say nobody has asked for
		go func() {
			defer close(v.read)
			v.watch(v.there, v.ctx.Done())
		}()
	} else {
		close(v.read)
	}
	w.WriteHeader(http.StatusNoContent)
}

// watching tells how much there is until the function that it returns is called.
func (v *view) watching(look func() (event.Event, bool)) (stop func()) {
	var watches sync.WaitGroup
	done := make(chan struct{})
	watches.Go(func() { v.watch(look, done) })
	return func() {
		close(done)
		watches.Wait()
	}
}

// watch tells how much there is, whenever that has changed, until done is closed.
func (v *view) watch(look func() (event.Event, bool), done <-chan struct{}) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	var last event.Event
	for {
		if now, ok := look(); ok && now != last {
			last = now
			now.Time = time.Now()
			v.tell(now)
		}
		select {
		case <-tick.C:
		case <-done:
			return
		}
	}
}

func (v *view) there() (event.Event, bool) {
	if v.opts.Watch == nil {
		return event.Event{}, false
	}
	return v.opts.Watch(v.urls[0])
}

// serveEnd ends the view.
func (v *view) serveEnd(w http.ResponseWriter, _ *http.Request) {
	v.cancel()
	w.WriteHeader(http.StatusNoContent)
}
