package tracker

import (
	"context"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	probesAtOnce = 32
	probeTimeout = 2 * time.Second
)

// probePeers connects to every address that is registered, again and again until ctx ends, and notes which ones cannot
// be.
func (s *Server) probePeers(ctx context.Context) {
	t := time.NewTicker(s.opts.Probe)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.probeRound(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) probeRound(ctx context.Context) {
	var g errgroup.Group
	g.SetLimit(probesAtOnce)
	for i := 0; ctx.Err() == nil; i++ {
		addr, ok := s.registry.peer(i)
		if !ok {
			break
		}
		g.Go(func() error {
			ctx, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			var d net.Dialer
			host := strings.TrimSuffix(strings.TrimPrefix(addr.Host, "["), "]")
			c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(addr.Port)))
			if err == nil {
				err = c.Close()
			}
			s.registry.mark(i, err != nil)
			return nil
		})
	}
	_ = g.Wait() // who cannot be connected to is noted; there is no other error
}
