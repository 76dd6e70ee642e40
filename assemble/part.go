package assemble

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"

	"spate/event"
	"spate/format/manifest"
	"spate/internal/redact"
	"spate/source"
)

var (
	errDigest           = errors.New("the bytes do not have the promised SHA-256")
	errPromisedDocument = errors.New("it is a manifest: the SHA-256 or size that is promised of it cannot be checked")

	errOtherDigest = errors.New("it promises another SHA-256 than what was read so far")
)

// openFirst is openPart for a leaf of which nothing was asked for yet; turn is nil for one that must not be cached.
func (o *opener) openFirst(ctx context.Context, l *Leaf, turn *ticket) {
	defer turn.settle()
	if l.resumed != nil {
		if err := l.resumed.tally(ctx, &l.t, l.promised); err != nil {
			o.failed(l, err)
			return
		}
		l.size, l.mixed, l.unlike = -1, true, true
	}
	if turn != nil && (turn.wait(ctx) != nil || !l.c.resumed && o.joinAny(ctx, l)) {
		return
	}
	o.openPart(ctx, l)
}

// openPart opens the first of the leaf's untried alternatives that answers, from l.t.off on. It leaves the leaf with a
// stock, with a doc, or, where none answers or ctx ends, with neither.
func (o *opener) openPart(ctx context.Context, l *Leaf) {
	l.stock, l.doc = nil, nil
	for l.next < len(l.c.part.Alternatives) {
		i := l.next
		if i+1 == l.spent {
			l.next++
			continue
		}
		to, err := l.c.resolve(l.c.part.Alternatives[i])
		if err == nil {
			err = o.openAlternative(ctx, l, to)
		}
		if ctx.Err() != nil || err == errForWalker {
			return
		}
		l.next++
		if err == nil {
			l.mixed = l.mixed || l.t.off > 0 && l.cur != i
			l.cur = i
			return
		}
		o.failed(l, err)
	}
}

// failed records why an alternative is given up.
func (o *opener) failed(l *Leaf, err error) {
	l.errs = appendError(l.errs, err)
	o.failures.Add(1)
	e := l.c.locate(event.Event{Type: event.Failed, Off: l.t.off, Error: err.Error(), Kind: kindOf(err)})
	if se, ok := errors.AsType[*source.Error](err); ok {
		e.URL = redact.URL(se.URL)
	}
	o.opts.emit(e)
}

// maxErrors bounds what is kept of the reasons why a part's alternatives fail.
const maxErrors = 64

// appendError keeps the first errors, and of the others the last; and one that is not that there is no such thing.
func appendError(errs []error, err error) []error {
	if len(errs) < maxErrors {
		return append(errs, err)
	}
	last := errs[maxErrors-1]
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(last, fs.ErrNotExist) {
		return errs
	}
	errs = slices.Clone(errs)
	errs[maxErrors-1] = err
	return errs
}

func kindOf(err error) string {
	switch { // among others that are in err too
	case errors.Is(err, source.ErrCorrupt):
		return source.KindCorrupt.String()
	case errors.Is(err, source.ErrChanged):
		return source.KindChanged.String()
	}
	return source.KindOf(err).String()
}

// joinAny serves the leaf from the memo, under whichever of its URLs.
func (o *opener) joinAny(ctx context.Context, l *Leaf) bool {
	for i, line := range l.c.part.Alternatives {
		to, err := l.c.resolve(line)
		if err != nil || !o.memo.has(to.url) {
			continue
		}
		l.begin(to)
		if j, _ := o.memo.join(ctx, to, l, true); j != nil {
			l.cur = i
			l.readJoined(j)
			return true
		}
	}
	return false
}

// readJoined makes j what the leaf is read from.
func (l *Leaf) readJoined(j *joined) {
	l.stock, l.cached = j, !j.adopted
	if l.t.off == 0 && !j.f.mayGoOn {
		l.t.hasCRC = true
	}
}

// begin makes the leaf one of which nothing was read, about to be read from to.
func (l *Leaf) begin(to target) {
	if l.promised {
		l.direct = 0 // a digest is of all bytes
	}
	l.t.restart(l.direct == 0 && l.next+1 < len(l.c.part.Alternatives), l.promised)
	l.t.off = l.direct
	l.digest, l.size, l.mixed = to.digest, -1, false
}

