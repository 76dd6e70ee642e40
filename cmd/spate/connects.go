package main

import (
	"context"
	"sync/atomic"

	"spate/source"
)

// A counting Source counts the connections that answer for the first time, for who asked: see withConnects. It forwards
// Dial.
type counting struct{ source.Source }

type connectsKey struct{}

// withConnects returns a context, and how many connections have been made by requests under it.
func withConnects(ctx context.Context) (context.Context, *atomic.Int64) {
	n := new(atomic.Int64)
	return context.WithValue(ctx, connectsKey{}, n), n
}

// countConn counts the connection of res.
func countConn(ctx context.Context, res *source.Resource) {
	n, _ := ctx.Value(connectsKey{}).(*atomic.Int64)
	if n != nil && res != nil && res.Conn.Addr != "" && !res.Conn.Reused {
		n.Add(1)
	}
}

func (c counting) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := c.Source.Open(ctx, url, rng)
	countConn(ctx, res)
	return res, err
}

func (c counting) Dial(ctx context.Context, url string) (source.Session, error) {
	s, err := source.Dial(ctx, c.Source, url)
	if err != nil {
		return nil, err
	}
	return countingSession{s}, nil
}

type countingSession struct{ source.Session }

func (c countingSession) Open(ctx context.Context, url string, rng source.Range) (*source.Resource, error) {
	res, err := c.Session.Open(ctx, url, rng)
	countConn(ctx, res)
	return res, err
}
