package fetch

import (
	"errors"
	"math"

	"spate/event"
	"spate/format/checksum"
	"spate/format/span"
	"spate/internal/redact"
	"spate/sched"
	"spate/source"
)

var errLeft = errors.New("a stream goes on with nothing")

// check tells what of the options makes no sense, or not together.
func (o *ObjectOptions) check(url string) error {
	if _, err := o.digests(nil); err != nil {
		return err
	}
	if o.Pieces != nil {
		if err := o.Pieces.check(); err != nil {
			return err
		}
	}
	if o.Left == nil {
		return nil
	}
	if o.Window > 0 {
		return errLeft
	}
	begun := &o.Left.left.Header
	text := o.breaks(&source.Info{Size: begun.Size, Digests: begun.Digests})
	if begun.Pieces && o.Pieces == nil {
		text = "what was begun is to be checked by the digests of its pieces, which are not known now"
	}
	if text != "" {
		return &source.Error{Op: "resume", URL: url, Kind: source.KindChanged, Err: errors.New(text)}
	}
	return nil
}

// digests are those to compute and to verify, nil where none is; told are what origins say. Of these are verified those that are
// computed anyway, and where none of them is secure, the strongest as well.
func (o *ObjectOptions) digests(told []checksum.Sum) (*checksum.Set, error) {
	if len(o.Hashes)+len(o.Checksums) == 0 && !(o.Told && len(told) > 0) {
		return nil, nil
	}
	set := new(checksum.Set)
	for _, name := range o.Hashes {
		if err := set.Compute(name); err != nil {
			return nil, err
		}
	}
	for _, sum := range o.Checksums {
		if err := set.Expect(sum); err != nil {
			return nil, err
		}
	}
	isSafe := false
	for _, sum := range told {
		if _, ok := set.Sum(sum.Algorithm); !ok {
			continue
		}
		if err := set.Expect(sum); err != nil {
			return nil, err
		}
		isSafe = isSafe || checksum.IsSecure(sum.Algorithm)
	}
	if best, ok := checksum.Strongest(told); ok && !isSafe {
		return set, set.Expect(best)
	}
	return set, nil
}

// breaks says how what an answer tells breaks what was promised; "" where it does not.
func (o *ObjectOptions) breaks(info *source.Info) string {
	switch {
	case contradict(info.Digests, o.Checksums):
		return "it has another digest, by what its origin says, than was promised"
	case o.Size != nil && info.Size >= 0 && info.Size != *o.Size, o.Pieces != nil && info.Size >= 0 && !o.Pieces.fit(info.Size):
		return "it has another size than was promised"
	}
	return ""
}

// contradict reports whether a and b have different sums of one algorithm.
func contradict(a, b []checksum.Sum) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Algorithm == y.Algorithm && !x.Equal(y) {
				return true
			}
		}
	}
	return false
}

// told are the digests that the first answer has told, or that of an earlier download, whose journal is of the same object. (Who
// is asked for a range from the middle on does not tell any.) d.mu is held.
func (d *driver) told() []checksum.Sum {
	sums := d.info.Digests
	if d.opts.Left != nil && !d.voided {
		sums = append(sums[:len(sums):len(sums)], d.opts.Left.left.Header.Digests...)
	}
	var known []checksum.Sum
	for _, s := range sums {
		if n := checksum.Size(s.Algorithm); n > 0 && n == len(s.Value) && !containsSum(known, s) {
			known = append(known, s)
		}
	}
	return known
}

func containsSum(in []checksum.Sum, s checksum.Sum) bool {
	for _, x := range in {
		if x.Equal(s) {
			return true
		}
	}
	return false
}

// prepareDigests makes what takes the bytes on from the recorder: the verifier where there are pieces, else the digester.
func (d *driver) prepareDigests(r *recorder) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	set, err := d.opts.digests(d.told())
	if err != nil {
		return err
	}
	if set != nil {
		d.sums, d.digest = set, d.newDigest(set, r)
		r.pass, r.voided = func(b block) { d.digest.add(b.off, b.b) }, d.digest.restart
		r.retract = func(x *span.Set) { d.digest.retract(x) }
	}
	if d.opts.Pieces != nil {
		d.checks = d.newVerifier(r)
		r.pass, r.voided = d.checks.add, d.checks.restart
	}
	return nil
}

func (d *driver) startDigests() {
	if d.digest != nil && !d.isSmall() {
		d.wg.Go(func() {
			d.digest.run()
			if err := d.digest.err; err != nil { // nobody else would move the window on
				d.finish(err)
			}
		})
	}
	if d.checks != nil {
		d.wg.Go(d.checks.run)
	}
}

// stopDigests ends those that have nothing to wait for any more: what was written and not hashed is to be, if all went well.
func (d *driver) stopDigests() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil && d.digest != nil {
		d.digest.stop()
	}
	if d.checks != nil {
		d.checks.stop()
	}
}

