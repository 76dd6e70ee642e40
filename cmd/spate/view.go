package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/cli/browser"
	"github.com/spf13/cobra"

	"spate/event"
	"spate/gateway"
	"spate/viewer"
)

const viewLong = `Opens a page in the browser that shows what URL stands for while it arrives: text, a picture, sound and film, or a sequence file
by file, animated or step by step; and what happens underneath. MS is the delay between two files of a sequence, in milliseconds.
The address of the page, which is printed, holds the URL and the settings. It is served until the program is interrupted.

Without URL the page asks for one. The page of spate gateway is the same.`

// pageOptions are what the page of a gateway is for, beside what everybody may ask for.
type pageOptions struct {
	url     string            // that is viewed first; "": none
	samples []viewer.Sample   // further ones
	ready   func(base string) // is told where the gateway is, in place of its user; nil: the user is
}

// dirs are the folders of what is viewed: a manifest may name what lies beside it.
func (o *pageOptions) dirs() []string {
	u, err := url.Parse(o.url)
	if err != nil || u.Scheme != "file" {
		return nil
	}
	return []string{filepath.Dir(filepath.FromSlash(u.Path))}
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
		Args: between(0, 2, "a URL, and a delay in milliseconds"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.view(cmd.Context(), p, args) },
	}
	fs := cmd.Flags()
	c.defaults()
	fs.StringVar(&c.listen, "listen", "127.0.0.1:0", "`HOST:PORT` to serve the page at; port 0 is a free one")
	fs.BoolVar(&c.noOpen, "no-open", false, "print the address only")
	c.cache.register(fs)
	fs.BoolVar(&c.json, "json", false, "requests and errors as JSON lines on stderr")
	fs.BoolVarP(&c.quiet, "quiet", "q", true, "nothing on stderr but what goes wrong; --quiet=false has a line for each request")
	c.stream.register(fs)
	c.stream.web.leads = true // other URLs may be asked for on the page
	return cmd
}

func (c *viewCmd) view(ctx context.Context, p *process, args []string) error {
	settings := url.Values{}
	if len(args) > 0 {
		viewed, err := argument(args[0])
		if err != nil {
			return err
		}
		c.page.url = viewed
		settings.Set("url", viewed)
	}
	if len(args) > 1 {
		ms, err := strconv.Atoi(args[1])
		if err != nil || ms < 0 || ms > maxDelay {
			return usage("delay "+shown(args[1])+": want milliseconds", fmt.Sprintf("a whole number from 0 to %d", maxDelay))
		}
		settings.Set("ms", strconv.Itoa(ms))
	}
	c.page.ready = func(base string) {
		address := base + "/"
		if len(settings) > 0 {
			address += "#" + settings.Encode()
		}
		fmt.Fprintln(p.stdout, address)
		if !c.noOpen {
			open(p, address)
		}
	}
	return c.run(ctx, p)
}

const maxDelay = 10_000

// open has the user's browser show address.
func open(p *process, address string) {
	browser.Stdout, browser.Stderr = io.Discard, io.Discard
	if err := browser.OpenURL(address); err != nil {
		fmt.Fprintln(p.stderr, "spate: no browser could be started; open the address above in one")
	}
}
