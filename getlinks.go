package spate

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"spate/format/checksum"
	"spate/format/metalink"
	"spate/source"
)

// maxDuplicates is how many mirrors are taken from an origin's word.
const maxDuplicates = 32

// learn takes what the origin's links say of the object (RFC 6249): where else it is, and where its digests are. It reports
// whether there was anything. It is no more than an offer: a description that cannot be read, or is of something else, is as
// none.
func (g *getter) learn(ctx context.Context, info source.Info) bool {
	if g.learned || len(g.opts.Mirrors) > 0 || len(info.Links) == 0 {
		return false
	}
	g.learned = true
	known := g.describedBy(ctx, info)
	for _, m := range duplicates(info.Links) {
		if !slices.ContainsFunc(g.opts.Mirrors, func(o Mirror) bool { return o.URL == m.URL }) {
			g.opts.Mirrors = append(g.opts.Mirrors, m)
		}
	}
	if len(g.opts.Mirrors) > 0 {
		g.hold(info)
	}
	return known || len(g.opts.Mirrors) > 0
}

// reconsider is for an object that is not what was begun, which is err: maybe that was begun by the Metalink file that the origin
// links to, or that it is. It is nil if something was learned, and err if there is nothing.
func (g *getter) reconsider(ctx context.Context, err error) error {
	if g.left == nil || g.learned || len(g.opts.Mirrors) > 0 || !errors.Is(err, source.ErrChanged) {
		return err
	}
	res, failed := g.c.src.Open(ctx, g.url, source.Range{Len: 1})
	if failed != nil {
		return err
	}
	res.Body.Close()
	switch {
	case g.follows(res.Info):
		g.left.Keep() // for who writes what the Metalink file describes
		g.left = nil
		return errMetalink
	case g.learn(ctx, res.Info):
		return nil
	}
	return err
}

// hold makes what the origin's answer has told a promise: a mirror that it names may be all that ever answers again.
func (g *getter) hold(info source.Info) {
	if g.size == nil && info.Size >= 0 {
		g.size = &info.Size
	}
	g.holdDigest(info)
}

// holdDigest makes the strongest digest that the origin's answer has told a promise, if there is none yet.
func (g *getter) holdDigest(info source.Info) {
	best, ok := checksum.Strongest(info.Digests)
	if ok && len(g.opts.Checksums) == 0 && checksum.Size(best.Algorithm) == len(best.Value) {
		g.opts.Checksums = []checksum.Sum{best}
	}
}

// duplicates are the mirrors that the links name, behind the origin itself.
func duplicates(links []source.Link) (all []Mirror) {
	const last = 1_000_000
	for _, l := range links {
		if l.Rel != source.RelDuplicate || len(all) == maxDuplicates {
			continue
		}
		m := Mirror{URL: l.URL, Priority: l.Pri}
		if l.Pri == 0 {
			m.Priority = last
		}
		if l.Preferred {
			m.Priority = 1
		}
		all = append(all, m)
	}
	return all
}

// describedIn is how long the description of an object may take, which waits for it.
const describedIn = 30 * time.Second

// describedBy reads the Metalink file that describes the object, and reports whether there is one.
func (g *getter) describedBy(ctx context.Context, info source.Info) bool {
	i := slices.IndexFunc(info.Links, func(l source.Link) bool {
		return l.Rel == source.RelDescribedBy && metalink.IsMetalink(l.URL, l.MediaType)
	})
	if i < 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, describedIn)
	defer cancel()
	about := &getter{c: g.c, url: info.Links[i].URL}
	doc, err := about.readMetalink(ctx)
	if err != nil {
		return false
	}
	f := fileOf(doc, lastElement(g.url))
	if f == nil || f.Size >= 0 && info.Size >= 0 && f.Size != info.Size {
		return false
	}
	g.promise(f)
	g.opts.Mirrors = about.mirrorsOf(f)
	g.opts.Mirrors = slices.DeleteFunc(g.opts.Mirrors, func(m Mirror) bool { return m.URL == g.url })
	return true
}

// fileOf is what the document says of the file of that name, or the only one that it has.
func fileOf(doc *metalink.Metalink, name string) *metalink.File {
	if len(doc.Files) == 1 {
		return &doc.Files[0]
	}
	i := slices.IndexFunc(doc.Files, func(f metalink.File) bool { return path.Base(f.Name) == name })
	if i < 0 {
		return nil
	}
	return &doc.Files[i]
}
