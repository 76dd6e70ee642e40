package assemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"spate/source"
)

var errDocument = errors.New("it is a manifest now")

// errFailed ends the pipe of a leaf that its own alternatives cannot finish.
var errFailed = errors.New("the part's own alternatives do not finish it")

// verify checks a whole part against what was promised of it.
func (l *Leaf) verify() error {
	if l.digest == nil || bytes.Equal(l.t.sha.Sum(nil), l.digest) {
		return nil
	}
	return &source.Error{Op: "read", URL: l.stock.info().URL, Kind: source.KindCorrupt, Err: errDigest}
}

// failover goes on with the leaf after its stock has failed. It reports false if the walker has to go on: there is no
// alternative left, or the next one is a manifest, or the reader has seen bytes that are wrong.
func (r *Reader) failover(ctx context.Context, l *Leaf, cause error) bool {
	l.stock.Close()
	corrupt := errors.Is(cause, errDigest) && l.digest != nil
	if j, ok := l.stock.(*joined); ok && !corrupt {
		err := r.goOnWithout(ctx, l, j)
		if err == nil {
			return true
		}
		cause = fmt.Errorf("%w; then %w", cause, err)
	}
	r.o.failed(l, cause)
	if corrupt && !r.beginAnew(l) {
		return false
	}
	r.o.openPart(ctx, l)
	if l.doc != nil { // for the walker, when the leaf is the head
		l.doc.Close()
		l.doc = nil
		l.next--
	}
	if l.stock == nil {
		return false
	}
	r.served(l.stock.info().URL)
	return true
}

// goOnWithout opens what the leaf joined and what then broke, from where the leaf is, for the leaf alone. It must be
// what the fill was of; unless nothing was read of it and it was fetched for others, whose promises it may not have kept.
func (r *Reader) goOnWithout(ctx context.Context, l *Leaf, j *joined) error {
	l.stock = nil
	to, err := resolveTarget(l.c.base(), l.c.part.Alternatives[l.cur])
	switch {
	case err != nil:
		return err
	case l.t.off == 0 && !j.adopted:
		return r.openAgain(ctx, l, to)
	}
	p := &pull{o: r.o, pos: l.spot, to: to, t: &l.t, size: j.size, first: j.info()}
	if err := p.reopen(ctx); err != nil {
		return err
	}
	return r.o.use(ctx, l, p)
}

// openAgain opens an alternative of which the leaf has read nothing. It was data before.
func (r *Reader) openAgain(ctx context.Context, l *Leaf, to target) error {
	err := r.o.openAlternative(ctx, l, to)
	if err != nil || l.doc == nil {
		return err
	}
	l.doc.Close()
	l.doc = nil
	return &source.Error{Op: "open", URL: to.url, Kind: source.KindChanged, Err: errDocument}
}

// beginAnew sets the leaf back to its first byte. What was read from several alternatives is read once more from the
// last of them alone: it may be the others that are corrupt.
func (r *Reader) beginAnew(l *Leaf) bool {
	if l.mixed {
		l.next = l.cur
		l.mixed = false
	}
	if !r.rewindPipe(l) {
		l.again = true
		return false
	}
	l.t.off, l.direct = 0, 0
	return true
}
