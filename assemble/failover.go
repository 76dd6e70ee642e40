package assemble

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"spate/source"
)

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
	j, isJoined := l.stock.(*joined)
	if isJoined && !corrupt && l.t.off == 0 && !j.adopted {
		l.next = min(l.next, l.cur) // it was fetched for others, whose promises it may not have kept
		return r.openNext(ctx, l)
	}
	if isJoined && !corrupt {
		err := r.goOnWithout(ctx, l, j)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		l.spent = l.cur + 1
		cause = fmt.Errorf("%w; then %w", cause, err)
	}
	r.o.failed(l, cause)
	if corrupt && !r.beginAnew(l) {
		return false
	}
	return r.openNext(ctx, l)
}

// openNext opens the next alternative that is data. It reports false if there is none before one for the walker.
func (r *Reader) openNext(ctx context.Context, l *Leaf) bool {
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
// what the fill was of.
func (r *Reader) goOnWithout(ctx context.Context, l *Leaf, j *joined) error {
	l.stock = nil
	to, err := l.c.resolve(l.c.part.Alternatives[l.cur])
	if err != nil {
		return err
	}
	p := &pull{o: r.o, position: l.spot, to: to, t: &l.t, size: j.size, first: j.info()}
	if err := p.reopen(ctx); err != nil {
		return err
	}
	return r.o.use(ctx, l, p)
}

// beginAnew sets the leaf back to its first byte. What was read from several alternatives is read once more from the
// last of them alone: it may be the others that are corrupt.
func (r *Reader) beginAnew(l *Leaf) bool {
	if l.mixed {
		l.next = l.cur
		l.mixed = false
	}
	if !r.rewindPipe(l) {
		l.wrong = true
		return false
	}
	l.t.off, l.direct = 0, 0
	return true
}
