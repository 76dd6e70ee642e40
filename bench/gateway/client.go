package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// A client is a connection that asks for ranges.
type client struct {
	net.Conn
	in   *bufio.Reader
	path string
}

// dial connects to s. buffer is how much it reads at a time, and how much the kernel keeps for it, if it is given.
func dial(ctx context.Context, s *server, buffer int) (*client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return nil, err
	}
	if buffer > 0 {
		if err := conn.(*net.TCPConn).SetReadBuffer(buffer); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return &client{conn, bufio.NewReaderSize(conn, max(buffer, 4<<10)), s.path}, nil
}

// ask asks for n bytes from off on, and returns the body once its first byte is there.
func (c *client) ask(off, n int64) (io.ReadCloser, error) {
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nRange: bytes=%d-%d\r\n\r\n", c.path, c.RemoteAddr(), off, off+n-1); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusPartialContent || resp.ContentLength != n {
		return nil, fmt.Errorf("%s: %d bytes", resp.Status, resp.ContentLength)
	}
	_, err = c.in.Peek(1)
	return resp.Body, err
}

// firstByte is how long it takes until the first byte of a range is there, with 32 clients: as players ask, who wait between two
// ranges, and without a pause, where the cores are what everybody waits for.
func (l *lab) firstByte(ctx context.Context, r *report) (err error) {
	const clients = 32
	servers, end, err := l.both(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	for _, k := range []struct {
		what   string
		size   int64
		pause  time.Duration
		target float64
	}{
		{"1 MiB, 32 clients, 10 a second each", rangeSize, 100 * time.Millisecond, 1},
		{"64 KiB, 32 clients, no pause", 64 << 10, 0, 0},
		{"1 MiB, 32 clients, no pause", rangeSize, 0, 0},
	} {
		var middle, late [2][]float64
		for round := range l.rounds {
			for i := range servers {
				which := (round + i) % 2
				waits, err := l.askAll(ctx, servers[which], clients, k.size, k.pause)
				if err != nil {
					return err
				}
				middle[which], late[which] = append(middle[which], quantile(waits, 50)), append(late[which], quantile(waits, 99))
			}
		}
		r.below("first byte, warm, "+k.what+": median, ms", middle[1], middle[0], "%.2f", k.target)
		r.below("  99 %", late[1], late[0], "%.2f", 0)
	}
	return nil
}

// askAll has clients ask for ranges for the time of a turn, with a pause of that length on average after each, and returns how many
// milliseconds each first byte took.
func (l *lab) askAll(ctx context.Context, s *server, clients int, size int64, pause time.Duration) ([]float64, error) {
	var mu sync.Mutex
	var all []float64
	err := together(ctx, clients, func(ctx context.Context, i int) error {
		c, err := dial(ctx, s, 0)
		if err != nil {
			return err
		}
		defer c.Close()
		var waits []float64
		offs := rand.New(rand.NewPCG(1, uint64(i)))
		for end := time.Now().Add(l.turn); time.Now().Before(end) && ctx.Err() == nil; {
			begin := time.Now()
			body, err := c.ask(offs.Int64N(l.file-size+1), size)
			if err != nil {
				return err
			}
			waits = append(waits, float64(time.Since(begin).Microseconds())/1000)
			if _, err := io.Copy(io.Discard, body); err != nil {
				return err
			}
			if pause > 0 {
				time.Sleep(time.Duration(offs.Int64N(int64(2 * pause))))
			}
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, waits...)
		return nil
	})
	return all, err
}

// together runs n of do, and ends all when one has failed.
func together(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if errs[i] = do(ctx, i); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	for _, err := range errs { // the first cause is enough: there may be a thousand
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return context.Cause(ctx)
}

const (
	slowBuffer = 16 << 10
	slowPause  = 100 * time.Millisecond
)

// memory is what the gateway has resident at most while many read at a slow pace, each from an offset of its own to the end: of
// a file that it has not seen before, and of one that it has.
func (l *lab) memory(ctx context.Context, r *report) error {
	for _, isWarm := range []bool{false, true} {
		var peaks []float64
		for range l.rounds {
			peak, err := l.readSlowly(ctx, isWarm)
			if err != nil {
				return err
			}
			peaks = append(peaks, float64(peak)/(1<<20))
		}
		what := "cold"
		if isWarm {
			what = "warm"
		}
		r.below(fmt.Sprintf("peak memory, %d clients that read slowly, %s: MiB", l.slow, what), peaks, nil, "%.0f", 128)
	}
	return nil
}

func (l *lab) readSlowly(ctx context.Context, isWarm bool) (peak int64, err error) {
	nginx, err := l.serveNginx(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, nginx.end()) }()
	gateway, err := l.serveGateway(ctx, nginx.url())
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, gateway.end()) }()
	if isWarm {
		if err := l.compare(ctx, gateway); err != nil {
			return 0, err
		}
	}
	err = together(ctx, l.slow, func(ctx context.Context, i int) error {
		off := int64(i) * (l.file * 7 / 8) / int64(l.slow)
		return readSlowly(ctx, gateway, off, l.file-off, 3*l.turn)
	})
	if err != nil {
		return 0, err
	}
	return gateway.peak()
}

// readSlowly takes a little at a time, until the time is over.
func readSlowly(ctx context.Context, s *server, off, n int64, last time.Duration) error {
	c, err := dial(ctx, s, slowBuffer)
	if err != nil {
		return err
	}
	defer c.Close()
	body, err := c.ask(off, n)
	if err != nil {
		return err
	}
	p := make([]byte, slowBuffer)
	next := time.NewTicker(slowPause)
	defer next.Stop()
	for end := time.Now().Add(last); time.Now().Before(end); {
		select {
		case <-next.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if _, err := io.ReadFull(body, p); err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}
