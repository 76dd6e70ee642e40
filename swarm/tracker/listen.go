package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"spate/swarm/loopback"
	"spate/swarm/wire"
)

// Addrs are where the tracker can be connected to.
func (s *Server) Addrs() []net.Addr {
	var list []net.Addr
	for _, l := range s.listeners {
		list = append(list, l.Addr())
	}
	return list
}

// listen opens the ports.
func (s *Server) listen(ctx context.Context) error {
	host, digits, err := net.SplitHostPort(s.opts.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return fmt.Errorf("listen %s: %q is no port", s.opts.Addr, digits)
	}
	if s.listeners, _, err = loopback.Listen(ctx, host, int(port)); err != nil {
		return err
	}
	for _, l := range s.listeners {
		s.listenProbes(l.Addr().(*net.TCPAddr))
	}
	return nil
}

// listenProbes opens the UDP port of the same number. Without it clients take this for any other tracker.
func (s *Server) listenProbes(at *net.TCPAddr) {
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: at.IP, Port: at.Port, Zone: at.Zone})
	if err != nil {
		s.opts.Notice(fmt.Sprintf("clients will be slow to register, as they cannot find out whom they talk to: %v", err))
		return
	}
	s.probes = append(s.probes, c)
}

func (s *Server) closeListeners() error {
	var errs []error
	closing := func(c io.Closer) {
		if err := c.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for _, l := range s.listeners {
		closing(l)
	}
	for _, c := range s.probes {
		closing(c)
	}
	return errors.Join(errs...)
}

// accept lets clients in until l is closed. Where that fails otherwise, for want of descriptors for example, it tries
// again after a while.
func (s *Server) accept(ctx context.Context, l net.Listener, clients *sync.WaitGroup) {
	const least, most = 5 * time.Millisecond, time.Second
	for wait := least; ; {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil:
			wait = least
			s.admit(c, clients)
			continue
		}
		s.opts.Notice(fmt.Sprintf("accept: %v", err))
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
		}
		wait = min(2*wait, most)
	}
}

// admit serves c in a goroutine of its own, the only one that it has.
func (s *Server) admit(nc net.Conn, clients *sync.WaitGroup) {
	s.tally.accepted.Add(1)
	c := newConn(s, nc)
	s.mu.Lock()
	isFull := len(s.conns) >= s.opts.Connections
	if !isFull {
		s.conns[c] = struct{}{}
	}
	s.mu.Unlock()
	if isFull {
		s.tally.refused.Add(1)
		s.once(&s.isFull, fmt.Sprintf("%d connections are open: others are closed at once", s.opts.Connections))
		nc.Close() // who was not let in is not told why, nor heard
		return
	}
	clients.Go(func() {
		c.serve()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	})
}

func (s *Server) isStopping() bool { return s.stopped.Load() != nil }

// grace is how long clients have to read their last answers.
const grace = 2 * time.Second

// stop ends the connections: what has come, and comes within wire.QuietTime, is still answered.
func (s *Server) stop() {
	now := time.Now()
	s.stopped.Store(&now)
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.hurry()
	}
}

// answerProbes tells who asks by UDP that this tracker reads every message.
func (s *Server) answerProbes(c *net.UDPConn) {
	var buf [64]byte
	for {
		n, from, err := c.ReadFromUDPAddrPort(buf[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || string(buf[:n]) != wire.TrackerQuestion {
			continue // an ICMP error about an earlier answer, for example
		}
		s.tally.probes.Add(1)
		if _, err := c.WriteToUDPAddrPort([]byte(wire.TrackerAnswer), from); err != nil && !errors.Is(err, net.ErrClosed) {
			s.opts.Notice(fmt.Sprintf("answer to %v: %v", from, err))
		}
	}
}
