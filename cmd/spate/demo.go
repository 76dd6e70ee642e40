package main

import (
	"io"

	"github.com/spf13/cobra"

	"spate/internal/demo"
)

const demoLong = `Starts origins on loopback, several ports for several machines, some of them broken: dead, missing, dying in the
middle of a body. What they serve is made by the program. Everything is downloaded from them with the engine that
cat and get use, checked by SHA-256, and listed in one table. No network is needed and no file is left behind.

With --serve the origins stay up, to be used from another terminal, until the program is interrupted.`

func newDemoCmd() *cobra.Command {
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
				return demo.Serve(cmd.Context(), listen, cmd.OutOrStdout(), talk)
			}
			if len(listen) > 0 {
				return usage("--listen is for --serve", "add --serve to keep the origins up")
			}
			return demo.Show(cmd.Context(), cmd.OutOrStdout(), talk)
		},
	}
	cmd.Flags().BoolVar(&serve, "serve", false, "keep the origins up and print their URLs")
	cmd.Flags().StringSliceVar(&listen, "listen", nil, "`HOST:PORT` of the first origin, then of the others; port 0 is a free one")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "nothing on stderr but errors")
	return cmd
}
