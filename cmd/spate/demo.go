package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spate/internal/demo"
	"spate/viewer"
)

const demoLong = `Starts origins on loopback, several ports for several machines, some of them broken: dead, missing, dying in the
middle of a body. What they serve is made by the program. Everything is downloaded from them with the engine that
cat and get use, checked by SHA-256, and listed in one table. No network is needed and no file is left behind.

With --serve the origins stay up, to be used from another terminal, until the program is interrupted, and so does a page on which
all that they have can be watched while it arrives, in a browser: also what is slow, and what goes wrong.`

func newDemoCmd(p *process) *cobra.Command {
	var (
		serve, quiet bool
		listen       []string
	)
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "Show what spate does, on origins of its own",
		Long:    demoLong,
		Example: "  spate demo\n  spate demo --serve --listen 127.0.0.1:8080",
		Args:    exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			talk := cmd.ErrOrStderr()
			if quiet {
				talk = io.Discard
			}
			if serve {
				return demo.Serve(cmd.Context(), listen, servePage(p), cmd.OutOrStdout(), talk)
			}
			if len(listen) > 0 {
				return usage("--listen is for --serve", "add --serve to keep the origins up")
			}
			return demo.Show(cmd.Context(), cmd.OutOrStdout(), talk)
		},
	}
	cmd.Flags().BoolVar(&serve, "serve", false, "keep the origins up, with a page to watch them, and print their URLs")
	cmd.Flags().StringSliceVar(&listen, "listen", nil, "`HOST:PORT` of the first origin, then of the others; port 0 is a free one")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "nothing on stderr but errors")
	return cmd
}

// servePage is the page of a gateway that keeps nothing and tells nothing: what goes wrong is told on the page.
func servePage(p *process) demo.Page {
	return func(ctx context.Context, exhibits []demo.Exhibit) (string, <-chan error, error) {
		var c gatewayCmd
		c.register(pflag.NewFlagSet("", pflag.ContinueOnError)) // for the defaults
		c.listen, c.cache.none, c.quiet = "127.0.0.1:0", true, true
		for _, e := range exhibits {
			c.page.samples = append(c.page.samples, viewer.Sample{Title: e.Title(), URL: e.URL, MS: e.Delay})
		}
		bases, ended := make(chan string, 1), make(chan error, 1)
		c.page.ready = func(base string) error {
			bases <- base
			return nil
		}
		silent := &process{stdout: io.Discard, stderr: io.Discard, env: p.env}
		go func() { ended <- c.run(ctx, silent) }()
		select {
		case base := <-bases:
			return base + "/", ended, nil
		case err := <-ended:
			return "", nil, err
		}
	}
}
