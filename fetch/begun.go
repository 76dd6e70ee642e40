package fetch

import (
	"context"
	"errors"
	"io"

	"spate/fetch/journal"
	"spate/format/span"
	"spate/sched"
	"spate/source"
)

// compared is how many ranges of what is there are fetched again, where nothing else proves that they are of what an
// origin has now; at most compareLen of each.
const (
	compared   = 3
	compareLen = journal.DefaultPieceSize
)

// checkBegun makes sure that what an answer tells is not said of another object than an earlier download has begun.
func (d *driver) checkBegun(a sched.Action, res *source.Resource) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opts.Left == nil || d.voided {
		return nil
	}
	h := &d.opts.Left.left.Header
	if res.Size >= 0 && res.Size != h.Size {
		return d.notBegun(a.Source, sizeOfBegun)
	}
	was, known := d.begunOf(a.Source)
	if isUnsized(res) && known && d.origins[a.Source].isToTell() {
		return d.refused(a, source.KindNetwork, noSizeNow)
	}
	if isNamed := known && res.NamesBytes() && res.HasValidatorOf(&was); isUnsized(res) && !isNamed {
		return d.notBegun(a.Source, noSizeOfBegun)
	}
	if contradict(res.Digests, h.Digests) {
		return d.notBegun(a.Source, "it is not what was begun: its digest header is another one")
	}
	if known && was.Validator != "" && res.Validator != "" && !res.HasValidatorOf(&was) {
		return d.notBegun(a.Source, "it is not what was begun: its validator is another one")
	}
	o := &d.origins[a.Source]
	o.doubtful = o.doubtful || !res.HasStrongValidator()
	return nil
}

const (
	sizeOfBegun   = "it has another size than what was begun"
	noSizeOfBegun = "it no longer tells its size, as it did when it was begun"
)

// A begunError is how an answer is not of what an earlier download has begun.
type begunError string

func (e begunError) Error() string { return string(e) }

func (d *driver) notBegun(src int, text string) error {
	return &source.Error{Op: "open", URL: d.mirrors[src].URL, Kind: source.KindChanged, Err: begunError(text)}
}

// begunOf is what a source told when the earlier download was begun, if that counts.
func (d *driver) begunOf(src int) (was source.Info, known bool) {
	o, known := d.opts.Left.left.Header.Origin(d.mirrors[src].URL)
	return source.Info{Validator: o.Validator}, known && !d.opts.Refreshed
}

// isLeftOf reports whether an earlier download has begun with a source, and knew its size. d.mu is held.
func (d *driver) isLeftOf(src int) bool {
	if d.opts.Left == nil || d.voided || d.opts.Left.left.Header.Size < 0 {
		return false
	}
	_, known := d.begunOf(src)
	return known
}

// mustCompare reports whether nothing but its bytes can tell whether a source has what an earlier download has begun, and that was not
// done. d.mu is held.
func (d *driver) mustCompare(src int) bool {
	o := &d.origins[src]
	if d.opts.Left == nil || d.opts.Pieces != nil || d.voided || o.same {
		return false
	}
	was, known := d.begunOf(src)
	return o.doubtful || !known || !was.HasStrongValidator() || d.opts.Left.isOfSeveral()
}

