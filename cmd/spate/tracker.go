package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spate/event"
	"spate/swarm/actionlog"
	"spate/swarm/tracker"
	"spate/swarm/wire"
)

const trackerLong = `Tells the peers of a swarm who has which chunk, as the P2PTracker of the assignment does: peers register what they have, and
ask for what they lack. It serves until it is interrupted.

What goes to and fro is appended to --log, one line for each message. docs/spec/tracker.md has the protocol.`

type trackerCmd struct {
	swarm       swarmFlags
	listen      string
	state       string
	probe       time.Duration
	timeout     time.Duration
	connections int64
}

func newTrackerCmd(p *process) *cobra.Command {
	var c trackerCmd
	cmd := &cobra.Command{
		Use:     "tracker",
		Short:   "Tell the peers of a swarm who has which chunk",
		Long:    trackerLong,
		Example: "  spate tracker\n  spate tracker --listen 192.0.2.7:5100 --state registry",
		Args:    exactly(0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context(), p) },
	}
	fs := cmd.Flags()
	fs.StringVar(&c.listen, "listen", wire.DefaultTracker, "`HOST:PORT` where peers find it; port 0 is a free one")
	fs.StringVar(&c.state, "state", "", "keep what is registered in `FILE`, across restarts")
	fs.Var(span{&c.probe}, "probe", "how often the addresses of peers are tried, to name those last that do not answer; 0 is never")
	c.timeout = 10 * time.Minute
	fs.Var(span{&c.timeout}, "timeout", "how long a peer may be silent")
	fs.Var(count{&c.connections, 1}, "max-connections", "connections at once; others are closed (default 16384)")
	c.swarm.register(fs)
	return cmd
}

func (c *trackerCmd) run(ctx context.Context, p *process) error {
	if c.timeout == 0 {
		return usage("--timeout: a peer that is silent for ever would be waited for", "--timeout 24h is a day")
	}
	tell := c.swarm.talk(p, trackerWords)
	log, err := c.swarm.openLog()
	if err != nil {
		return err
	}
	notice := func(text string) { tell(event.Event{Type: event.Failed, Error: text}) }
	t, err := tracker.Listen(ctx, &tracker.Options{Addr: c.listen, Log: log, Notice: notice, State: c.state,
		Timeout: c.timeout, Connections: int(c.connections), Probe: c.probe})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	stop, err := c.swarm.serveMetrics(ctx, tell, trackerMetrics(t))
	if err != nil {
		return errors.Join(err, t.Close(), log.Close())
	}
	for _, a := range t.Addrs() {
		tell(event.Event{Type: event.Listening, Origin: a.String()})
	}
	return errors.Join(t.Serve(ctx), stop(), log.Close())
}

// swarmFlags are those of tracker and peer.
type swarmFlags struct {
	log     string
	metrics string
	json    bool
	quiet   bool
}

func (f *swarmFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.log, "log", actionlog.Name, "append the messages to `FILE`; '' is none")
	fs.StringVar(&f.metrics, "metrics", "", "`HOST:PORT` of a page of figures for Prometheus, /metrics; port 0 is a free one")
	fs.BoolVar(&f.json, "json", false, "events and errors as JSON lines on stderr")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "nothing on stderr but errors")
}

// openLog opens the log of messages; nil is none.
func (f *swarmFlags) openLog() (*actionlog.Log, error) {
	if f.log == "" {
		return nil, nil
	}
	log, err := actionlog.Open(f.log)
	if err != nil {
		return nil, &hintedError{err, "it is the file of --log"}
	}
	return log, nil
}

// talk is what tells events on stderr, in the words of describe where it is not JSON; "" is not told. It is safe for concurrent use: each
// is one write.
func (f *swarmFlags) talk(p *process, describe func(event.Event) string) event.Sink {
	if f.json {
		tell := jsonSink(p.stderr)
		return func(e event.Event) {
			e.Time = time.Now()
			tell(e)
		}
	}
	return func(e event.Event) {
		if words := describe(e); words != "" && !f.quiet {
			fmt.Fprintf(p.stderr, "spate: %s\n", words)
		}
	}
}

// trackerWords says an event of a tracker.
func trackerWords(e event.Event) string {
	if e.Type == event.Listening {
		return "listening on " + e.Origin
	}
	return e.Error
}
