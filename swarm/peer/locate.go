package peer

import (
	"context"
	"fmt"
	"slices"

	"spate/swarm/wire"
)

// A located is what somebody who waits for it learns of a chunk.
type located struct {
	addrs []wire.Addr
	err   error
}

// Locate asks who has a chunk, and waits for the answer: nobody, if it is not known. It needs Run to run. An error is
// that of a connection that could not be made, or [ErrSilent]: of an answer that did not come.
func (t *Tracker) Locate(ctx context.Context, chunk int) ([]wire.Addr, error) {
	mine := make(chan located, 1)
	t.mu.Lock()
	if t.waiting == nil {
		t.waiting = map[int][]chan located{}
	}
	isAsked := len(t.waiting[chunk]) > 0
	t.waiting[chunk] = append(t.waiting[chunk], mine)
	t.mu.Unlock()
	if !isAsked {
		t.Ask(chunk)
	}
	select {
	case l := <-mine:
		return l.addrs, l.err
	case <-ctx.Done():
		t.mu.Lock()
		defer t.mu.Unlock()
		t.waiting[chunk] = slices.DeleteFunc(t.waiting[chunk], func(c chan located) bool { return c == mine })
		return nil, ctx.Err()
	}
}

// located hands on an answer, or that there was none.
func (t *Tracker) located(m wire.Message, err error) {
	t.mu.Lock()
	waiting := t.waiting[m.Chunk]
	delete(t.waiting, m.Chunk)
	t.mu.Unlock()
	for _, c := range waiting {
		c <- located{m.Addrs, err}
	}
	t.o.Located(m)
}

// failed tells all who wait why there is no answer, and of which tracker.
func (t *Tracker) failed(err error) {
	t.mu.Lock()
	all := t.waiting
	t.waiting = nil
	t.wakeFlushes()
	t.mu.Unlock()
	for _, waiting := range all {
		for _, c := range waiting {
			c <- located{nil, fmt.Errorf("tracker %s: %w", t.o.Addr, err)}
		}
	}
	t.o.News(err)
}

// Flush waits until all that was announced has been sent. It does not wait for a tracker that is not there. It needs Run to run.
func (t *Tracker) Flush(ctx context.Context) {
	mine := make(chan struct{})
	t.mu.Lock()
	if !t.stats.Connected || t.isFlushed() {
		t.mu.Unlock()
		return
	}
	t.flushes = append(t.flushes, mine)
	t.mu.Unlock()
	select {
	case <-mine:
	case <-ctx.Done():
	}
}

// flushed is for a message that was sent.
func (t *Tracker) flushed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.isWriting = false
	if t.isFlushed() {
		t.wakeFlushes()
	}
}

// isFlushed needs the lock.
func (t *Tracker) isFlushed() bool { return t.sent == len(t.announced) && !t.isWriting }

// wakeFlushes needs the lock.
func (t *Tracker) wakeFlushes() {
	for _, c := range t.flushes {
		close(c)
	}
	t.flushes = nil
}
