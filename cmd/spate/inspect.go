package main

import (
	"context"

	"github.com/spf13/cobra"

	"spate/internal/redact"
)

const inspectLong = `Tells what URL is without fetching it: where it leads, its size, media type and validator, and whether its origin
answers ranges. Of a manifest it shows the parts and their alternatives, each of which is asked for its first byte,
and what a strict reader of the original format would reject, with line numbers.

The state of an alternative is ok, failed, or unasked where a bound was reached. A manifest that was shown already is
not shown again. If a part has no alternative that works the exit code says why.`

type inspectCmd struct {
	stream           streamFlags
	json             bool
	maxParts, nested int64
}

func newInspectCmd(p *process) *cobra.Command {
	c := inspectCmd{maxParts: 100, nested: 3}
	cmd := &cobra.Command{
		Use:     "inspect URL",
		Short:   "Show what a URL is, and the state of a manifest's parts",
		Long:    inspectLong,
		Example: "  spate inspect http://host/text.parts\n  spate inspect --json http://host/text.parts | jq .manifest.parts",
		Args:    exactly(1, "URL"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), p, args[0]) },
	}
	fs := cmd.Flags()
	fs.BoolVar(&c.json, "json", false, "the result as JSON on stdout")
	fs.Var(count{&c.maxParts, 1}, "max-parts", "parts shown, in all")
	fs.Var(count{&c.nested, 0}, "depth", "manifests inside manifests that are shown")
	c.stream.ahead = 16
	fs.Var(count{&c.stream.ahead, 1}, "ahead", "alternatives asked at the same time")
	c.stream.registerTimes(fs)
	return cmd
}

func (c *inspectCmd) run(ctx context.Context, p *process, arg string) error {
	url, err := argument(arg)
	if err != nil {
		return err
	}
	if err := c.stream.name(url); err != nil {
		return err
	}
	src, closeIdle := c.stream.source()
	defer closeIdle()
	in := &inspector{src: src, atOnce: int(c.stream.ahead), left: int(c.maxParts), shown: map[string]bool{}}
	e := in.root(ctx, &entry{URL: redact.URL(url), Size: -1, open: url, arg: arg}, int(c.nested))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e.err != nil && e.Manifest == nil {
		return e.err
	}
	if c.json {
		enc := newEncoder(p.stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(e)
	} else {
		_, err = p.stdout.Write(e.text())
	}
	if err != nil {
		return err
	}
	return e.err
}
