package fetch

import (
	"cmp"
	"errors"
	"io"
	"slices"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/checksum"
	"spate/format/span"
	"spate/internal/redact"
	"spate/source"
)

// Where what several gave makes a whole that does not have its digest, nobody knows whose bytes are wrong, but the digest tells who has the
// right ones: one mirror after the other is asked for all that is not there of it, the reference first, each once at most. Where the first
// two prove to have what all gave, they agree, and it is the promise that is wrong.

// A decision is what has to be known meanwhile.
type decision struct {
	o     *Object
	file  *File
	by    *driver // of the whole that is wrong
	cause error   // how
	given []sum   // that whole
	total *Done
}

// A sum is bytes that somebody gave, as they were.
type sum struct {
	given
	crc uint32
}

// decide has the digest decide between those who gave the whole, which is wrong because of cause. Its error is cause where none alone
// is right.
func (o *Object) decide(file *File, done *Done, cause error) (*Done, error) {
	d := o.d
	whole := span.Span{End: d.size}
	giver := d.givers.of(whole)
	if d.opts.Pieces != nil || !d.isOfSeveral(whole) {
		return done, cause
	}
	c := &decision{o: o, file: file, by: d, cause: cause, total: done}
	if err := c.remember(d.givers.parts(whole)); err != nil {
		return done, errors.Join(cause, err)
	}
	d.tellOf(event.Event{Type: event.Failed, Kind: source.KindCorrupt.String(), Error: cause.Error()})
	agreed, isAgreed := 0, true
	for n, i := range d.byTrust() {
		if i == giver {
			continue // that is the whole which is wrong
		}
		err := c.ask(i, n == 0)
		wrong, lost := c.differing()
		isAgreed = isAgreed && len(wrong) == 0
		if errors.Is(err, checksum.ErrMismatch) {
			agreed++
		}
		switch {
		case lost != nil:
			return done, errors.Join(cause, lost)
		case err == nil:
			c.blame(wrong)
			return done, nil
		case d.outer.Err() != nil || !isOfSource(err):
			return done, err
		case isAgreed && agreed == 2:
			o.d = d
			return done, cause
		}
	}
	o.d = d // whatever became of the last of them: nothing goes on with that
	return done, cause
}

// isOfSeveral reports whether several gave x, or one from whom others differ, or somebody who is no mirror any more.
func (d *driver) isOfSeveral(x span.Span) bool {
	var by []int
	for _, p := range d.givers.parts(x) {
		isUnknown := p.giver == several
		if isUnknown && d.opts.Left != nil && d.opts.Left.isOfSeveral() || p.giver >= len(d.mirrors) {
			return true
		}
		if !isUnknown && !slices.Contains(by, p.giver) {
			by = append(by, p.giver)
		}
	}
	return len(by) > 1 || slices.Contains(d.disproved, true)
}

// byTrust are the mirrors, the reference first, and last those that have proved to differ from it.
func (d *driver) byTrust() []int {
	ref := d.reference()
	rank := func(i int) int {
		switch {
		case i == ref:
			return 0
		case d.disproved[i]:
			return 2
		}
		return 1
	}
	all := make([]int, len(d.mirrors))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(d.mirrors[a].Priority, d.mirrors[b].Priority))
	})
	return all
}

func isOfSource(err error) bool {
	_, isMirrors := errors.AsType[*MirrorsError](err)
	_, isOne := errors.AsType[*source.Error](err)
	return isMirrors || isOne || errors.Is(err, errNothing)
}

// ask asks one mirror for all that it has not given. What it gave is there still only before anybody else is asked.
func (c *decision) ask(i int, isFirst bool) error {
	opts, kept := *c.by.opts, span.Set{}
	opts.Checksums, opts.Left, opts.Refreshed = c.by.sums.Promised(), nil, false
	if isFirst {
		kept = c.by.givers[i]
	}
	if err := c.file.reuse(&kept, c.by.headerOf(i)); err != nil {
		return err
	}
	if kept.Len() > 0 {
		opts.Left = c.file
	}
	o, err := OpenObject(c.by.outer, c.by.src, c.by.mirrors[i:i+1], &opts)
	if err != nil {
		return err
	}
	o.d.again, c.o.d = true, o.d
	done, err := o.d.run(func() error { return o.d.prepare(c.file) })
	c.total.add(done)
	return err
}

// headerOf is what a journal says of an object that a mirror alone gives.
func (d *driver) headerOf(i int) journal.Header {
	o := d.origins[i]
	return journal.Header{Size: d.size, Origins: []journal.Origin{{URL: d.mirrors[i].URL, Validator: o.Validator}}}
}

// reuse makes the file one of which nothing is there but kept.
func (f *File) reuse(kept *span.Set, h journal.Header) error {
	if err := f.distrust(); err != nil {
		return err
	}
	f.left, f.sample = nil, nil
	if kept.Len() == 0 {
		return nil
	}
	f.left = &journal.State{Header: h}
	for x := range kept.All() {
		ranges, err := f.ranges(x)
		if err != nil {
			return err
		}
		f.left.Ranges = append(f.left.Ranges, ranges...)
	}
	return nil
}

// remember reads what is there.
func (c *decision) remember(parts []given) error {
	for _, p := range parts {
		crc, err := c.file.crc(p.Span)
		if err != nil {
			return err
		}
		c.given = append(c.given, sum{p, crc})
	}
	return nil
}

// differing are those who gave other bytes than are there now.
func (c *decision) differing() (givers []int, err error) {
	for _, s := range c.given {
		if !c.o.d.written.Covers(s.Span) {
			continue
		}
		crc, err := c.file.crc(s.Span)
		if err != nil {
			return nil, err
		}
		if crc != s.crc && !slices.Contains(givers, s.giver) {
			givers = append(givers, s.giver)
		}
	}
	return givers, nil
}

// blame names those who gave bytes that are wrong, as is known by now.
func (c *decision) blame(givers []int) {
	for _, i := range givers {
		if i == several {
			continue
		}
		err := &source.Error{Op: "verify", URL: c.by.urlOf(i), Kind: source.KindCorrupt, Err: errMadeWrong}
		c.by.tellOf(event.Event{Type: event.Aside, URL: redact.URL(c.by.urlOf(i)), Kind: source.KindCorrupt.String(), Error: err.Error()})
	}
}

var errMadeWrong = errors.New("its bytes made the whole another one than was promised")

// crc is that of the bytes of x, which are there.
func (f *File) crc(x span.Span) (crc uint32, err error) {
	buf := make([]byte, min(pieceSize, x.Len()))
	for off := x.Off; off < x.End; {
		b := buf[:min(int64(len(buf)), x.End-off)]
		if n, err := f.ReadAt(b, off); n < len(b) {
			return 0, errors.Join(err, io.ErrUnexpectedEOF)
		}
		crc = journal.Combine(crc, journal.Checksum(b), int64(len(b)))
		off += int64(len(b))
	}
	return crc, nil
}

// add counts what was done besides.
func (d *Done) add(more *Done) {
	d.Size, d.Digests = more.Size, more.Digests
	d.Fetched += more.Fetched
	d.Opens += more.Opens
	d.Failures += more.Failures
	d.Connections = max(d.Connections, more.Connections)
	for _, o := range more.Origins {
		if !slices.Contains(d.Origins, o) {
			d.Origins = append(d.Origins, o)
		}
	}
	slices.Sort(d.Origins)
}
