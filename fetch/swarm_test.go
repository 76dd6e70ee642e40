package fetch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"spate/format/checksum"
	"spate/internal/farm"
	"spate/source"
	"spate/source/httpsource"
	"spate/source/peersource"
	"spate/swarm/peer"
	"spate/swarm/tracker"
)

// swarmScene is data at an http origin, and in a swarm of peers that have these files in 64 chunks.
func swarmScene(t *testing.T, data []byte, r farm.Resource, files ...[]byte) (s *scene, url string) {
	s = newScene(t, data, r)
	tr, err := tracker.Listen(t.Context(), &tracker.Options{Addr: "localhost:0"})
	must(t, err)
	_, port, _ := net.SplitHostPort(tr.Addrs()[0].String())
	member(t, tr.Serve)
	const n = 64
	for _, content := range files {
		name := filepath.Join(t.TempDir(), "seed")
		must(t, os.WriteFile(name, content, 0o600))
		store, err := peer.OpenWhole(name, n)
		must(t, err)
		p, err := peer.Listen(t.Context(), peer.Options{Store: store, Last: n, Tracker: "localhost:" + port})
		must(t, err)
		member(t, p.Run)
	}
	http, peers := httpsource.New(nil), peersource.New(nil)
	t.Cleanup(http.CloseIdleConnections)
	t.Cleanup(peers.CloseIdleConnections)
	s.src = source.Mux{"http": http, "peer": peers}
	return s, fmt.Sprintf("peer://localhost:%s/1-%d?chunk=%d&size=%d", port, n, (len(data)+n-1)/n, len(data))
}

// member runs one of a swarm until the test ends.
func member(t *testing.T, serve func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = serve(ctx) // it is ended by the test
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
}

// TestSwarm: a swarm is a mirror as others are.
func TestSwarm(t *testing.T) {
	data := whole[:8*MiB+1]
	for _, n := range []int{1, 4} {
		t.Run(fmt.Sprintf("alone, %d connections", n), func(t *testing.T) {
			t.Parallel()
			s, swarm := swarmScene(t, data, farm.Resource{}, data, data, data)
			s.urls = []string{swarm}
			s.get(n).wantFile(t, data)
		})
		t.Run(fmt.Sprintf("beside an origin that breaks, %d connections", n), func(t *testing.T) {
			t.Parallel()
			s, swarm := swarmScene(t, data, farm.Resource{BreakAt: MiB}, data, data)
			s.urls = append(s.urls, swarm)
			s.get(n).wantFile(t, data)
		})
	}
	t.Run("nobody has it, and an origin does", func(t *testing.T) {
		t.Parallel()
		s, swarm := swarmScene(t, data, farm.Resource{})
		s.urls = append([]string{swarm}, s.urls...)
		s.get(4).wantFile(t, data)
	})
}

// TestSwarmWithLiar: of three, one has other bytes. The other two contradict it before anything of it is used, so the file is right, without a
// digest, too.
func TestSwarmWithLiar(t *testing.T) {
	t.Parallel()
	data := whole[:8*MiB+1]
	s, swarm := swarmScene(t, data, farm.Resource{}, data, data, other(len(data)))
	s.urls = []string{swarm}
	s.get(4).wantFile(t, data)
}

// TestSwarmThatDisagrees: of two, which is right nothing tells: nothing wrong is ever whole.
func TestSwarmThatDisagrees(t *testing.T) {
	t.Parallel()
	data := whole[:8*MiB+1]
	s, swarm := swarmScene(t, data, farm.Resource{}, data, other(len(data)))
	o := &outcome{path: filepath.Join(t.TempDir(), "x")}
	opts := &ObjectOptions{Connections: 4, MinRange: 256 << 10, Checksums: []checksum.Sum{sumOf(t, checksum.SHA256, data)}, Events: o.note}
	s.into(t.Context(), o, []Mirror{{URL: swarm}}, opts)
	if _, err := os.Stat(o.path); !errors.Is(o.err, source.ErrCorrupt) && !errors.Is(o.err, ErrVersions) || err == nil {
		t.Errorf("%v; %v", o.err, err)
	}
}
