package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"spate/event"
)

// spate is a swarm of ours.
type spate struct{ program string }

func (spate) name() string { return "spate" }

const trackerPort = "5100"

func (s spate) run(ctx context.Context, n *network, f *field) (*outcome, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	log := filepath.Join(f.dir, "tracker.log")
	if err := os.RemoveAll(log); err != nil {
		return nil, err
	}
	var all processes
	defer all.end()
	if err := all.start(in(ctx, n.hub, f.dir, s.program, "tracker", "--listen", hubAddr+":"+trackerPort, "--log", log)); err != nil {
		return nil, err
	}
	peers := make([]*peer, f.peers+1)
	var err error
	if peers[0], err = s.start(ctx, &all, n, f, 0); err != nil {
		return nil, err
	}
	ends, err := f.await(ctx, func(ctx context.Context, i int) (err error) {
		if peers[i], err = s.start(ctx, &all, n, f, i); err != nil {
			return err
		}
		return peers[i].awaitComplete(ctx)
	})
	if err != nil {
		return nil, err
	}
	o := &outcome{ends: ends, cpu: all.end()}
	for i, p := range peers {
		o.given = append(o.given, p.awaitEnd())
		if i > 0 {
			if err := s.check(ctx, f, i); err != nil {
				return nil, err
			}
		}
	}
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
	args := []string{s.program, "peer", dir, "--tracker", hubAddr + ":" + trackerPort, "--listen", at.addr + ":0",
		"--name", at.name, "--log", filepath.Join(f.dir, fmt.Sprintf("peer-%d.log", node)), "--json"}
	cmd := in(ctx, at.name, f.dir, args...)
	out, mine, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = mine
	err = errors.Join(all.start(cmd), mine.Close())
	return follow(out), err
}

// split writes what of the file a node has in the beginning.
func (f *field) split(dir string, whole bool) error {
	var list strings.Builder
	chunk := (f.size + f.chunks - 1) / f.chunks
	for i := 1; whole && i <= f.chunks; i++ {
		name := fmt.Sprintf("chunk_%d", i)
		fmt.Fprintf(&list, "%d,%s\n", i, name)
		if err := os.WriteFile(filepath.Join(dir, name), f.content[min((i-1)*chunk, f.size):min(i*chunk, f.size)], 0o666); err != nil {
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
type peer struct {
	complete chan struct{} // closed when it has all chunks
	ended    chan struct{} // closed when it tells no more
	given    tally
}

// A tally is what a peer has given to others.
type tally struct {
	chunks int   // whole
	broken int   // begun, and not given
	bytes  int64 // of both
}

// follow reads what a peer tells until it ends.
func follow(events io.ReadCloser) *peer {
	p := &peer{complete: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(p.ended)
		defer events.Close()
		isComplete := false
		for lines := bufio.NewScanner(events); lines.Scan(); {
			var e event.Event
			if json.Unmarshal(lines.Bytes(), &e) != nil {
				continue // an error, in words
			}
			switch {
			case e.Type == event.Served:
				p.given.add(e)
			case e.Type == event.Done && !isComplete:
				isComplete = true
				close(p.complete)
			}
		}
	}()
	return p
}

func (t *tally) add(e event.Event) {
	t.bytes += e.Bytes
	switch {
	case e.Error == "":
		t.chunks++
	case e.Bytes > 0:
		t.broken++
	}
}

var errEnded = errors.New("it has ended before it was complete")

// awaitComplete returns when the peer has said that it is.
func (p *peer) awaitComplete(ctx context.Context) error {
	select {
	case <-p.complete:
		return nil
	case <-p.ended:
	}
	select {
	case <-p.complete: // before it ended
		return nil
	default:
		return errors.Join(errEnded, context.Cause(ctx))
	}
}

// awaitEnd is what the peer has given, once it has ended.
func (p *peer) awaitEnd() tally {
	<-p.ended
	return p.given
}

func countLines(path string) (int, error) {
	text, err := os.ReadFile(path)
	return strings.Count(string(text), "\n"), err
}

// processes are those of one run.
type processes struct {
	mu  sync.Mutex
	all []*exec.Cmd
}

func (p *processes) start(cmd *exec.Cmd) error {
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Start()
	if err == nil {
		p.mu.Lock()
		p.all = append(p.all, cmd)
		p.mu.Unlock()
	}
	return err
}

// end ends them, and says how much processor time they took.
func (p *processes) end() (cpu time.Duration) {
	for _, cmd := range p.all {
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	for _, cmd := range p.all {
		_ = cmd.Wait()
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	p.all = nil
	return cpu
}