// errForWalker says that an alternative is not for who fetches a part that has begun: it is a manifest, or the part
// has to be read from its first byte, so that what comes can be compared. The walker tries it, once the part is the head.
var errForWalker = errors.New("an alternative for the walker")

// openAlternative opens to from where the part is.
func (o *opener) openAlternative(ctx context.Context, l *Leaf, to target) error {
	if l.t.off > l.direct {
		return o.openFurther(ctx, l, to)
	}
	l.begin(to)
	if manifest.IsManifest(to.url, "") {
		to.host = "" // manifests take no slots
	} else if to.peek = l.peek; l.c.part.Cacheable && !l.peek {
		if done, err := o.openKept(ctx, l, to); done {
			return err
		}
	}
	o.tell(l, to)
	p, err := o.open(ctx, to, &l.t, -1, l.spot)
	if l.direct > 0 && errors.Is(err, errNoRange) {
		if l.pipe != nil { // the reader counts on what it was told
			l.whole = true
			return errForWalker
		}
		l.direct = 0
		l.begin(to)
		p, err = o.open(ctx, to, &l.t, -1, l.spot)
	}
	if err != nil {
		return err
	}
	return o.use(ctx, l, p)
}

// openFurther opens to for a part of which other alternatives gave the beginning.
func (o *opener) openFurther(ctx context.Context, l *Leaf, to target) error {
	if manifest.IsManifest(to.url, "") {
		return errForWalker
	}
	if to.digest != nil && l.digest != nil && !bytes.Equal(to.digest, l.digest) {
		return &source.Error{Op: "open", URL: to.url, Kind: source.KindChanged, Err: errOtherDigest}
	}
	if l.c.part.Cacheable && !l.unlike {
		if done, err := o.openKept(ctx, l, to); done {
			if err == nil {
				l.promise(to)
			}
			return err
		}
	}
	o.tell(l, to)
	p, err := o.open(ctx, to, &l.t, l.size, l.spot)
	switch {
	case errors.Is(err, errShrunk) && o.isDocument(ctx, l, to):
		return errForWalker
	case errors.Is(err, errNoRange):
		l.whole = true
		return errForWalker
	case err != nil:
		return err
	case isDocument(p):
		p.Close()
		return errForWalker
	}
	if l.unlike {
		if err := l.resumed.check(ctx, o, p); err != nil {
			p.Close()
			return err
		}
		l.unlike = false
	}
	l.promise(to)
	return o.use(ctx, l, p)
}

// promise notes what is promised of to, from which the leaf is read on.
func (l *Leaf) promise(to target) {
	if to.digest != nil {
		l.digest = to.digest
	}
}

// isDocument looks at the beginning of an alternative that ends before where the part is: a manifest may well be
// shorter than what it stands for.
func (o *opener) isDocument(ctx context.Context, l *Leaf, to target) bool {
	p, err := o.open(ctx, to, &tally{}, -1, l.spot)
	if err != nil {
		return false
	}
	defer p.Close()
	return isDocument(p)
}

// openKept serves the leaf through the memo: from what that has or is asking for; or, from the first byte on, by
// having it ask. It reports false where the leaf has to open to by itself.
func (o *opener) openKept(ctx context.Context, l *Leaf, to target) (done bool, err error) {
	j, err := o.memo.join(ctx, to, l, false)
	if j == nil && err == nil && l.t.off == 0 {
		o.tell(l, to)
		var p *pull
		if j, p, err = o.memo.fetch(ctx, to, l); p != nil {
			p.t = &l.t
			return true, o.use(ctx, l, p)
		}
	}
	if j != nil {
		l.readJoined(j)
	}
	return j != nil || err != nil, err
}

func isDocument(p *pull) bool {
	return manifest.IsManifest(p.to.url, "") || manifest.IsManifest(p.first.URL, p.first.MediaType)
}

// use makes an opened pull what the leaf is read from.
func (o *opener) use(ctx context.Context, l *Leaf, p *pull) error {
	if isDocument(p) {
		if p.to.digest != nil || p.to.size >= 0 {
			p.Close()
			return p.fault("open", source.KindCorrupt, errPromisedDocument)
		}
		p.dropSlot()
		if err := p.fromStart(ctx); err != nil {
			return err
		}
		l.doc = p
		return nil
	}
	l.stock, l.cached, l.size = p, false, p.size
	if l.t.off == 0 && !p.mayGoOn() {
		l.t.hasCRC = true
	}
	return nil
}
