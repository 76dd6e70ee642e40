package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// A fleet is some of the clients, from first up to before end. It is one process.
type fleet struct {
	plan
	tracker    string
	first, end int
	conns      []net.Conn // of the clients that stay connected
}

// A result is what a phase was like.
type result struct {
	Count  int     // messages, or connections, that were begun and answered
	Micros []int64 // of each answer that was waited for
}

const (
	dialsAtOnce = 128 // the tracker's backlog is bounded
	answerTime  = 30 * time.Second
	asking      = 100 // of all clients, where few ask
)

// phases are what a fleet can be told to do, by name.
func (f *fleet) phases() map[string]func(context.Context) (result, error) {
	return map[string]func(context.Context) (result, error){
		"connect":  f.connect,
		"register": f.register,
		"bare":     func(ctx context.Context) (result, error) { return f.few(ctx, 40, false) },
		"ended":    func(ctx context.Context) (result, error) { return f.few(ctx, 400, true) },
		"flood":    f.flood,
		"phases":   f.strangers,
	}
}

func (f *fleet) close() {
	for _, c := range f.conns {
		if c != nil {
			c.Close() // nothing is to come of it
		}
	}
}

// each runs fn for each client at once, but no more than so many at a time, and adds up what came of them.
func (f *fleet) each(ctx context.Context, most int, fn func(ctx context.Context, client int) (result, error)) (result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum result
	turns := make(chan struct{}, most)
	for client := f.first; client < f.end; client++ {
		all.Go(func() {
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-turns }()
			r, err := fn(ctx, client)
			if err != nil {
				cancel(fmt.Errorf("client %d: %w", client, err))
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Count += r.Count
			sum.Micros = append(sum.Micros, r.Micros...)
		})
	}
	all.Wait()
	return sum, context.Cause(ctx)
}

// dial connects, in time for all to be connected one after the other.
func (f *fleet) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: answerTime, KeepAlive: -1}
	return d.DialContext(ctx, "tcp", f.tracker)
}

// connect connects each client, to stay so. An answer shows that the tracker has taken it.
func (f *fleet) connect(ctx context.Context) (result, error) {
	f.conns = make([]net.Conn, f.end-f.first)
	return f.each(ctx, dialsAtOnce, func(ctx context.Context, client int) (result, error) {
		c, err := f.dial(ctx)
		if err != nil {
			return result{}, err
		}
		f.conns[client-f.first] = c
		_, err = f.sync().put(c)
		return result{Count: 1}, err
	})
}

// register has each client register its chunks, in a write each.
func (f *fleet) register(ctx context.Context) (result, error) {
	return f.each(ctx, f.end, func(_ context.Context, client int) (result, error) {
		return f.registerAll(f.conns[client-f.first], client)
	})
}

func (f *fleet) registerAll(c net.Conn, client int) (result, error) {
	for j := range f.plan.each() {
		if _, err := c.Write(f.registration(client, j)); err != nil {
			return result{}, err
		}
	}
	_, err := f.sync().put(c)
	return result{Count: f.plan.each()}, err
}

// few has a few of all clients ask, one question at a time each: how long an answer takes when there is no hurry.
func (f *fleet) few(ctx context.Context, questions int, hasEnd bool) (result, error) {
	step := max(f.clients/asking, 1)
	return f.each(ctx, f.end, func(_ context.Context, client int) (result, error) {
		if client%step != 0 {
			return result{}, nil
		}
		return f.askAll(f.conns[client-f.first], client, questions, hasEnd)
	})
}

// flood has all ask at once.
func (f *fleet) flood(ctx context.Context) (result, error) {
	return f.each(ctx, f.end, func(_ context.Context, client int) (result, error) {
		return f.askAll(f.conns[client-f.first], client, 30, true)
	})
}

// askAll asks for chunks that lie far apart.
func (f *fleet) askAll(c net.Conn, client, questions int, hasEnd bool) (r result, err error) {
	for j := range questions {
		chunk := (client*7919+j*104729)%f.chunks() + 1
		took, err := f.where(chunk, hasEnd).put(c)
		if err != nil {
			return r, err
		}
		r.Count++
		r.Micros = append(r.Micros, took.Microseconds())
	}
	return r, nil
}

// strangers is what clients of others do: a connection for what they have, one for their questions, one for what they have got.
// All of it is registered already, and is counted by connections.
func (f *fleet) strangers(ctx context.Context) (result, error) {
	return f.each(ctx, dialsAtOnce, func(ctx context.Context, client int) (result, error) {
		r := result{Count: 3}
		has := func(c net.Conn) error {
			_, err := c.Write(f.registration(client, 0))
			return err
		}
		asks := func(c net.Conn) error {
			asked, err := f.askAll(c, client, 5, true)
			r.Micros = asked.Micros
			return err
		}
		return r, errors.Join(f.visit(ctx, has), f.visit(ctx, asks), f.visit(ctx, has))
	})
}

// visit is one connection, which is closed as soon as all is said.
func (f *fleet) visit(ctx context.Context, say func(net.Conn) error) error {
	c, err := f.dial(ctx)
	if err != nil {
		return err
	}
	return errors.Join(say(c), c.Close())
}

// put asks, and returns how long it took until the whole answer was there.
func (q question) put(c net.Conn) (time.Duration, error) {
	begin := time.Now()
	if err := c.SetDeadline(begin.Add(answerTime)); err != nil {
		return 0, err
	}
	if _, err := c.Write(q.text); err != nil {
		return 0, err
	}
	answer := make([]byte, q.length)
	n, err := io.ReadFull(c, answer)
	if err != nil {
		return 0, fmt.Errorf("%q was answered by %q: %w", q.text, answer[:n], err)
	}
	if !strings.HasPrefix(string(answer), q.prefix) {
		return 0, fmt.Errorf("%q was answered by %q", q.text, answer)
	}
	return time.Since(begin), nil
}
