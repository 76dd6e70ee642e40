// Package tracker is the assignment's P2PTracker (its section 3): it knows which clients have which chunks, and tells
// those who ask. docs/spec/tracker.md says what it takes, what it answers, and why.
package tracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"spate/swarm/actionlog"
	"spate/swarm/wire"
)

// Entity is what the log calls a tracker.
const Entity = "P2PTracker"

// Options are those of [Listen]. Their zero values are the defaults.
type Options struct {
	// Addr is HOST:PORT; "": [wire.DefaultTracker]. For the host localhost both 127.0.0.1 and ::1 are listened at, where the
	// machine has both. Port 0 is a free one.
	Addr string
	// Log gets the messages that come and go, as the assignment wants it. nil: none.
	Log *actionlog.Log
	// Notice is told what else is worth a line: garbage, refusals, limits. It is called by several goroutines at once.
	// nil: nobody.
	Notice func(string)
	// State is a file that keeps what is registered across restarts; docs/spec/tracker.md has its form. "": none.
	State string
	// Timeout is how long a client may take from one message to the next, and to read an answer. 0: 10 minutes.
	Timeout time.Duration
	// Connections is how many there are at once, others are closed at once. 0: 16,384. Fewer where the system does not
	// allow as many open files: Notice is told.
	Connections int
	// Memory bounds what is kept of registrations, in bytes; what does not fit is refused. 0: 512 MiB, which is more
	// than a million. Connections need about 10 KiB each besides.
	Memory int64
	// Probe is how often the addresses that are registered are connected to, to name those last that do not answer. It
	// makes the tracker connect to wherever anyone says. 0: never.
	Probe time.Duration
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.Addr == "" {
		d.Addr = wire.DefaultTracker
	}
	if d.Notice == nil {
		d.Notice = func(string) {}
	}
	if d.Timeout == 0 {
		d.Timeout = 10 * time.Minute
	}
	if d.Connections == 0 {
		d.Connections = 1 << 14
	}
	if d.Memory == 0 {
		d.Memory = 512 << 20
	}
	return d
}

var errFull = errors.New("no memory left for registrations (the bound can be raised)")

// A Server is a tracker. Serve must be called once, or Close.
type Server struct {
	opts      Options
	registry  *registry
	state     *state      // nil: none
	lines     chan []byte // for state; nil: none
	listeners []net.Listener
	probes    []*net.UDPConn // what asks whether this is a spate tracker
	tally     tally

	mu        sync.Mutex
	conns     map[*conn]struct{}
	stopped   atomic.Pointer[time.Time] // when; nil: it is not
	isFull    atomic.Bool               // notices that are given once
	logFailed atomic.Bool
	stateErr  atomic.Bool
}

// Listen makes a tracker that can be connected to. ctx is for that alone.
func Listen(ctx context.Context, o *Options) (*Server, error) {
	s := newServer(o)
	s.allow()
	if err := s.listen(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.opts.State == "" {
		return s, nil
	}
	state, damaged, err := openState(s.opts.State, s.registry)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if damaged > 0 {
		s.opts.Notice(fmt.Sprintf("%s: %d damaged lines are left out", s.opts.State, damaged))
	}
	s.state, s.lines = state, make(chan []byte)
	return s, nil
}

func newServer(o *Options) *Server {
	opts := o.withDefaults()
	return &Server{opts: opts, registry: newRegistry(opts.Memory), conns: map[*conn]struct{}{}}
}

// otherFiles are those that a process has open besides connections, with room to spare.
const otherFiles = 64

// allow raises the limit of open files to what the connections need, or lowers their number to what is left.
func (s *Server) allow() {
	need := uint64(s.opts.Connections) + otherFiles
	got, err := raise(need)
	if got >= need {
		return
	}
	s.opts.Connections = max(int(got)-otherFiles, 1)
	s.opts.Notice(fmt.Sprintf("no more than %d connections at once: %d open files are allowed, and that could not be raised to %d: %v"+
		" (raise the hard limit: ulimit -Hn as root, or LimitNOFILE= of the unit)", s.opts.Connections, got, need, err))
}

// Serve serves until ctx ends, and then stops: nobody else is let in, what has come is answered, and the connections are
// closed. It returns nil then, or why the state could not be kept.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var clients, others sync.WaitGroup
	for _, l := range s.listeners {
		others.Go(func() { s.accept(ctx, l, &clients) })
	}
	for _, c := range s.probes {
		others.Go(func() { s.answerProbes(c) })
	}
	if s.opts.Probe > 0 {
		others.Go(func() { s.probePeers(ctx) })
	}
	kept := make(chan error, 1)
	go func() { kept <- s.keep() }()
	<-ctx.Done()
	err := s.closeListeners()
	others.Wait()
	s.stop()
	clients.Wait()
	if s.lines != nil {
		close(s.lines)
	}
	return errors.Join(err, <-kept)
}

// Close closes a Server that does not serve.
func (s *Server) Close() error {
	err := s.closeListeners()
	if s.state != nil {
		err = errors.Join(err, s.state.close())
	}
	return err
}

// batchOfState is how much of it one write has, about.
const batchOfState = 1 << 20

// keep writes what is registered to the state, as long as anyone serves. What has come meanwhile is one write. Of
// what could not be written the next write is another attempt.
func (s *Server) keep() error {
	if s.state == nil {
		return nil
	}
	for text := range s.lines {
		for more := true; more && len(text) < batchOfState; {
			select {
			case t, ok := <-s.lines:
				text, more = append(text, t...), ok
			default:
				more = false
			}
		}
		if err := s.state.write(text); err != nil {
			s.once(&s.stateErr, fmt.Sprintf("the state is not kept: %v", err))
		}
	}
	return s.state.close()
}

// once gives a notice that is true from then on.
func (s *Server) once(given *atomic.Bool, text string) {
	if !given.Swap(true) {
		s.opts.Notice(text)
	}
}
