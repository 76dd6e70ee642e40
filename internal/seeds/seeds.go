// Package seeds is a swarm for tests: a tracker of ours, and peers that have all of a file.
package seeds

import (
	"context"
	"net"
	"strconv"
	"sync"

	"spate/swarm/loopback"
	"spate/swarm/peer"
	"spate/swarm/tracker"
)

// A Swarm runs until Close.
type Swarm struct {
	Addr string // of the tracker

	cancel  context.CancelFunc
	members sync.WaitGroup
}

// Start starts a tracker, and a peer for each of the files, as so many chunks.
func Start(chunks int, files ...string) (*Swarm, error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Swarm{cancel: cancel}
	if err := s.start(ctx, chunks, files); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Swarm) start(ctx context.Context, chunks int, files []string) error {
	t, err := tracker.Listen(ctx, &tracker.Options{Addr: net.JoinHostPort(loopback.Name, "0")})
	if err != nil {
		return err
	}
	s.run(ctx, t.Serve)
	s.Addr = net.JoinHostPort(loopback.Name, strconv.Itoa(t.Addrs()[0].(*net.TCPAddr).Port))
	for _, file := range files {
		whole, err := peer.OpenWhole(file, chunks)
		if err != nil {
			return err
		}
		p, err := peer.Listen(ctx, peer.Options{Store: whole, Last: chunks, Tracker: s.Addr})
		if err != nil {
			return err
		}
		s.run(ctx, p.Run)
	}
	return nil
}

func (s *Swarm) run(ctx context.Context, serve func(context.Context) error) {
	s.members.Go(func() { _ = serve(ctx) }) // it is ended by Close
}

// Close ends all of them, and returns when nothing of them is left.
func (s *Swarm) Close() {
	s.cancel()
	s.members.Wait()
}
