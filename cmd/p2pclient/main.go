// Command p2pclient is the P2PClient of the assignment: it serves the chunks that a folder has, fetches the others, and goes on
// serving. The tracker is at port 5100 of localhost, the log is logs.log. What else it could do, spate peer does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"spate/event"
	"spate/swarm/actionlog"
	"spate/swarm/peer"
	"spate/swarm/wire"
)

const usage = "usage: p2pclient -folder DIR [-transfer_port PORT] [-name NAME]\n       p2pclient DIR"

func main() {
	o, folder := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, folder)
	interrupted := ctx.Err() != nil
	stop()
	if _, isOption := errors.AsType[*peer.OptionError](err); isOption {
		fail(err.Error())
	}
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "p2pclient:", err)
		os.Exit(1)
	}
}

// parse reads the command line, and ends the program where it makes no sense.
func parse() (o peer.Options, folder string) {
	flag.StringVar(&folder, "folder", "", "the folder with local_chunks.txt")
	flag.IntVar(&o.Port, "transfer_port", 0, "where others fetch from this client; 0 is a free port")
	flag.StringVar(&o.Name, "name", "", "of this client in the log; empty: that of the folder")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if folder == "" && flag.NArg() == 1 {
		folder = flag.Arg(0)
	} else if flag.NArg() > 0 || folder == "" {
		fail("one folder is needed")
	}
	if o.Port < 0 || o.Port > wire.MaxPort {
		fail(fmt.Sprintf("-transfer_port %d: a port is 0 to %d", o.Port, wire.MaxPort))
	}
	if o.Name == "" {
		if abs, err := filepath.Abs(folder); err == nil {
			o.Name = filepath.Base(abs)
		}
	}
	return o, folder
}

func fail(problem string) {
	fmt.Fprintf(os.Stderr, "p2pclient: %s\n%s\n", problem, usage)
	os.Exit(2)
}

func run(ctx context.Context, o peer.Options, path string) error {
	folder, err := peer.OpenFolder(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	o.Store, o.Last, o.Sum = folder, folder.Last(), folder.Sum
	if o.Log, err = actionlog.Open(actionlog.Name); err != nil {
		return err
	}
	o.Events = func(e event.Event) {
		if words := peer.Words(e); words != "" {
			fmt.Fprintf(os.Stderr, "%s: %s\n", o.Name, words)
		}
	}
	client, err := peer.Listen(ctx, o)
	if err != nil {
		return errors.Join(err, o.Log.Close())
	}
	return errors.Join(client.Run(ctx), o.Log.Close())
}
