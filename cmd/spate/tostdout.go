package main

import (
	"context"
	"fmt"
	"io"

	"spate"
	"spate/format/checksum"
	"spate/source"
)

// toStdout writes the stream to stdout, as cat does, and its digest to stderr. That it has another one than it should is known only
// once all is written.
func (c *getCmd) toStdout(ctx context.Context, p *process, r request) error {
	if c.mode(r.arg) == spate.SeqOn {
		return usage("- is no name for several files", "spate cat URL writes a sequence to stdout as it is")
	}
	if c.object.sums.auto {
		return usage("--checksum auto is for files, and - is stdout", "--checksum ALG=HEX is for any stream")
	}
	sums, err := c.sums(r)
	if err != nil {
		return err
	}
	cat := catCmd{limits: c.limits}
	talk := c.talk.start(p, isTerminal(p.stdout))
	defer talk.close()
	client, closeIdle := c.stream.client(tee(talk.sink, c.book.sink()))
	defer closeIdle()
	out := p.stdout
	if isTerminal(out) {
		out = &textOnly{w: out}
	}
	if err := cat.copy(ctx, client, r.url, io.MultiWriter(out, sums)); err != nil {
		return err
	}
	if err := sums.Verify(); err != nil {
		return &source.Error{Op: "verify", URL: r.url, Kind: source.KindCorrupt, Err: err}
	}
	talk.close()
	if sum, ok := sums.Sum(checksum.SHA256); ok && !c.talk.quiet && !c.object.noDigest {
		fmt.Fprintf(p.stderr, "%x  -\n", sum.Value)
	}
	return nil
}

// sums compute the digests that are wanted of r, and those that it is promised to have.
func (c *getCmd) sums(r request) (*checksum.Set, error) {
	set := new(checksum.Set)
	if !c.object.noDigest {
		if err := set.Compute(checksum.SHA256); err != nil {
			return nil, err
		}
	}
	for _, sum := range r.sums {
		if err := set.Expect(sum); err != nil {
			return nil, usage("--checksum: "+err.Error(), "")
		}
	}
	return set, nil
}
