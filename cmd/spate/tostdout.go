package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
)

// toStdout writes the stream to stdout, as cat does, and its digest to stderr.
func (c *getCmd) toStdout(ctx context.Context, p *process, r request) error {
	if c.mode(r.arg) == 1 {
		return usage("- is no name for several files", "spate cat URL writes a sequence to stdout as it is")
	}
	cat := catCmd{limits: c.limits}
	talk := c.talk.start(p, isTerminal(p.stdout))
	defer talk.close()
	client, closeIdle := c.stream.client(tee(talk.sink, c.book.sink()))
	defer closeIdle()
	sum := sha256.New()
	out := p.stdout
	if isTerminal(out) {
		out = &textOnly{w: out}
	}
	err := cat.copy(ctx, client, r.url, io.MultiWriter(out, sum))
	talk.close()
	if err == nil && !c.talk.quiet && !c.object.noDigest {
		fmt.Fprintf(p.stderr, "%x  -\n", sum.Sum(nil))
	}
	return err
}
