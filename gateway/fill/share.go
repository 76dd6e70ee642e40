package fill

import (
	"context"
	"io"
	"sync"

	"spate/source"
)

// Share is src for what else is asked of the same hosts: each answer takes one of the connections of p, from Open, which waits for it,
// until its body is closed. Whoever waits for another one meanwhile may wait for ever.
func (p *Pool) Share(src source.Source) source.Source { return shared{src, p} }

type shared struct {
	src  source.Source
	pool *Pool
}

func (s shared) Open(ctx context.Context, rawURL string, rng source.Range) (*source.Resource, error) {
	w := &slot{host: hostOf(rawURL), revoke: func() {}} // it is waited for, so nobody takes it
	w.object = w
	w.prio.Store(waitedFor)
	if err := s.pool.slots.acquire(ctx, w); err != nil {
		return nil, err
	}
	s.pool.count.requests.Add(1)
	res, err := s.src.Open(ctx, rawURL, rng)
	if err != nil {
		s.pool.count.failures.Add(1)
		w.release()
		return nil, err
	}
	res.Body = &sharedBody{ReadCloser: res.Body, pool: s.pool, release: sync.OnceFunc(w.release)}
	return res, nil
}

type sharedBody struct {
	io.ReadCloser
	pool    *Pool
	release func()
}

func (b *sharedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.pool.count.origin.Add(int64(n))
	return n, err
}

func (b *sharedBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}
