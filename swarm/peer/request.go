package peer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"spate/swarm/wire"
)

// How long a giver is waited for.
const (
	connectTime = 4 * time.Second // the third SYN goes out after 3 s; who is not there then is asked again, and less and less often
	firstByte   = 5 * time.Minute // it may have others to serve before
	idleTime    = 20 * time.Second
)

// notFound is what some answer in place of a chunk that they have not.
const notFound = "CHUNK_NOT_FOUND"

// ErrNoChunk is the error of a giver that has not the chunk, or has nothing in it: the two look the same.
var ErrNoChunk = errors.New("the peer has no such chunk")

// A Dial makes a connection, as that of [net.Dialer] does.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// OpenChunk asks the peer at addr for a chunk, over a connection that dial makes, and returns its bytes as they come. If it
// sends none, or exactly CHUNK_NOT_FOUND, the error is [ErrNoChunk]; of an empty chunk, too. The bytes end with [io.EOF] where
// the peer ended them, which is no proof that they are all: one that dies does the same. ctx governs the bytes, too, and how
// long any of it may take; Close ends the connection.
func OpenChunk(ctx context.Context, dial Dial, addr wire.Addr, chunk int) (io.ReadCloser, error) {
	conn, err := dial(ctx, "tcp", dialAddr(addr))
	if err != nil {
		return nil, err
	}
	b, err := ask(ctx, conn, wire.Message{Command: wire.RequestChunk, Chunk: chunk})
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(b)
	first, err := r.Peek(1)
	if err == nil && first[0] == notFound[0] {
		first, err = r.Peek(len(notFound) + 1)
	}
	if err == io.EOF && (len(first) == 0 || string(first) == notFound) {
		b.Close()
		return nil, ErrNoChunk
	}
	if err != nil && err != io.EOF {
		b.Close()
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{r, b}, nil
}

// A body is what comes of a chunk. Read ends with io.EOF where the giver has ended it.
type body struct {
	conn        net.Conn
	stop        func() bool
	first, idle time.Duration // how long to wait for the first bytes, and for more; 0: as long as it takes
	started     bool
	ended       bool
}

// request asks for a chunk. Before it does, and once it is connected, it calls sending, if that is not nil.
func request(ctx context.Context, addr wire.Addr, chunk int, sending func(wire.Message)) (*body, error) {
	d := net.Dialer{
		Timeout:         connectTime,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 4},
	}
	conn, err := d.DialContext(ctx, "tcp", dialAddr(addr))
	if err != nil {
		return nil, err
	}
	m := wire.Message{Command: wire.RequestChunk, Chunk: chunk, Addrs: []wire.Addr{addr}}
	if sending != nil {
		sending(m)
	}
	b, err := ask(ctx, conn, m)
	if err != nil {
		return nil, err
	}
	b.first, b.idle = firstByte, idleTime
	return b, nil
}

// ask sends a request over conn, which is the body's then, or closed.
func ask(ctx context.Context, conn net.Conn, m wire.Message) (*body, error) {
	b := &body{conn: conn}
	b.stop = context.AfterFunc(ctx, func() { abort(conn) })
	err := conn.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		_, err = conn.Write(m.Append(nil))
	}
	if err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

// dialAddr is an address as net has it. Some write the brackets of IPv6 along.
func dialAddr(a wire.Addr) string {
	return net.JoinHostPort(strings.TrimSuffix(strings.TrimPrefix(a.Host, "["), "]"), strconv.Itoa(a.Port))
}

func (b *body) Read(p []byte) (int, error) {
	wait := b.idle
	if !b.started {
		wait = b.first
	}
	if wait > 0 {
		if err := b.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return 0, err
		}
	}
	n, err := b.conn.Read(p)
	b.started = b.started || n > 0
	b.ended = err == io.EOF
	return n, err
}

// Close ends the connection; where bytes are still to come by a reset, so that a giver who has us waiting hears of it.
func (b *body) Close() error {
	b.stop()
	if b.ended {
		return b.conn.Close()
	}
	abort(b.conn)
	return nil
}
