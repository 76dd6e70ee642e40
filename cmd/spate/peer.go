package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spate/swarm/loopback"
	"spate/swarm/peer"
	"spate/swarm/wire"
)

const peerLong = `Gives the chunks that the folder DIR has to the other peers of a swarm, and fetches those that it lacks, as the P2PClient of the
assignment does. Which chunks there are, and how many, stands in DIR/local_chunks.txt; what arrives is chunk_1, chunk_2, …, and is
verified where DIR/SHA256SUMS has its digest. When all are there it goes on serving, until it is interrupted.

With --file a file that is there as a whole is served, as --chunks chunks: nothing is fetched.`

type peerCmd struct {
	swarm   swarmFlags
	file    string
	chunks  int64
	listen  string
	dialect string
	pace    paceFlag
	allow   prefixes
	limit   int64
	slots   int64
	o       peer.Options
}

func newPeerCmd(p *process) *cobra.Command {
	c := peerCmd{dialect: "plain", slots: 2}
	cmd := &cobra.Command{
		Use:     "peer DIR\n  spate peer --file FILE --chunks N",
		Short:   "Serve the chunks of a folder to a swarm, and fetch the others",
		Long:    peerLong,
		Example: "  spate peer a\n  spate peer a --once --tracker 192.0.2.7:5100 --listen 0.0.0.0",
		Args:    between(0, 1, "DIR"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), p, args) },
	}
	fs := cmd.Flags()
	fs.StringVar(&c.file, "file", "", "serve `FILE`, which is whole, as --chunks chunks")
	fs.Var(count{&c.chunks, 1}, "chunks", "how many chunks --file is")
	fs.StringVar(&c.listen, "listen", loopback.Name, "`HOST[:PORT]` to serve at; without a port, or with 0, it is a free one")
	fs.StringVar(&c.o.Tracker, "tracker", wire.DefaultTracker, "`HOST:PORT` of the tracker")
	fs.StringVar(&c.o.Advertise, "advertise", "", "`HOST[:PORT]` under which others reach this peer (default found out)")
	fs.StringVar(&c.o.Name, "name", "", "what the log calls this peer (default the name of DIR or FILE)")
	fs.BoolVar(&c.o.Once, "once", false, "end when all chunks are here")
	fs.Var(span{&c.o.SeedFor}, "seed-for", "end so long after all chunks are here")
	fs.Var(size{&c.limit, 1}, "upload-limit", "bytes a second to others, at most")
	fs.Var(count{&c.slots, 1}, "slots", "chunks that are sent at a time")
	fs.Var(size{&c.o.MaxChunk, 1}, "max-chunk", "bytes that a chunk may have, at most (default 4G, or 8 times what is known of others)")
	fs.Var(&c.allow, "allow", "who may fetch, as 192.0.2.0/24; may be repeated (default everybody)")
	fs.Var(choice{&c.dialect, []string{"plain", "sha1"}}, "dialect", "of the messages: sha1 has the chunks' digests in them")
	fs.Var(&c.pace, "tracker-pace", "the pause behind a message without an answer: auto is none with trackers that are known to need none, else 1.1s")
	c.swarm.register(fs)
	return cmd
}

func (c *peerCmd) run(ctx context.Context, p *process, args []string) error {
	if err := c.check(args); err != nil {
		return err
	}
	closer, err := c.store(args)
	if err != nil {
		return err
	}
	defer closer.Close()
	if c.o.Log, err = c.swarm.openLog(); err != nil {
		return err
	}
	c.o.Events, c.o.Notes = c.swarm.talk(p, peer.Words), true
	return errors.Join(c.serve(ctx), c.o.Log.Close())
}

func (c *peerCmd) serve(ctx context.Context) error {
	node, err := peer.Listen(ctx, c.o)
	if err != nil {
		return err
	}
	stop, err := c.swarm.serveMetrics(ctx, c.o.Events, peerMetrics(node))
	if err != nil {
		return errors.Join(err, node.Close())
	}
	err = node.Run(ctx)
	select {
	case <-node.Complete():
		if ctx.Err() != nil { // an interrupt is how it ends
			err = nil
		}
	default:
	}
	return errors.Join(err, stop())
}

