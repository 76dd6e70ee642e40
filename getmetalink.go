package spate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	neturl "net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"spate/fetch"
	"spate/format/checksum"
	"spate/format/metalink"
	"spate/source"
)

var (
	errSeveral  = errors.New("a Metalink file of several files, which cannot all be one output")
	errIndirect = errors.New("a Metalink file that names no URL of a file, but others that describe it (metaurl), which are not followed")
	errLocal    = errors.New("a Metalink file that is not local names nothing but local files")
)

// MetalinkMode says whether what is at a URL is a Metalink file, of which the files that it describes are fetched.
type MetalinkMode int

// The modes. MetalinkAuto goes by the name of the URL, .meta4 or .metalink, and by what its origin calls it.
const (
	MetalinkAuto MetalinkMode = iota
	MetalinkOn
	MetalinkOff
)

// errMetalink is why what was opened is not the file that is meant.
var errMetalink = errors.New("it is a Metalink file")

// follows reports whether what is at the URL is a Metalink file, as far as its name and info tell.
func (g *getter) follows(info source.Info) bool {
	auto := metalink.IsMetalink(g.url, info.MediaType) || metalink.IsMetalink(info.URL, info.MediaType)
	return g.opts.Metalink == MetalinkOn || g.opts.Metalink == MetalinkAuto && auto
}

