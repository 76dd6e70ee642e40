package spate

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"

	"spate/assemble"
	"spate/fetch"
	"spate/source"
)

// A Plan is what [Client.Get] would do for one output.
type Plan struct {
	URL      string      // that would be fetched: of a file of a Metalink file its first mirror
	Info     source.Info // what the origin tells, the URL "" where it was not asked; the Size of a manifest is -1, as that of its stream is not known
	Manifest bool        // the parts it names are joined
	Sequence bool        // the stream is taken apart: Path-file1, Path-file2 and so on are written
	Mirrors  []Mirror    // further places that the bytes come from
	Checks   []string    // algorithms of the digests that the whole must have
	Path     string      // to be written
	Exists   bool        // something of that name is there already; of a sequence, of its first file
	Skipped  bool        // so it is left, and nothing is fetched
	Left     int64       // bytes that an earlier call has left and that would be gone on with
	Dropped  int64       // bytes of a FILE.part that would be dropped
	Err      error       // what Get would end with, as far as is known

	described []*Plan // of a Metalink file
}

// Plan finds out what Get with the same arguments would do: it asks what Get would ask, up to the first answer, and decides
// by that, and by what is there, as Get would. It writes nothing.
//
// There is a Plan for each file that a Metalink file describes; of all else there is one, or none where no origin gives an
// answer. The error is what Get would end with before it writes anything: as far as Limits, the output and the space for it tell, and
// what of it an earlier call has left. A folder that is missing is none.
func (c *Client) Plan(ctx context.Context, url, path string, opts *GetOptions) ([]*Plan, error) {
	g := c.getter(url, path, opts)
	g.plan = &Plan{Path: path}
	err := g.run(ctx)
	if g.plan.described != nil {
		return g.plan.described, err
	}
	p := g.planned(ctx, err)
	if p.Info.URL == "" && !p.Skipped {
		return nil, err
	}
	return []*Plan{p}, err
}

// errPlanned is why what has answered is not written.
var errPlanned = errors.New("only planned")

func unlessPlanned(err error) error {
	if errors.Is(err, errPlanned) {
		return nil
	}
	return err
}

// note keeps what an origin has answered, if that is only for a Plan.
func (g *getter) note(info source.Info, manifest bool) {
	if g.plan != nil {
		g.plan.Info, g.plan.Manifest = info, manifest
	}
}

// unlessFolder is err of the output, but for a folder that is missing: it may be made before Get.
func (g *getter) unlessFolder(err error) error {
	if g.plan != nil && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// planned is the Plan, once all is decided. err is what that has led to.
func (g *getter) planned(ctx context.Context, err error) *Plan {
	p := g.plan
	p.URL, p.Mirrors, p.Skipped, p.Err = g.url, g.opts.Mirrors, len(g.done.Skipped) > 0, err
	p.Path, p.Sequence = cmp.Or(g.path, p.Path), g.opts.Sequence.isSequence(g.url)
	for _, sum := range g.opts.Checksums {
		p.Checks = append(p.Checks, sum.Algorithm)
	}
	if p.Info.URL == "" && (p.Skipped || g.isLocal(err) || errors.Is(err, source.ErrChanged)) {
		g.ask(ctx)
	}
	if p.Path == "" {
		p.Path = g.target(p.Info)
	}
	p.Exists = exists(p.first())
	return p
}

// isLocal reports whether the output is why nothing was asked for.
func (g *getter) isLocal(err error) bool {
	_, is := errors.AsType[*fs.PathError](err)
	return is && g.path != ""
}

// ask asks once more for the sake of who reads the Plan: Get has not, where the output is decision enough, or has kept nothing of an
// answer that did not fit.
func (g *getter) ask(ctx context.Context) {
	g.plan.Info.Size = -1
	g.c.prepare()
	res, err := g.c.src.Open(ctx, g.url, source.Range{Len: 1})
	if err != nil {
		return
	}
	res.Body.Close()
	manifest := isManifest(g.url, res.Info)
	if manifest {
		res.Info.Size = -1
	}
	g.note(res.Info, manifest)
}

// planFile is what would be done with what has answered; left is what an earlier call has left of it, nil for nothing. The error is
// why it cannot be done.
func (g *getter) planFile(info source.Info, left *fetch.File) error {
	p := g.plan
	p.Path = g.path
	if left != nil {
		p.Left = left.There()
	} else if err := g.planNew(p.Path); err != nil {
		return err
	}
	if b := g.opts.Limits.Bytes; info.Size < 0 || b > 0 && b < info.Size { // that ends it, wherever it is
		return nil
	}
	return fetch.Fits(p.Path, info.Size) // what is left counts as space there
}

// planNew is for an output that is begun at path, and drops what is left of an earlier one.
func (g *getter) planNew(path string) error {
	if err := g.unlessFolder(fetch.Check(path, &fetch.Options{Overwrite: g.opts.overwrites()})); err != nil {
		return err
	}
	if part, err := os.Lstat(path + fetch.Ext); err == nil {
		g.plan.Dropped = part.Size()
	}
	return nil
}

// planSequence is planFile for a stream that is taken apart: more than its first file is not known.
func (g *getter) planSequence(info source.Info, manifest bool) (*assemble.Prior, error) {
	g.note(info, manifest)
	g.plan.Path, g.plan.Sequence = g.target(info), true
	return nil, cmp.Or(g.claim(g.plan.first()), g.planNew(g.plan.first()), errPlanned)
}

// planDescribed plans one file of a Metalink file.
func (g *getter) planDescribed(ctx context.Context, one *getter) error {
	one.plan = &Plan{Path: one.path}
	one.plan.Info.Size = -1
	err := one.skipped(one.single(ctx))
	p := one.planned(ctx, err)
	g.plan.described = append(g.plan.described, p)
	g.done.Bytes += max(p.Info.Size, 0)
	return err
}

// first is the first file that is written.
func (p *Plan) first() string {
	if p.Sequence {
		return p.Path + indexed(1)
	}
	return p.Path
}