func (d *driver) newDigest(set *checksum.Set, in store) *digester {
	g := newDigester(set)
	g.file, g.free = in, d.recycle
	if d.opts.Pieces == nil {
		g.dropped = *d.written.Clone()
	}
	g.lap = d.lap
	g.seal(d.size)
	old := d.written.Bounds().End
	g.gate.from = old
	if d.opts.Pieces != nil {
		g.gate.end() // they are read back in any case
	}
	g.told = func(off int64, lap int) {
		if off < old { // what was there before is no reason to wait
			off = max(off, d.ahead())
		}
		d.tellTaken(off, lap)
	}
	return g
}

// tellTaken tells that all before off is taken in order, unless all has begun anew.
func (d *driver) tellTaken(off int64, lap int) {
	d.mu.Lock()
	defer d.unlock()
	d.hold()
	if lap != d.lap {
		return
	}
	d.step(sched.Event{Type: sched.Frontier, Off: off})
	if d.window != nil {
		d.window.passed(off)
	}
}

func (d *driver) newVerifier(in store) *verifier {
	v := newVerifier(d.opts.Pieces, d.size)
	v.file, v.free, v.judged, v.failed, v.lap = in, d.recycle, d.judged, d.finish, d.lap
	v.right, v.voided = func(span.Span) {}, func() {}
	if d.digest != nil {
		v.right, v.voided = d.digest.written, d.digest.restart
	}
	v.addLeft(&d.written)
	return v
}

// checkAll is told of the size, which the first answer may not have told, once the scheduler was: until then that would not know
// what a piece is.
func (d *driver) checkAll(size int64) {
	switch {
	case d.checks == nil && d.opts.piecewise(): // they are checked on their way, and one that is wrong ends that
		d.tell(sched.Event{Type: sched.Verified, End: size, OK: true, Source: several})
	case d.checks == nil:
	case !d.opts.Pieces.fit(size):
		d.finish(d.corrupt(d.first, d.opts.Pieces.misfit(size)))
	default:
		d.checks.seal(size)
	}
}

// judged is told of each piece that was checked. One that is wrong is not there any more, and the journal does not say that it
// is, before anybody may write it anew.
func (d *driver) judged(p verdict) {
	giver := d.giverOf(p.Span)
	if !p.right {
		if err := d.target.forget(p.Span); err != nil {
			d.finish(err)
			return
		}
		d.tellWrong(p, giver)
	}
	d.mu.Lock()
	defer d.unlock()
	d.hold()
	if p.lap != d.lap {
		return // the scheduler has begun anew
	}
	if !p.right {
		d.written.Remove(p.Span)
		d.givers.remove(p.Span)
	}
	d.step(sched.Event{Type: sched.Verified, Off: p.Off, End: p.End, OK: p.right, Source: giver})
}

func (d *driver) giverOf(x span.Span) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.givers.of(x)
}

// tellWrong keeps why a piece is wrong, and tells it.
func (d *driver) tellWrong(p verdict, giver int) {
	cause := d.opts.Pieces.mismatch(p.number, p.Span, p.got)
	e := event.Event{Type: event.Failed, Off: p.Off, Kind: source.KindCorrupt.String(), Error: cause.Error()}
	d.mu.Lock()
	if giver != several {
		e.URL = redact.URL(d.mirrors[giver].URL)
		d.fault(giver, d.corrupt(giver, cause))
		d.failures++
	}
	d.wrong = d.corrupt(d.first, cause)
	d.mu.Unlock()
	d.tellOf(e)
}

func (d *driver) corrupt(i int, cause error) error {
	return &source.Error{Op: "verify", URL: d.mirrors[i].URL, Kind: source.KindCorrupt, Err: cause}
}

// failure is why no source is left.
func (d *driver) failure(class sched.Class) error {
	err := mirrorsError(d.origins)
	if class == sched.Corrupt && d.wrong != nil && !errors.Is(err, source.ErrCorrupt) {
		return d.wrong
	}
	if err == errNothing {
		return &source.Error{Op: "read", URL: d.mirrors[d.first].URL, Kind: source.KindTimeout, Err: err}
	}
	return err
}

// verify compares the whole with what was promised, and returns its digests.
func (d *driver) verify() ([]checksum.Sum, error) {
	if d.digest.err == nil { // else of what is small, and of what was taken back after it had been hashed
		d.digest.run()
	}
	if err := d.digest.err; err != nil {
		return nil, err
	}
	if d.handing != nil {
		if err := d.handing.end(); err != nil {
			return nil, err
		}
	}
	if err := d.sums.Verify(); err != nil {
		d.unlike = true
		return nil, d.corrupt(d.first, err)
	}
	return d.sums.Sums(), nil
}

// answerFromDisk takes what an earlier download has left, which is all, for the first answer. Nothing has been asked for.
func (d *driver) answerFromDisk() {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := &d.opts.Left.left.Header
	d.info, d.size = source.Info{URL: d.mirrors[0].URL, Size: h.Size}, h.Size
	d.pause()
}

// ahead is where the first gap is.
func (d *driver) ahead() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.written.NextGap(span.Span{End: math.MaxInt64}).Off
}
