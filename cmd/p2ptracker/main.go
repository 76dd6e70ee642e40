// Command p2ptracker is the P2PTracker of the assignment: on port 5100 of localhost, with its log in logs.log. What else it
// could do, spate tracker does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"spate/swarm/actionlog"
	"spate/swarm/tracker"
)

func main() {
	flag.Usage = func() { fmt.Fprintln(flag.CommandLine.Output(), "usage: p2ptracker") }
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "p2ptracker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	log, err := actionlog.Open(actionlog.Name)
	if err != nil {
		return err
	}
	notice := func(text string) { fmt.Fprintln(os.Stderr, "p2ptracker:", text) }
	t, err := tracker.Listen(ctx, &tracker.Options{Log: log, Notice: notice})
	if err != nil {
		return errors.Join(err, log.Close())
	}
	return errors.Join(t.Serve(ctx), log.Close())
}
