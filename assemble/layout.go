package assemble

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"spate/format/manifest"
	"spate/format/span"
	"spate/internal/redact"
	"spate/source"
)

// A Layout tells of a manifest, and those inside it, which bytes of its stream are where, so that they can be had from
// any offset. It holds as long as the manifests do not change.
type Layout struct {
	Info    source.Info // of the manifest; its Size is that of the stream
	Extents []Extent    // in stream order; they touch, and none is empty

	texts []text // of the manifest and those inside it, in stream order
}

// A text is a manifest that was read.
type text struct {
	to   target
	info source.Info
	sum  [sha256.Size]byte
}

// An Extent is a part that is data.
type Extent struct {
	Span      span.Span // in the stream
	Mirrors   []Mirror  // its alternatives, from the first that works on
	Validator string    // that Mirrors[0] told; "" where it was not asked
	Digest    []byte    // SHA-256 of the part, as promised; nil: it was not
	Cacheable bool      // marked (*)
	Manifest  string    // the URL of the manifest that lists the part
	Line      int       // of the part's first line in it
}

// A Mirror is an alternative that is data, as far as is known.
type Mirror struct {
	URL     string // absolute, without a fragment
	Vouched bool   // a local manifest names its host, see [source.Vouch]
}

// ErrNoLayout is the error of a manifest whose stream can be read in order alone.
var ErrNoLayout = errors.New("it can be read in order alone")

// LayoutOptions of [Lay]. The zero value, and nil, mean the defaults.
type LayoutOptions struct {
	AtOnce   int   // requests at the same time; 0: 16
	MaxParts int   // of all manifests together; 0: 65,536
	MaxText  int64 // bytes of all manifests together; 0: 64 MiB
	MaxDepth int   // manifests inside manifests; 0: 64
}

func (o *LayoutOptions) withDefaults() LayoutOptions {
	var v LayoutOptions
	if o != nil {
		v = *o
	}
	v.AtOnce = cmp.Or(v.AtOnce, 16)
	v.MaxParts = cmp.Or(v.MaxParts, 1<<16)
	v.MaxText = cmp.Or(v.MaxText, 64<<20)
	v.MaxDepth = cmp.Or(v.MaxDepth, 64)
	return v
}

// Lay reads the manifest at url, and those inside it, and asks for the size of each part of which none is promised: for
// the first byte of its alternatives in order, until one answers. Parts are asked for side by side.
//
// The error wraps [ErrNoLayout] where a part does not tell its size, where a manifest contains itself and so has no end,
// and where there is more than the options allow: the stream can still be read in order. A part without an alternative that
// works is a [*PartError]. Of an alternative that is a manifest, the whole of what it stands for is laid out; the part's
// others are then tried only where that fails.
func Lay(ctx context.Context, src source.Source, url string, opts *LayoutOptions) (*Layout, error) {
	v := opts.withDefaults()
	l := &surveyor{src: src, opts: v, slots: make(chan struct{}, v.AtOnce)}
	root, err := resolveTarget("", url)
	if err != nil {
		return nil, err
	}
	root.vouched = source.IsVouched(ctx)
	piece, err := l.document(ctx, root, nil)
	if err != nil {
		return nil, err
	}
	lay := &Layout{Info: piece.texts[0].info, texts: piece.texts}
	for _, e := range piece.extents {
		if e.Span.Empty() {
			continue
		}
		size := e.Span.Len()
		e.Span = span.Span{Off: lay.end(), End: lay.end() + size}
		if e.Span.End < e.Span.Off {
			return nil, noLayout(url, "they sum up to more than there are offsets")
		}
		lay.Extents = append(lay.Extents, e)
	}
	lay.Info.Size, lay.Info.Seekable = lay.end(), true
	return lay, nil
}

func (l *Layout) end() int64 {
	if len(l.Extents) == 0 {
		return 0
	}
	return l.Extents[len(l.Extents)-1].Span.End
}

// At is the index of the extent that has the byte at off, which must be one of the stream.
func (l *Layout) At(off int64) int {
	i, _ := slices.BinarySearchFunc(l.Extents, off, func(e Extent, off int64) int {
		if e.Span.End <= off {
			return -1
		}
		return 1
	})
	return i
}

// A surveyor finds out what manifests stand for.
type surveyor struct {
	src   source.Source
	opts  LayoutOptions
	slots chan struct{} // one for each request
	parts atomic.Int64  // so far
	text  atomic.Int64  // bytes of manifests so far
}

// A stretch is what a manifest or a part stands for. The spans of its extents begin at 0.
type stretch struct {
	texts   []text // none: it is data
	extents []Extent
}

// A nest is the manifests that something is inside of.
type nest struct {
	up    *nest
	url   string // as it is listed
	final string // where that led
	depth int
}

func (n *nest) has(url string) bool {
	for ; n != nil; n = n.up {
		if n.url == url || n.final == url {
			return true
		}
	}
	return false
}