// metalink fetches the files that a Metalink file describes.
func (g *getter) metalink(ctx context.Context) error {
	doc, err := g.readMetalink(ctx)
	if err != nil {
		return err
	}
	if (g.path != "" || g.w != nil) && len(doc.Files) > 1 {
		return &source.Error{Op: "get", URL: g.url, Kind: source.KindProtocol, Err: errSeveral}
	}
	var errs []error
	names := describedNames(doc.Files)
	for i := range doc.Files {
		if err := g.described(ctx, &doc.Files[i], names[i]); err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// describedAhead is how much of a Metalink file is read ahead: what cannot be read as fast as it comes need not be held.
const describedAhead = 1 << 20

func (g *getter) readMetalink(ctx context.Context) (*metalink.Metalink, error) {
	s, err := g.c.open(ctx, g.url, call{events: g.sink(), ahead: describedAhead})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	doc, err := metalink.Decode(s)
	if err != nil {
		return nil, &source.Error{Op: "read", URL: g.url, Kind: source.KindProtocol, Err: cmp.Or(readError(err), err)}
	}
	return doc, nil
}

// readError is err without what says the URL, which comes from the stream, a second time; nil if it is none of the stream's.
func readError(err error) error {
	if e, ok := errors.AsType[*source.Error](err); ok {
		return e.Err
	}
	return nil
}

// describedNames are names for files of one Metalink file, each one element of a path: the last of the name that it has there. Where that
// is another one's, or would be written to as FILE.part of it, it is all of the path, with a number if need be. Upper and lower case are
// the same, as some file systems have it.
func describedNames(files []metalink.File) []string {
	var names []string
	taken, numbers := map[string]bool{}, map[string]int{}
	isFree := func(name string) bool {
		name = strings.ToLower(name)
		return !taken[name] && !taken[name+fetch.Ext] && !taken[strings.TrimSuffix(name, fetch.Ext)]
	}
	for _, f := range files {
		name := cmp.Or(safeName(path.Base(f.Name)), defaultName)
		if !isFree(name) {
			name = cmp.Or(safeName(f.Name), defaultName)
		}
		for base := name; !isFree(name); name = fmt.Sprintf("%s.%d", base, numbers[base]) {
			numbers[base]++
		}
		taken[strings.ToLower(name)] = true
		names = append(names, name)
	}
	return names
}

// described fetches one file of a Metalink file, which is called name if nothing else is said.
func (g *getter) described(ctx context.Context, f *metalink.File, name string) error {
	one := &getter{c: g.c, opts: g.opts, path: g.path, w: g.w}
	one.opts.Checksums = slices.Clone(g.opts.Checksums) // each file has its own
	one.opts.Sequence, one.opts.MirrorsAgree, one.opts.Metalink = SeqOff, false, MetalinkOff
	if one.path == "" && one.w == nil {
		one.path = filepath.Join(g.opts.Dir, name)
	}
	if err := g.share(one, f.Size); err != nil {
		return err
	}
	mirrors := g.mirrorsOf(f)
	switch {
	case len(f.URLs) == 0:
		return &source.Error{Op: "get", URL: g.url, Kind: source.KindProtocol, Err: errIndirect}
	case len(mirrors) == 0:
		return &source.Error{Op: "get", URL: g.url, Kind: source.KindRefused, Err: errLocal}
	}
	one.url, one.opts.Mirrors = mirrors[0].URL, mirrors[1:]
	one.promise(f)
	if g.plan != nil {
		return g.planDescribed(ctx, one)
	}
	err := one.skipped(one.single(ctx))
	g.done.add(&one.done)
	return err
}

// share leaves one file, of size bytes if that is not below 0, what the files before it have left of the limit for all. The size is a
// promise: a file that fits by it need not be read in order, which is done without mirrors.
func (g *getter) share(one *getter, size int64) error {
	l := &one.opts.Limits
	if l.Bytes <= 0 {
		return nil
	}
	l.whole, l.Bytes = l.Bytes, l.Bytes-g.done.Bytes
	switch {
	case size >= 0 && size <= l.Bytes:
		l.Bytes = 0
	case l.Bytes <= 0:
		return OverLimit(counted(l.whole, "byte"))
	}
	return nil
}

// mirrorsOf are the mirrors of f, but for those that what is remote may not name.
func (g *getter) mirrorsOf(f *metalink.File) (all []Mirror) {
	local := strings.HasPrefix(g.url, "file:")
	for _, m := range f.Mirrors() {
		u, err := neturl.Parse(m.URL)
		if err == nil && (local || u.Scheme != "file") {
			all = append(all, Mirror{URL: m.URL, Priority: m.Priority})
		}
	}
	return all
}

// promise takes what the Metalink file says of the bytes, as far as it can be checked.
func (g *getter) promise(f *metalink.File) {
	for _, h := range f.Hashes {
		if name, err := checksum.Name(h.Algorithm); err == nil {
			g.opts.Checksums = append(g.opts.Checksums, checksum.Sum{Algorithm: name, Value: h.Value})
		}
	}
	if p := f.Pieces; p != nil && p.Known() {
		if name, err := checksum.Name(p.Algorithm); err == nil {
			g.pieces = &fetch.Pieces{Length: p.Length, Algorithm: name, Sums: p.Values}
		}
	}
	if f.Size >= 0 {
		g.size = &f.Size
	}
}

// add adds what was done for one of several files.
func (r *Result) add(one *Result) {
	if r.Files > 0 || r.Bytes > 0 {
		r.SHA256 = nil
	} else {
		r.SHA256 = one.SHA256
	}
	r.Paths = append(r.Paths, one.Paths[:min(len(one.Paths), maxPaths-len(r.Paths))]...)
	r.Part = cmp.Or(r.Part, one.Part)
	r.Files, r.Bytes = r.Files+one.Files, r.Bytes+one.Bytes
	r.Resumed, r.Fetched = r.Resumed+one.Resumed, r.Fetched+one.Fetched
	r.Skipped = append(r.Skipped, one.Skipped[:min(len(one.Skipped), maxPaths-len(r.Skipped))]...)
	r.Connections = max(r.Connections, one.Connections)
	r.Stats.Parts, r.Stats.Opens = r.Stats.Parts+one.Stats.Parts, r.Stats.Opens+one.Stats.Opens
	r.Stats.Failures, r.Stats.Origins = r.Stats.Failures+one.Stats.Failures, one.Stats.Origins
}
