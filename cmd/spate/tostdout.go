package main

import (
	"context"
	"fmt"
	"io"

	"spate"
	"spate/format/checksum"
	"spate/format/metalink"
	"spate/source"
)

// toStdout writes the stream to stdout, as cat does, and its digest to stderr. It is an error if that is not what --checksum
// promises.
func (c *getCmd) toStdout(ctx context.Context, p *process, r request) error {
	if err := c.fitsStdout(r); err != nil {
		return err
	}
	set, err := c.promised(r)
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
	if err = cat.copy(ctx, client, r.url, io.MultiWriter(out, set)); err == nil {
		err = mismatch(r.url, set.Verify())
	}
	talk.close()
	if sum, ok := set.Sum(checksum.SHA256); ok && err == nil && !c.talk.quiet && !c.object.noDigest {
		fmt.Fprintf(p.stderr, "%x  -\n", sum.Value)
	}
	return err
}

// fitsStdout tells what was asked for that is only done with files.
func (c *getCmd) fitsStdout(r request) error {
	switch {
	case c.mode(r.arg) == spate.SeqOn:
		return usage("- is no name for several files", "spate cat URL writes a sequence to stdout as it is")
	case len(r.mirrors) > 0:
		return usage("- is written from one URL, without mirrors", "into a FILE several URLs are fetched as mirrors of each other")
	case c.object.sums.auto:
		return usage("--checksum auto is for a file, and - is stdout", "--checksum ALG=HEX is checked at the end of what was written")
	case c.metalink != "", !c.noMetalink && metalink.IsMetalink(r.url, ""):
		return usage("what a Metalink file describes are files, and - is stdout", "--no-metalink writes the Metalink file itself")
	case c.limits.fileSize > 0:
		return usage("--max-filesize is for files, and - is stdout", "--max-bytes ends any stream")
	case c.after.format.text != "":
		return usage("-w writes to stdout, and so does -o -", "")
	case c.after.program != "":
		return usage("--on-complete is for files, and - is stdout", "")
	}
	return nil
}

// promised computes what the digest line tells, and what --checksum promises.
func (c *getCmd) promised(r request) (*checksum.Set, error) {
	set := new(checksum.Set)
	for _, sum := range r.sums {
		if err := set.Expect(sum); err != nil {
			return nil, err
		}
	}
	if c.object.noDigest {
		return set, nil
	}
	return set, set.Compute(checksum.SHA256)
}

func mismatch(url string, err error) error {
	if err == nil {
		return nil
	}
	return &source.Error{Op: "verify", URL: url, Kind: source.KindCorrupt, Err: err}
}
