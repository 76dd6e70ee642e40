package spate

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"spate/fetch"
	"spate/fetch/journal"
	"spate/source"
)

// A Plan is what [Client.Get] would do.
type Plan struct {
	Info     source.Info // what the origin tells; the Size of a manifest is -1, as that of its stream is not known
	Manifest bool        // the parts it names are joined
	Sequence bool        // the stream is taken apart: Path-file1, Path-file2 and so on are written
	Path     string      // to be written
	Exists   bool        // something of that name is there already; of a sequence, of its first file
	Skipped  bool        // so it is left, and nothing is fetched
	Left     int64       // bytes that an earlier call has left and that would be gone on with
	Dropped  int64       // bytes of a FILE.part that would be dropped
}

// Plan finds out what Get with the same arguments would do. It asks for the first byte of url, and writes nothing.
//
// The Plan is nil where the origin gives no answer. Beside one, the error is what Get would end with before it writes
// anything: as far as Limits, the output and the space for it tell. A folder that is missing is none.
func (c *Client) Plan(ctx context.Context, url, path string, opts *GetOptions) (*Plan, error) {
	g := &getter{c: c, url: url, path: path}
	if opts != nil {
		g.opts = *opts
	}
	ctx, cancel := g.opts.Limits.context(ctx)
	defer cancel()
	c.prepare()
	res, err := c.src.Open(ctx, url, source.Range{Len: 1})
	if err != nil {
		return nil, g.limited(ctx, err)
	}
	res.Body.Close()
	p, err := g.plan(res.Info)
	if err == nil && !p.Skipped {
		err = g.check(p)
	}
	return p, g.limited(ctx, err)
}

func (g *getter) plan(info source.Info) (p *Plan, err error) {
	p = &Plan{Info: info, Manifest: isManifest(g.url, info), Sequence: g.opts.Sequence.isSequence(g.url), Path: g.target(info)}
	if p.Manifest {
		p.Info.Size = -1
	}
	if g.opts.IfExists == ExistsRename && !p.Sequence {
		p.Path, err = freeName(p.Path)
	}
	first := p.first()
	p.Exists = exists(first)
	p.Skipped = p.Exists && (g.opts.IfExists == ExistsSkip || g.older(p.Path, info))
	g.planLeft(p, first)
	return p, err
}

// planLeft tells what becomes of what an earlier call has left.
func (g *getter) planLeft(p *Plan, path string) {
	part, err := os.Lstat(path + fetch.Ext)
	if err != nil {
		return
	}
	state, err := journal.Read(path + journal.Ext)
	if err != nil || g.opts.IfExists == ExistsOverwrite {
		p.Dropped = part.Size()
		return
	}
	p.Left = state.Covered().Bytes()
}

// first is the first file that is written.
func (p *Plan) first() string {
	if p.Sequence {
		return p.Path + indexed(1)
	}
	return p.Path
}

// check is why what is planned cannot be done.
func (g *getter) check(p *Plan) error {
	err := fetch.Check(p.first(), &fetch.Options{Overwrite: g.opts.overwrites()})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if p.Sequence {
		return nil
	}
	if err := g.refusesBegun(p.Path); err != nil || p.Info.Size < 0 {
		return err
	}
	if err := g.opts.Limits.admits(p.Info.Size); err != nil {
		return err
	}
	if b := g.opts.Limits.Bytes; b > 0 && b < p.Info.Size {
		return nil // that ends it, wherever it is
	}
	return fetch.Fits(p.Path, p.Info.Size) // what is left counts as space there
}