// document lays out the manifest to, which stands in those of up.
func (l *surveyor) document(ctx context.Context, to target, up *nest) (*stretch, error) {
	in := &nest{up: up, url: to.url, depth: 1}
	if up != nil {
		in.depth += up.depth
	}
	switch {
	case up.has(to.url):
		return nil, noLayout(to.url, "it contains itself")
	case in.depth > l.opts.MaxDepth:
		return nil, noLayout(to.url, "there are more than %d manifests inside each other", l.opts.MaxDepth)
	}
	read, parts, err := l.read(ctx, to)
	if err != nil {
		return nil, err
	}
	in.final = read.info.URL
	doc := &document{to: to, info: read.info}
	pieces := make([]*stretch, len(parts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(l.opts.AtOnce)
	for i, p := range parts {
		g.Go(func() (err error) {
			pieces[i], err = l.part(ctx, newCont(nil, doc, p), in)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	whole := &stretch{texts: []text{*read}}
	for _, p := range pieces {
		whole.texts, whole.extents = append(whole.texts, p.texts...), append(whole.extents, p.extents...)
	}
	return whole, nil
}

func noLayout(url, why string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", redact.URL(url), ErrNoLayout, fmt.Sprintf(why, args...))
}

// read reads all parts of the manifest to, within a slot.
func (l *surveyor) read(ctx context.Context, to target) (*text, []manifest.Part, error) {
	res, done, err := l.open(ctx, to, source.From(0))
	if err != nil {
		return nil, nil, err
	}
	defer done()
	if !manifest.IsManifest(to.url, "") && !manifest.IsManifest(res.URL, res.MediaType) {
		return nil, nil, &source.Error{Op: "open", URL: to.url, Kind: source.KindChanged, Err: errors.New("it is no manifest any more")}
	}
	var parts []manifest.Part
	h := sha256.New()
	d := manifest.NewDecoder(io.TeeReader(counting{res.Body, l}, h))
	for {
		p, err := d.Next()
		switch {
		case err == io.EOF:
			t := &text{to: to, info: res.Info}
			h.Sum(t.sum[:0])
			return t, parts, nil
		case err != nil:
			return nil, nil, fmt.Errorf("read %s: %w", redact.URL(to.url), err)
		case l.parts.Add(1) > int64(l.opts.MaxParts):
			return nil, nil, noLayout(to.url, "there are more than %d parts", l.opts.MaxParts)
		}
		parts = append(parts, p)
	}
}

// Holds reads the manifests again, and reports whether they are what they were.
func (l *Layout) Holds(ctx context.Context, src source.Source, opts *LayoutOptions) (bool, error) {
	v := opts.withDefaults()
	again := &surveyor{src: src, opts: v, slots: make(chan struct{}, v.AtOnce)}
	var changed atomic.Bool
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(v.AtOnce)
	for _, t := range l.texts {
		g.Go(func() error {
			now, _, err := again.read(ctx, t.to)
			if err == nil && (now.sum != t.sum || now.info.URL != t.info.URL) {
				changed.Store(true)
			}
			return err
		})
	}
	err := g.Wait()
	return err == nil && !changed.Load(), err
}

// counting bounds what is read of all manifests together.
type counting struct {
	r io.Reader
	l *surveyor
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.l.text.Add(int64(n)) > c.l.opts.MaxText {
		return 0, fmt.Errorf("%w: the manifests have more than %d bytes", ErrNoLayout, c.l.opts.MaxText)
	}
	return n, err
}

// open opens to within a slot; done closes it and gives the slot back.
func (l *surveyor) open(ctx context.Context, to target, rng source.Range) (res *source.Resource, done func(), err error) {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	if res, err = l.src.Open(to.context(ctx), to.url, rng); err != nil {
		<-l.slots
		return nil, nil, err
	}
	return res, func() { res.Body.Close(); <-l.slots }, nil
}

// part lays out the first alternative of c's part that works.
func (l *surveyor) part(ctx context.Context, c *cont, in *nest) (*stretch, error) {
	var errs []error
	for i, line := range c.part.Alternatives {
		to, err := c.resolve(line)
		if err == nil {
			var piece *stretch
			if piece, err = l.alternative(ctx, to, in); err == nil {
				l.complete(piece, c, i)
				return piece, nil
			}
		}
		if ctx.Err() != nil || errors.Is(err, ErrNoLayout) {
			return nil, err
		}
		errs = append(errs, err)
	}
	return nil, &PartError{Manifest: c.base(), Line: c.part.Line, Errs: errs}
}

// complete says of piece, where it is data, which part of a manifest it is.
func (l *surveyor) complete(piece *stretch, c *cont, alternative int) {
	if len(piece.texts) > 0 {
		return
	}
	e := &piece.extents[0]
	e.Cacheable, e.Manifest, e.Line = c.part.Cacheable, c.base(), c.part.Line
	for _, line := range c.part.Alternatives[alternative+1:] {
		to, err := c.resolve(line)
		if err != nil || manifest.IsManifest(to.url, "") || to.size >= 0 && to.size != e.Span.Len() {
			continue
		}
		e.Mirrors = append(e.Mirrors, Mirror{to.url, to.vouched})
		if e.Digest == nil {
			e.Digest = to.digest
		}
	}
}

// alternative lays to out: as a manifest, or as one extent.
func (l *surveyor) alternative(ctx context.Context, to target, in *nest) (*stretch, error) {
	if manifest.IsManifest(to.url, "") {
		return l.inside(ctx, to, in)
	}
	size, validator := to.size, ""
	if size < 0 {
		res, done, err := l.open(ctx, to, source.Range{Len: 1})
		if err != nil {
			return nil, err
		}
		done()
		if manifest.IsManifest(res.URL, res.MediaType) {
			return l.inside(ctx, to, in)
		}
		if size, validator = res.Size, res.Validator; size < 0 {
			return nil, noLayout(to.url, "its size is not known")
		}
	}
	return &stretch{extents: []Extent{{
		Span: span.Span{End: size}, Mirrors: []Mirror{{to.url, to.vouched}}, Validator: validator, Digest: to.digest,
	}}}, nil
}

// inside lays out the manifest to. Nothing can be promised of one.
func (l *surveyor) inside(ctx context.Context, to target, in *nest) (*stretch, error) {
	if to.digest != nil || to.size >= 0 {
		return nil, &source.Error{Op: "open", URL: to.url, Kind: source.KindCorrupt,
			Err: errors.New("something is promised of it, and it is a manifest")}
	}
	return l.document(ctx, to, in)
}
