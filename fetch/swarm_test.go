package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"spate/format/checksum"
	"spate/internal/farm"
	"spate/internal/seeds"
	"spate/source"
	"spate/source/httpsource"
	"spate/source/peersource"
)

// swarmScene is data at an http origin, and in a swarm of peers that have these files in 64 chunks.
func swarmScene(t *testing.T, data []byte, r farm.Resource, files ...[]byte) (s *scene, url string) {
	s = newScene(t, data, r)
	const n = 64
	var names []string
	for _, content := range files {
		names = append(names, filepath.Join(t.TempDir(), "seed"))
		must(t, os.WriteFile(names[len(names)-1], content, 0o600))
	}
	all, err := seeds.Start(n, names...)
	must(t, err)
	t.Cleanup(all.Close)
	http, peers := httpsource.New(nil), peersource.New(nil)
	t.Cleanup(http.CloseIdleConnections)
	t.Cleanup(peers.CloseIdleConnections)
	s.src = source.Mux{"http": http, "peer": peers}
	return s, fmt.Sprintf("peer://%s/1-%d?chunk=%d&size=%d", all.Addr, n, (len(data)+n-1)/n, len(data))
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
