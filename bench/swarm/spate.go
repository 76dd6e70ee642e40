package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// spate is a swarm of ours.
type spate struct {
	program string
	extra   []string // further flags of each peer
}

func (spate) name() string { return "spate" }

const trackerPort = "5100"

func (s spate) run(ctx context.Context, n *network, f *field) (*outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := filepath.Join(f.dir, "tracker.log")
	_ = os.Remove(log)
	var all processes
	defer all.end()
	if err := all.start(in(ctx, n.hub, f.dir, s.program, "tracker", "--listen", hubAddr+":"+trackerPort, "--log", log)); err != nil {
		return nil, err
	}
	if _, err := s.start(ctx, &all, n, f, 0); err != nil {
		return nil, err
	}
	ends, err := f.await(ctx, func(ctx context.Context, peer int) error {
		p, err := s.start(ctx, &all, n, f, peer)
		if err != nil {
			return err
		}
		return p.complete(ctx)
	})
	if err != nil {
		return nil, err
	}
	for i := 1; i <= f.peers; i++ {
		if err := s.check(ctx, f, i); err != nil {
			return nil, err
		}
	}
	o := &outcome{ends: ends}
	o.messages, err = countLines(log)
	return o, err
}

// start starts a node, the seed with all chunks, others with none.
func (s spate) start(ctx context.Context, all *processes, n *network, f *field, node int) (*peer, error) {
	dir, err := f.folder("spate", node)
	if err != nil {
		return nil, err
	}
	if err := f.split(dir, node == 0); err != nil {
		return nil, err
	}
	at := n.nodes[node]
	args := append([]string{s.program, "peer", dir, "--tracker", hubAddr + ":" + trackerPort, "--listen", at.addr + ":0",
		"--name", at.name, "--log", filepath.Join(f.dir, fmt.Sprintf("peer-%d.log", node)), "--json"}, s.extra...)
	cmd := in(ctx, at.name, f.dir, args...)
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	return &peer{out}, all.start(cmd)
}

// split writes what of the file a node has in the beginning.
func (f *field) split(dir string, whole bool) error {
	var list strings.Builder
	chunk := (f.size + f.chunks - 1) / f.chunks
	for i := 1; whole && i <= f.chunks; i++ {
		name := fmt.Sprintf("chunk_%d", i)
		fmt.Fprintf(&list, "%d,%s\n", i, name)
		if err := os.WriteFile(filepath.Join(dir, name), f.content[(i-1)*chunk:min(i*chunk, f.size)], 0o666); err != nil {
			return err
		}
	}
	fmt.Fprintf(&list, "%d,LASTCHUNK\n", f.chunks)
	return os.WriteFile(filepath.Join(dir, "local_chunks.txt"), []byte(list.String()), 0o666)
}

// check joins what a peer has, which is compared with the whole.
func (s spate) check(ctx context.Context, f *field, node int) error {
	joined := filepath.Join(f.dir, "joined")
	_ = os.Remove(joined)
	if err := command(ctx, s.program, "join", "-q", filepath.Join(f.dir, fmt.Sprintf("spate-%d", node)), "-o", joined); err != nil {
		return err
	}
	return f.check(joined)
}

// A peer is a process that tells events.
type peer struct{ events io.Reader }

var errEnded = errors.New("it has ended before it was complete")

// complete returns when the peer has said that it is.
func (p *peer) complete(ctx context.Context) error {
	lines := bufio.NewScanner(p.events)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"type":"done"`) {
			go func() { _, _ = io.Copy(io.Discard, p.events) }() // until the process ends
			return nil
		}
	}
	return errors.Join(errEnded, context.Cause(ctx))
}

func countLines(path string) (int, error) {
	text, err := os.ReadFile(path)
	return strings.Count(string(text), "\n"), err
}

// processes are those of one run.
type processes []*exec.Cmd

func (p *processes) start(cmd *exec.Cmd) error {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Start()
	if err == nil {
		*p = append(*p, cmd)
	}
	return err
}

// end ends them.
func (p processes) end() {
	for _, cmd := range p {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range p {
		_ = cmd.Wait()
	}
}
