package spate

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"spate/fetch"
	"spate/format/checksum"
	"spate/format/manifest"
	"spate/sched"
	"spate/source"
)

// A Mirror is one place that has a file. All of a file have the same bytes: one that proves not to is left aside.
type Mirror = fetch.Mirror

// Order is where in a file work is done first.
type Order = sched.Order

// The orders. OrderAuto goes from the front, OrderHeadTail has the last MiB early, for players of media and readers of
// archives, and OrderSequential writes nothing further ahead of what is whole than 32 MiB.
const (
	OrderAuto       = sched.Auto
	OrderHeadTail   = sched.HeadTail
	OrderSequential = sched.Sequential
)

// Why mirrors are of no use.
var (
	errDescribes = errors.New("a Metalink file itself says where the mirrors are")
	errAlone     = errors.New("it is read in order (it is a manifest, local, limited in bytes, or has a promise behind #), which is done without mirrors")
)

// takesMirrors is why the mirrors that the caller has named are of no use; nil where they are, or there are none.
func (g *getter) takesMirrors() error {
	var err error
	switch {
	case len(g.opts.Mirrors) == 0:
		return nil
	case g.follows(source.Info{}):
		err = errDescribes
	case !g.isObject():
		err = errAlone
	default:
		return nil
	}
	return &source.Error{Op: "get", URL: g.url, Kind: source.KindMalformed, Err: err}
}

// isObject reports whether the URL is fetched as one object over many connections, unless it proves to be a manifest: it
// is no local file, and nothing is promised of it.
func (g *getter) isObject() bool {
	if g.plain.of != g.url {
		g.plain.of, g.plain.is = g.url, isPlain(g.url)
	}
	return g.plain.is && (g.opts.Limits.Bytes <= 0 || g.w != nil)
}

// isPlain reports whether the URL names a host, and neither a manifest nor a promise.
func isPlain(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && u.Host != "" && !manifest.IsManifest(rawURL, "") && !strings.Contains(rawURL, "#")
}

// errOrdered is why what was opened is no object: it is a manifest, or of unknown length and to be stopped where it gets too
// long.
var errOrdered = errors.New("to be read in order")

// object writes an object to its file. It is errOrdered, and nothing was written, if the URL is that of a manifest.
func (g *getter) object(ctx context.Context) error {
	ctx, cancel := g.agreeing(ctx)
	defer cancel(nil)
	o, err := g.ready(ctx)
	if err != nil {
		return err
	}
	defer o.Close()
	if g.plan != nil {
		return g.planFile(o.Info(), g.left)
	}
	file := g.left
	if file == nil {
		if file, err = fetch.Create(g.path, &fetch.Options{Overwrite: g.opts.overwrites(), AtOnce: g.atOnce}); err != nil {
			return err
		}
	}
	file.SetModTime(g.modTime(o.Info()))
	agree := g.sample(ctx, cancel, o.Info().Size)
	defer agree.end()
	o.Approve(agree.with)
	return g.download(o, file)
}

// ready opens the object, once that and the output are known to be what can be written.
func (g *getter) ready(ctx context.Context) (*fetch.Object, error) {
	named := g.path != ""
	o, err := g.openDescribed(ctx)
	if err != nil {
		return nil, err
	}
	g.note(o.Info(), false)
	if err := g.permits(ctx, o.Info()); err != nil {
		o.Close()
		return nil, err
	}
	if named || g.left == nil {
		return o, nil
	}
	o.Close() // what is missing of what was left is to be asked for
	return g.openObject(ctx)
}

// permits is why an object that has answered is not written, as one.
func (g *getter) permits(ctx context.Context, info source.Info) error {
	if g.path == "" {
		g.atOnce = g.plan == nil
		if err := g.settle(ctx, g.target(info)); err != nil {
			return err
		}
	}
	switch {
	case g.leftInOrder():
		return errOrdered
	case g.older(g.path, info):
		return errSkipped
	}
	return g.opts.Limits.admits(info.Size)
}

// hashes are the algorithms of the digests that are wanted.
func (g *getter) hashes() []string {
	if g.opts.NoDigest {
		return nil
	}
	return []string{checksum.SHA256}
}

// leftInOrder reports whether what an earlier call has left is that of a stream of unknown size: a manifest's, mostly. No
// object goes on with it.
func (g *getter) leftInOrder() bool { return g.left != nil && g.left.InOrder() }

// openDescribed is openObject with what the origin's links say of the object.
func (g *getter) openDescribed(ctx context.Context) (*fetch.Object, error) {
	o, err := g.openObject(ctx)
	switch {
	case err != nil:
		if err := g.reconsider(ctx, err); err != nil {
			return nil, err
		}
	case g.leftInOrder() || !g.learn(ctx, o.Info()):
		return o, nil
	default:
		o.Close()
	}
	return g.openObject(ctx)
}

func (g *getter) openObject(ctx context.Context) (*fetch.Object, error) {
	g.c.prepare()
	left := g.left
	if g.leftInOrder() {
		left = nil
	}
	o, err := fetch.OpenObject(ctx, g.c.src, append([]Mirror{{URL: g.url}}, g.opts.Mirrors...), &fetch.ObjectOptions{
		Left:        left,
		Hashes:      g.hashes(),
		Checksums:   g.opts.Checksums,
		Told:        true,
		Pieces:      g.pieces,
		Size:        g.size,
		Connections: g.opts.Connections,
		PerHost:     g.c.Options.PerHost,
		MinRange:    g.opts.MinRange,
		RetryMax:    g.opts.RetryMax,
		Order:       g.opts.Order,
		Window:      g.window(),
		Agree:       g.opts.MirrorsAgree,
		Refreshed:   g.opts.Refreshed,
		Limited:     g.c.Options.Rate != nil,
		Events:      g.sink(),
		Blocks:      g.c.blocks,
	})
	if err != nil {
		return nil, err
	}
	unbounded := o.Info().Size < 0 && g.opts.Limits.FileSize > 0 && g.w == nil
	if !g.learned && len(g.opts.Mirrors) == 0 && g.follows(o.Info()) {
		o.Close()
		return nil, errMetalink
	}
	if unbounded || !g.learned && len(g.opts.Mirrors) == 0 && isManifest(g.url, o.Info()) {
		o.Close()
		return nil, errOrdered
	}
	return o, nil
}

// count takes what an object has cost.
func (g *getter) count(done *fetch.Done) {
	g.done.Stats = Stats{Parts: 1, Opens: done.Opens, Failures: done.Failures, Origins: done.Origins}
	g.done.Resumed, g.done.Fetched, g.done.Connections = done.Resumed, done.Fetched, done.Connections
}

// sumOf is the SHA-256 of an object, if that is wanted: it may have been computed for what is to be checked.
func (g *getter) sumOf(done *fetch.Done) []byte {
	if g.opts.NoDigest {
		return nil
	}
	return done.Digest(checksum.SHA256)
}

// download writes the object to file.
func (g *getter) download(o *fetch.Object, file *fetch.File) error {
	done, err := o.To(file)
	g.count(done)
	if err == nil {
		g.finished(file.Path(), done.Size, g.sumOf(done))
		return nil
	}
	if done.Size > 0 {
		g.done.Part, g.done.Bytes = file.Path()+fetch.Ext, done.Size
	}
	return err
}
