package limit

import (
	"context"
	"io"
	"io/fs"
	"sync"
	"time"

	"spate/source"
)

// Wrap is src, with the bodies that it opens under the limit of r, and those of its sessions. Silence of the origin is what src
// makes of it: while a body waits for its turn, nothing is read from src.
func (r *Rate) Wrap(src source.Source) source.Source { return &paced{src: src, rate: r} }

// Body is body, under the limit of r, for what no Source has opened. ctx ends its waits, as Close does.
func (r *Rate) Body(ctx context.Context, body io.ReadCloser) io.ReadCloser {
	return r.body(ctx, body, nil)
}

func (r *Rate) body(ctx context.Context, body io.ReadCloser, over <-chan struct{}) io.ReadCloser {
	closed := make(chan struct{})
	return &pacedBody{
		ReadCloser: body,
		rate:       r,
		cancelled:  ctx.Done(),
		over:       over,
		closed:     closed,
		close:      sync.OnceFunc(func() { close(closed) }),
	}
}

// paced is a Source whose bodies wait.
type paced struct {
	src  source.Source
	rate *Rate
	over chan struct{} // closed with the session that it is; nil: it is none
}

// Open is that of the Source.
func (p *paced) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := p.src.Open(ctx, url, rng)
	if err != nil {
		return nil, err
	}
	res.Body = p.rate.body(ctx, res.Body, p.over)
	return res, nil
}

// Dial is that of the Source.
func (p *paced) Dial(ctx context.Context, url string) (source.Session, error) {
	s, err := source.Dial(ctx, p.src, url)
	if err != nil {
		return nil, err
	}
	over := make(chan struct{})
	return &pacedSession{&paced{s, p.rate, over}, s, sync.OnceFunc(func() { close(over) })}, nil
}

type pacedSession struct {
	source.Source
	session source.Session
	end     func()
}

// Close closes the session, and ends the waits of its bodies.
func (s *pacedSession) Close() error {
	s.end()
	return s.session.Close()
}

// A pacedBody waits with what it has read until that is allowed. Close may be called while it does, and ends that.
type pacedBody struct {
	io.ReadCloser
	rate      *Rate
	cancelled <-chan struct{} // where its context is
	over      <-chan struct{} // where its session is
	closed    <-chan struct{}
	close     func()
}

// Read reads no more than is allowed at once, and returns once it is. What was read before the wait was ended is handed on.
func (b *pacedBody) Read(p []byte) (int, error) {
	n, a := b.rate.portion(len(p))
	n, err := b.ReadCloser.Read(p[:n])
	if a == nil || n == 0 {
		return n, err
	}
	if b.wait(a, n); err == nil && b.ended() {
		err = fs.ErrClosed
	}
	return n, err
}

// wait returns once n bytes are allowed, another limit holds, or nobody wants them any more.
func (b *pacedBody) wait(a *allowance, n int) {
	delay := b.rate.take(a, n)
	defer b.rate.leave(a)
	if delay == 0 {
		return
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-a.over:
	case <-b.cancelled:
	case <-b.over:
	case <-b.closed:
	}
}

// ended tells that b, or its session, was closed: a Source that is its own session knows nothing of the latter.
func (b *pacedBody) ended() bool {
	select {
	case <-b.over:
		return true
	case <-b.closed:
		return true
	default:
		return false
	}
}

// Close closes the body.
func (b *pacedBody) Close() error {
	b.close()
	return b.ReadCloser.Close()
}
