package fetch

import (
	"bytes"
	"errors"
	"slices"

	"spate/format/span"
	"spate/sched"
	"spate/source"
)

// Where bytes of two sources differ, and there is no digest that could tell who is right, the source that the object was opened from
// is: it is what the user was told the size and the name of. So is what an earlier download has left. Of two others neither is believed. Who is
// not is set aside, with all that it gave: what of that was compared was compared with neighbours only, and these may be its own.

// reference is who is believed. d.mu is held.
func (d *driver) reference() int {
	switch {
	case d.lap > 0:
		return d.anew
	case d.isOfFirst: // whoever has answered first this time
		return preferred(d.mirrors)
	}
	return d.first
}

// meet compares what a source gives at off with what is there. Its error is that of a source that is not to be believed.
func (d *driver) meet(src int, there *stretch, off int64, now []byte) error {
	was := make([]byte, len(now))
	if _, err := there.ReadAt(was, off); err != nil {
		d.finish(err)
		return err
	}
	for _, p := range there.parts {
		x := p.Intersect(span.Span{Off: off, End: off + int64(len(now))})
		if p.giver == nobody || x.Empty() || bytes.Equal(was[x.Off-off:x.End-off], now[x.Off-off:x.End-off]) {
			continue
		}
		if err := d.conflict(src, p.giver); err != nil {
			return err
		}
	}
	return nil
}

// conflict is told that bytes of src are not those that rival gave. Its error is that of src, where that is not to be believed.
func (d *driver) conflict(src, rival int) error {
	d.mu.Lock()
	ref := d.reference()
	isSure := rival == several || rival == ref
	switch {
	case d.disproved[src]:
		d.mu.Unlock()
		return d.differs(src)
	case rival != several && d.disproved[rival]: // and what it gave may be written anew meanwhile
		d.mu.Unlock()
		return nil
	case src == ref && isSure:
		d.torn = true
		d.mu.Unlock()
		err := d.versions(src)
		if len(d.mirrors) > 1 {
			d.finish(err)
		}
		return err
	}
	d.mu.Unlock()
	if src != rival && !isSure {
		d.disprove(rival, d.differs(rival))
	}
	switch src {
	case ref:
		return nil
	case rival:
		return d.disprove(src, d.versions(src))
	}
	return d.disprove(src, d.differs(src))
}

// anyDisproved reports whether any of parts is not there any more.
func (d *driver) anyDisproved(parts []given) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(parts, func(p given) bool { return p.giver == nobody || p.giver >= 0 && d.disproved[p.giver] })
}

// notProved is why a source is to be compared once more.
func (d *driver) notProved(src int) error {
	return &source.Error{Op: "compare", URL: d.mirrors[src].URL, Kind: source.KindNetwork, Err: errNotProved}
}

var errNotProved = errors.New("what it was to be compared with is not there any more")

// nowhere is the target before there is one.
type nowhere struct{ target }

func (nowhere) disown(int, *span.Set) error { return nil }

// versions is the error of a source whose bytes are of several versions.
func (d *driver) versions(src int) error {
	return d.disagree(src, "the bytes of two answers differ")
}

// differs is the error of a source whose bytes are not those of the reference.
func (d *driver) differs(src int) error {
	return &source.Error{Op: "compare", URL: d.urlOf(src), Kind: source.KindCorrupt, Err: errDiffers}
}

var errDiffers = errors.New("its bytes differ from those of the other mirrors")

// disprove takes back all that a source has given, and sets it aside because of err, which it returns. Before anything is written in
// its place, the journal says that it is not there.
func (d *driver) disprove(src int, err error) error {
	d.mu.Lock()
	for d.paused { // it will have a file
		d.going.Wait()
	}
	if d.disproved[src] {
		d.mu.Unlock()
		return err
	}
	if src < len(d.mirrors) {
		d.fault(src, err)
	} else {
		d.tellFormer(src, err)
	}
	d.disproved[src] = true // none of its bytes joins what is there from now on
	d.takesBack++
	gone, target := d.givers.take(src), d.target
	for x := range gone.All() {
		d.written.Remove(x)
		d.takenBack.Add(x)
	}
	d.seams = slices.DeleteFunc(d.seams, func(s seam) bool { return s.giver == src })
	d.mu.Unlock()

	if target == nil { // nothing has answered yet: what was left is less, then
		target = nowhere{}
	}
	if lost := target.disown(src, gone); errors.Is(lost, errHandedOn) {
		d.finish(d.handedOn(src, err))
	} else if lost != nil {
		d.finish(lost)
	}
	ev := sched.Event{Type: sched.Disproved, Source: src}
	for x := range gone.All() {
		ev.Ranges = append(ev.Ranges, sched.Range(x))
	}
	d.tellDisproved(ev)
	if gone.Len() > 0 {
		d.spoil(err)
	}
	return err
}

// tellDisproved tells ev once nothing else is being taken back, before anybody else tells anything: what is gone would seem to be there.
func (d *driver) tellDisproved(ev sched.Event) {
	d.mu.Lock()
	defer d.unlock()
	d.disproofs = append(d.disproofs, ev)
	if d.takesBack--; d.takesBack > 0 {
		return
	}
	for _, ev := range d.disproofs {
		d.step(ev)
	}
	d.disproofs = nil
	d.going.Broadcast()
}

// spoil is told of bytes that are gone. Nobody fetches them again if all was there and everything is over.
func (d *driver) spoil(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.spoilLocked(err)
}

// spoilLocked is spoil for who holds d.mu.
func (d *driver) spoilLocked(err error) {
	if d.isOver && d.err == nil {
		d.err = err
		if d.digest != nil { // which waits for them
			d.digest.stop()
		}
	}
}

// errHandedOn is the error of a stream of which bytes were handed on that are wrong.
var errHandedOn = errors.New("bytes of it were handed on, and differ from those of the other mirrors")

// handedOn is the error of a source of which bytes were handed on that are wrong because of err.
func (d *driver) handedOn(src int, err error) error {
	if d.opts.Agree {
		return d.disagrees(src, err)
	}
	return &source.Error{Op: "compare", URL: d.urlOf(src), Kind: source.KindChanged, Err: errHandedOn}
}

// DifferError says that a mirror has not what the others have.
type DifferError struct {
	URL string
	Err error // is [source.ErrCorrupt]
}

func (e *DifferError) Error() string { return e.Err.Error() }

// Unwrap is what is different.
func (e *DifferError) Unwrap() error { return e.Err }

// disagrees is why mirrors that must agree do not, where err is what src said: however that was found out it is the same. But that one has
// changed meanwhile, or the first of them since the download was begun, says nothing of the others.
func (d *driver) disagrees(src int, err error) error {
	_, isBegun := errors.AsType[begunError](err)
	if isBegun && d.isPreferred(src) || errors.Is(err, ErrVersions) {
		return err
	}
	e := &source.Error{Op: "compare", URL: d.urlOf(src), Kind: source.KindCorrupt, Err: err}
	if cause, ok := errors.AsType[*source.Error](err); ok {
		e.Err = cause.Err
	}
	return &DifferError{URL: e.URL, Err: e}
}
