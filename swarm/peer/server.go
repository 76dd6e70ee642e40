package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"spate/internal/sendqueue"
	"spate/swarm/choose"
	"spate/swarm/wire"
)

// The server's limits.
const (
	requestTime = 30 * time.Second // until a request has come
	lingerTime  = 2 * time.Second  // for what still comes after the last byte was sent
	maxIgnored  = 64 << 10         // bytes that are not wanted from one who has asked already
	maxConns    = 4096             // at a time
	maxPause    = time.Second      // between two attempts to accept, when descriptors are short
)

// A server answers REQUEST_CHUNK with the chunk's bytes and closes the connection, at once where there is no such chunk.
// At most slots chunks are sent at a time; who else asks waits, fairly.
type server struct {
	last  int                              // chunks are 1 to last
	open  func(chunk int) (Section, error) // fs.ErrNotExist: there is none
	allow []netip.Prefix                   // who may ask; empty: everybody
	rate  pacer                            // nil: no limit
	tell  func(upload)

	mu    sync.Mutex // guards what follows; no I/O under it
	queue choose.Queue
	turns map[*choose.Ticket]chan struct{} // closed when it is that one's turn
	stats UploadStats

	conns sync.WaitGroup
	slots chan struct{} // one for each connection
}

// A pacer lets n bytes pass when they are allowed to, as [golang.org/x/time/rate.Limiter] does.
type pacer interface {
	WaitN(ctx context.Context, n int) error
	Burst() int
}

// An upload is how a connection to the server has ended. Chunk is 0 where nothing was asked for.
type upload struct {
	remote string
	chunk  int
	bytes  int64
	err    error // nil: all was sent
}

// UploadStats counts what was asked of a peer.
type UploadStats struct {
	Requests int   // that were understood
	Refused  int   // connections that were closed without an answer: not allowed, too many, no request, no such chunk
	Broken   int   // chunks that were begun and did not get through
	Served   int   // chunks that did
	Bytes    int64 // sent
	Active   int   // being sent
	Waiting  int   // for a slot
}

func newServer(slots int) *server {
	return &server{
		queue: choose.Queue{Slots: slots},
		turns: map[*choose.Ticket]chan struct{}{},
		slots: make(chan struct{}, maxConns),
		tell:  func(upload) {},
	}
}

// serve accepts connections from l until ctx is done, or l is closed. Connections outlive it: see wait.
func (s *server) serve(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for pause := time.Millisecond; ; {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil
		case err != nil && pause >= maxPause:
			return fmt.Errorf("accept: %w", err)
		case err != nil: // no descriptor is free, or the connection is gone already
			pause *= 2
			rest(ctx, pause)
		default:
			pause = time.Millisecond
			s.begin(ctx, conn)
		}
	}
}

// rest waits, but not longer than ctx.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (s *server) begin(ctx context.Context, conn net.Conn) {
	if !s.isAllowed(conn.RemoteAddr()) {
		s.ended(upload{remote: host(conn), err: errNotAllowed})
		conn.Close()
		return
	}
	select {
	case s.slots <- struct{}{}:
	default:
		s.ended(upload{remote: host(conn), err: errTooMany})
		conn.Close()
		return
	}
	s.conns.Go(func() {
		defer func() { <-s.slots }()
		s.handle(ctx, conn)
	})
}

var (
	errNotAllowed = errors.New("not allowed to fetch")
	errTooMany    = errors.New("too many connections")
	errNoRequest  = errors.New("no request came")
	errFlood      = errors.New("sends what nobody asked for")
)

// wait waits until every connection has ended.
func (s *server) wait() { s.conns.Wait() }

func (s *server) isAllowed(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	if len(s.allow) == 0 {
		return true
	}
	ip := netip.Addr{}
	if ok {
		ip = tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return slices.ContainsFunc(s.allow, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// host is whom a connection counts for: each of its connections has another port.
func host(conn net.Conn) string {
	if h, _, err := net.SplitHostPort(conn.RemoteAddr().String()); err == nil {
		return h
	}
	return conn.RemoteAddr().String()
}

// handle answers one connection.
func (s *server) handle(ctx context.Context, conn net.Conn) {
	ctx, gone := context.WithCancelCause(ctx)
	defer gone(nil)
	stop := context.AfterFunc(ctx, func() { abort(conn) })
	defer stop()
	sendqueue.Bound(conn, lowat)
	u := upload{remote: host(conn)}
	if u.chunk, u.err = s.request(conn); u.err != nil {
		conn.Close()
		s.ended(u)
		return
	}
	rest := watch(conn, gone)
	defer rest.stop()
	u.bytes, u.err = s.answer(ctx, conn, u)
	s.ended(u)
	if u.err == nil {
		rest.linger()
	}
}

// request reads which chunk is asked for. It is where nothing was understood that the error is not nil.
func (s *server) request(conn net.Conn) (chunk int, err error) {
	in := newReceiver(conn, wire.RequestChunk)
	in.dec.MaxChunk = s.last
	until := time.Now().Add(requestTime)
	for {
		m, err := in.next(until)
		if _, isGarbage := errors.AsType[*wire.SyntaxError](err); isGarbage {
			continue
		}
		if err == io.EOF {
			err = errNoRequest
		}
		return m.Chunk, err
	}
}

// answer waits for the chunk's turn, and sends it.
func (s *server) answer(ctx context.Context, conn net.Conn, u upload) (int64, error) {
	sec, err := s.open(u.chunk)
	if err != nil {
		return 0, err
	}
	sec.Close() // it is there: to be opened again when it is sent, as those that wait can be many
	ticket, err := s.turn(ctx, u)
	defer s.leave(ticket)
	if err != nil {
		return 0, err
	}
	if sec, err = s.open(u.chunk); err != nil {
		return 0, err
	}
	defer sec.Close()
	n, err := s.send(ctx, conn, sec, ticket)
	if err == nil {
		err = finish(ctx, conn)
	}
	if err != nil {
		abort(conn)
	}
	return n, err
}

// turn waits until one of the slots is this upload's.
func (s *server) turn(ctx context.Context, u upload) (*choose.Ticket, error) {
	mine := make(chan struct{})
	s.mu.Lock()
	s.stats.Requests++
	ticket := s.queue.Add(u.remote, u.chunk)
	s.turns[ticket] = mine
	s.next()
	s.mu.Unlock()
	select {
	case <-mine:
		return ticket, nil
	case <-ctx.Done():
		return ticket, context.Cause(ctx)
	}
}

// next gives away the slots that are free. It needs the lock.
func (s *server) next() {
	for t := s.queue.Next(); t != nil; t = s.queue.Next() {
		s.stats.Active++
		close(s.turns[t])
		s.turns[t] = nil
	}
}

// leave gives a slot, or a place in the queue, back. A second time does nothing.
func (s *server) leave(t *choose.Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	turn, isThere := s.turns[t]
	if !isThere {
		return
	}
	if turn == nil {
		s.stats.Active--
	}
	delete(s.turns, t)
	s.queue.Remove(t)
	s.next()
}

// yield lets another upload go on beside one that is slow. That it cannot is an error.
func (s *server) yield(t *choose.Ticket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.queue.Yield(t) {
		return errSlow
	}
	s.next()
	return nil
}

func (s *server) ended(u upload) {
	s.mu.Lock()
	s.stats.Bytes += u.bytes
	switch {
	case u.err == nil:
		s.stats.Served++
	case u.bytes > 0:
		s.stats.Broken++
	default:
		s.stats.Refused++
	}
	s.mu.Unlock()
	s.tell(u)
}

func (s *server) statistics() UploadStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting = s.queue.Waiting()
	return stats
}