// compare makes sure that a source has what an earlier download has begun, where its validator will not tell: before a range is asked
// for, which would wait meanwhile, and by one connection, for which the others of the source wait.
func (d *driver) compare(ctx context.Context, session source.Session, src int) error {
	for {
		mine, done, err := d.mayCompare(src)
		switch {
		case mine:
			return d.compareAs(ctx, session, src)
		case done == nil:
			return err
		}
		select {
		case <-done:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// mayCompare makes the caller who compares; or says who does, which ends with done. With neither err is what has come of it.
func (d *driver) mayCompare(src int) (mine bool, done <-chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[src]
	switch {
	case !d.mustCompare(src):
		return false, nil, nil
	case o.differs != nil:
		return false, nil, o.differs
	case o.comparing != nil:
		return false, o.comparing, nil
	}
	o.comparing = make(chan struct{})
	return true, nil, nil
}

// compareAs compares, for all. Where what is there came from several mirrors, and is not what the first of them has, another that has it is
// none to go on with: it may be that which had other bytes.
func (d *driver) compareAs(ctx context.Context, session source.Session, src int) error {
	err := d.compareBytes(ctx, session, src)
	if errors.Is(err, source.ErrChanged) && d.opts.Left.isOfSeveral() && d.isPreferred(src) {
		d.finish(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[src]
	close(o.comparing)
	o.comparing, o.same = nil, err == nil
	if errors.Is(err, source.ErrChanged) || errors.Is(err, source.ErrCorrupt) { // any other error may be gone the next time
		o.differs = err
	}
	return err
}

// isPreferred reports whether a source is the first of the best priority.
func (d *driver) isPreferred(src int) bool { return src == preferred(d.mirrors) }

// compareBytes fetches some of what is there once more. Before others are taken for wrong by it, so is some of what it gave itself.
func (d *driver) compareBytes(ctx context.Context, session source.Session, src int) error {
	there := d.opts.Left.toCompare()
	picked := journal.Pick(there, compared, nil)
	if end := there[len(there)-1].End; d.opts.Left.isOfSeveral() { // nothing behind it would tell
		picked = append(picked, journal.Range{Span: span.Span{Off: max(end-seamLen, there[len(there)-1].Off), End: end}})
	}
	wrong, err := d.compareRanges(ctx, session, src, picked)
	if err == nil && len(wrong) > 0 {
		_, err = d.compareRanges(ctx, session, src, journal.Pick(d.ownOf(src), compared, nil))
	}
	if err == nil || errors.Is(err, source.ErrCorrupt) {
		d.disown(wrong)
	}
	return err
}

// compareRanges says whose bytes in some ranges are not those of the source; its error is that of a source that has not what was begun.
func (d *driver) compareRanges(ctx context.Context, session source.Session, src int, ranges []journal.Range) (wrong []int, err error) {
	for _, x := range ranges {
		of, err := d.compareRange(ctx, session, src, span.Span{Off: x.Off, End: x.Off + min(x.Len(), compareLen)})
		wrong = append(wrong, of...)
		if err != nil {
			return wrong, err
		}
	}
	return wrong, nil
}

// compareRange is compareRanges of one.
func (d *driver) compareRange(ctx context.Context, session source.Session, src int, x span.Span) (wrong []int, err error) {
	url, a := d.mirrors[src].URL, sched.Action{Source: src}
	res, err := session.Open(ctx, url, source.Range{Off: x.Off, Len: x.Len()})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch size := d.opts.Left.left.Header.Size; {
	case res.Size >= 0 && res.Size != size:
		return nil, d.notBegun(a.Source, sizeOfBegun)
	case isUnsized(res) && d.mayTellIt(src):
		return nil, d.refused(a, source.KindNetwork, noSizeNow)
	case isUnsized(res):
		return nil, d.notBegun(a.Source, noSizeOfBegun)
	case res.Off != x.Off:
		return nil, d.noRange(a)
	case res.Len == 0:
		return nil, d.refused(a, source.KindProtocol, nextToNothing)
	case res.Len > 0: // it may give so much at once and no more
		x.End = x.Off + min(x.Len(), res.Len)
	}
	there, now := make([]byte, x.Len()), make([]byte, x.Len())
	if _, err := io.ReadFull(res.Body, now); err != nil {
		return nil, &source.Error{Op: "read", URL: url, Kind: source.KindNetwork, Err: err}
	}
	if _, err = d.opts.Left.ReadAt(there, x.Off); err != nil {
		return nil, err
	}
	return d.meetBegun(src, x.Off, there, now)
}