// check looks for what makes no sense, and completes the options.
func (c *peerCmd) check(args []string) error {
	switch {
	case len(args) == 0 && c.file == "":
		return usage("an argument is missing", "usage: spate peer DIR, or spate peer --file FILE --chunks N")
	case len(args) > 0 && c.file != "":
		return usage("--file is served without a DIR", "spate peer DIR serves a folder of chunks")
	case (c.file != "") != (c.chunks > 0):
		return usage("--file and --chunks go together", "--file FILE --chunks N serves FILE as N chunks")
	case c.chunks > peer.MaxChunks:
		return usage("--chunks: at most "+strconv.Itoa(peer.MaxChunks), "")
	}
	host, port, err := hostPort(c.listen)
	if err != nil {
		return usage("--listen "+shown(c.listen)+": want HOST or HOST:PORT", "--listen localhost:7001")
	}
	c.o.Host, c.o.Port = host, port
	c.o.UploadLimit, c.o.Slots, c.o.SHA1, c.o.Pace, c.o.Allow = c.limit, int(c.slots), c.dialect == "sha1", c.pace.d, c.allow
	if c.o.Name == "" {
		c.o.Name = filepath.Base(absolute(append(args, c.file)[0]))
	}
	return nil
}

// store opens what is served.
func (c *peerCmd) store(args []string) (io.Closer, error) {
	if c.file != "" {
		whole, err := peer.OpenWhole(c.file, int(c.chunks))
		if err != nil {
			return nil, err
		}
		c.o.Store, c.o.Last = whole, whole.Last()
		return io.NopCloser(nil), nil
	}
	folder, err := peer.OpenFolder(args[0])
	if err != nil {
		return nil, err
	}
	c.o.Store, c.o.Last, c.o.Sum = folder, folder.Last(), folder.Sum
	return folder, nil
}

// absolute is path from the root on, where that can be found out: "." has no name of its own.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// hostPort takes HOST:PORT or HOST apart.
func hostPort(text string) (host string, port int, err error) {
	host, digits, err := net.SplitHostPort(text)
	if err != nil { // no port
		_, _, err = net.SplitHostPort(net.JoinHostPort(text, "0"))
		return text, 0, err
	}
	port, err = strconv.Atoi(digits)
	if err == nil && (port < 0 || port > wire.MaxPort) {
		err = strconv.ErrRange
	}
	return host, port, err
}

// paceFlag is a [peer.TrackerOptions] Pace: a [pflag.Value].
type paceFlag struct{ d time.Duration }

func (f *paceFlag) Set(text string) error {
	if text == "auto" {
		f.d = 0
		return nil
	}
	if err := (span{&f.d}).Set(text); err != nil {
		return errors.New("want auto, or a time as 1.1s")
	}
	if f.d == 0 {
		f.d = peer.NoPace
	}
	return nil
}

func (f *paceFlag) Type() string { return "auto|TIME" }

func (f *paceFlag) String() string {
	switch f.d {
	case 0:
		return "auto"
	case peer.NoPace:
		return "0"
	}
	return f.d.String()
}

// prefixes are networks: a [pflag.Value] that may be given again and again.
type prefixes []netip.Prefix

var _ pflag.Value = (*prefixes)(nil)

func (p *prefixes) Set(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if addr, aerr := netip.ParseAddr(text); aerr == nil {
		prefix, err = netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	if err != nil {
		return errors.New("want a network as 192.0.2.0/24, or an address")
	}
	*p = append(*p, prefix.Masked())
	return nil
}

func (p *prefixes) Type() string { return "CIDR" }

func (p *prefixes) String() string {
	var all []string
	for _, prefix := range *p {
		all = append(all, prefix.String())
	}
	return strings.Join(all, ",")
}
