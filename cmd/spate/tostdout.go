package main

import (
	"context"
	"fmt"

	"spate"
)

// toStdout writes the stream to stdout, in order; what else would go there, the digest and what -w says, to stderr.
func (c *getCmd) toStdout(ctx context.Context, p *process, r request) error {
	if err := c.fitsStdout(r); err != nil {
		return err
	}
	beside := *p
	beside.stdout = p.stderr
	screen := isTerminal(p.stdout)
	g, err := c.begin(&beside, screen)
	if err != nil {
		return err
	}
	defer g.close()
	out := p.stdout
	if screen {
		out = &textOnly{w: out}
	}
	ctx = g.after.job(ctx, 0, r)
	within, cancel := c.limits.limits().Context(ctx)
	defer cancel()
	res, err := g.client.GetTo(within, escapable(within, out), r.url, c.options(r))
	if err == nil && res.SHA256 != nil && c.talk.chatty() && c.after.format.text == "" {
		fmt.Fprintf(g.talk.above, "%x  -\n", res.SHA256)
	}
	return g.after.end(ctx, 0, err)
}

// fitsStdout tells what was asked for that is only done with files.
func (c *getCmd) fitsStdout(r request) error {
	switch {
	case c.mode(r.arg) == spate.SeqOn:
		return usage("- is no name for several files", "spate cat URL writes a sequence to stdout as it is")
	case c.after.program != "":
		return usage("--on-complete is for files, and - is stdout", "")
	}
	return nil
}
