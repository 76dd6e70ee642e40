package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cli/browser"
	"github.com/spf13/cobra"

	"spate/event"
	"spate/format/manifest"
	"spate/gateway"
	"spate/source"
	"spate/source/filesource"
	"spate/viewer"
)

const viewLong = `Opens a page in the browser that shows what URL stands for while it arrives: text, a picture, sound and film, or a sequence file
by file, animated or step by step; and what happens underneath. MS is the delay between two files of a sequence, in milliseconds.
The address of the page, which is printed, holds the URL and the settings. It is served, to this machine alone, until the program is
interrupted.

Without URL the page asks for one. The page of spate gateway is the same.`

// pageOptions are what the page of a gateway is for, beside what everybody may ask for.
type pageOptions struct {
	url     string                  // that is viewed first; "": none
	samples []viewer.Sample         // further ones
	ready   func(base string) error // is told where the gateway is, in place of its user; nil: the user is
}

// dirs are the folders of what is viewed: a manifest may name what lies beside it.
func (o *pageOptions) dirs() []string {
	if path := localPath(o.url); path != "" && manifest.IsManifest(o.url, "") {
		return []string{filepath.Dir(path)}
	}
	return nil
}

// localPath is that of a file URL; "": it is none.
func localPath(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return filepath.FromSlash(u.Path)
}

// withPage is the gateway of these options with its page.
func (c *gatewayCmd) withPage(opts *gateway.Options) (*gateway.Gateway, *viewer.Viewer) {
	samples := slices.Clone(c.page.samples)
	for _, name := range slices.Sorted(maps.Keys(c.named)) {
		samples = append(samples, viewer.Sample{Title: name, URL: name})
	}
	var g *gateway.Gateway // which hands on what the page is asked
	page := viewer.New(&viewer.Options{
		Client: opts.Client, Allow: c.policy.AllowURL, Named: c.named, Samples: samples, Discreet: c.isEverywhere,
		Watch: func(url string) (event.Event, bool) { return g.Watch(url) },
	})
	opts.Page = page
	g = gateway.New(opts)
	return g, page
}

type viewCmd struct {
	gatewayCmd
	noOpen bool
}

func newViewCmd(p *process) *cobra.Command {
	var c viewCmd
	cmd := &cobra.Command{
		Use:   "view [URL [MS]]",
		Short: "Watch a stream arrive, in the browser",
		Long:  viewLong,
		Example: "  spate view http://host/animation.png-seq.parts 50\n  spate view film.mkv.parts\n" +
			"  spate view --no-open http://host/log.txt",
		Args: between(0, 2, "[URL [MS]]"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.view(cmd.Context(), p, args) },
	}
	fs := cmd.Flags()
	c.defaults()
	fs.StringVar(&c.listen, "listen", "127.0.0.1:0", "`HOST:PORT` to serve the page at; port 0 is a free one, another keeps the page's history")
	fs.BoolVar(&c.noOpen, "no-open", false, "print the address only")
	fs.StringArrayVar(&c.dirs, "allow-dir", nil, "files below `DIR` may be viewed, too; may be repeated")
	c.cache.register(fs)
	fs.BoolVar(&c.json, "json", false, "events, requests and errors as JSON lines on stderr")
	fs.BoolVarP(&c.quiet, "quiet", "q", false, "nothing on stderr but what goes wrong")
	c.stream.register(fs)
	c.stream.web.leads = true // other URLs may be asked for on the page
	return cmd
}

func (c *viewCmd) view(ctx context.Context, p *process, args []string) error {
	if host, _, err := net.SplitHostPort(c.listen); err == nil && !isThisMachine(host) {
		return usage("others can reach --listen "+shown(c.listen), "spate gateway has the same page for others, and says what they may ask for")
	}
	settings, err := viewed(ctx, args)
	if err != nil {
		return err
	}
	c.page.url = settings.Get("url")
	c.page.ready = func(base string) error {
		address := base + "/"
		if len(settings) > 0 {
			address += "#" + settings.Encode()
		}
		if _, err := fmt.Fprintln(p.stdout, address); err != nil || c.noOpen {
			return err
		}
		go c.open(p, address) // some browsers are what the command that opens them waits for: it may outlive us
		return nil
	}
	return c.run(ctx, p)
}

const maxDelay = 10_000

// viewed are the settings of the page that shows what args say.
func viewed(ctx context.Context, args []string) (url.Values, error) {
	settings := url.Values{}
	if len(args) > 0 {
		viewed, err := argument(args[0])
		if err == nil {
			err = checkLocal(ctx, viewed)
		}
		if err != nil {
			return nil, err
		}
		settings.Set("url", viewed)
	}
	if len(args) > 1 {
		ms, err := strconv.Atoi(args[1])
		if err != nil || ms < 0 || ms > maxDelay {
			return nil, usage("delay "+shown(args[1])+": want milliseconds", fmt.Sprintf("a whole number from 0 to %d", maxDelay))
		}
		settings.Set("ms", strconv.Itoa(ms))
	}
	return settings, nil
}

// checkLocal is why a local file cannot be read. Pipes are left alone, as they can be opened once.
func checkLocal(ctx context.Context, rawURL string) error {
	path := localPath(rawURL)
	if info, err := os.Stat(path); path == "" || err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil
	}
	res, err := filesource.Source{}.Open(ctx, rawURL, source.Range{Len: -1})
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// open has the user's browser show address.
func (c *viewCmd) open(p *process, address string) {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	err := browser.OpenURL(address)
	if exit, ok := errors.AsType[*exec.ExitError](err); err == nil || ok && exit.ExitCode() < 0 {
		return // ended by a signal, as by the one that ends us, it was one that ran
	}
	if c.json {
		c.log(p).Warn("no browser", slog.Any("error", err))
		return
	}
	fmt.Fprintf(p.stderr, "spate: no browser could be started: %v\nhint: open the address above in one\n", err)
}
