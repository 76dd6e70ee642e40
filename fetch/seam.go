package fetch

import (
	"bytes"
	"errors"
	"io"
	"slices"

	"spate/format/span"
	"spate/sched"
	"spate/source"
)

// Behind one name there may be several machines, and of them some may have another version. Where a validator does not name the
// bytes, nothing but the bytes tells. So two answers are put together only where one of them has given bytes of the other's as well,
// and they were the same: a seam. It is one answer that has given both, so it does not matter whether the machine was chosen for the
// connection or for the request.
//
//   - A range that begins behind what is there is asked for with the end of that (meetLast).
//   - One that ends where something is, or is being fetched, is read on beyond its end (meetNext). What of that is not there yet waits
//     (driver.seams) for who will write it (join). The last block of the range is recorded after that.
//
// Whoever takes up a range that another has left in the middle finds what is there before it, so nothing else is needed after a
// break, or after the process was killed: what the journal has as one piece has been proved to be one.
const (
	// seamLen is how much is fetched once more.
	seamLen = 16 << 10
	// minSeam is what that comes down to where answers break before.
	minSeam = 256
)

// A seam is bytes that an answer has given beyond its range, and that are not there yet.
type seam struct {
	off   int64
	b     []byte
	giver int
}

func (s *seam) where() span.Span { return span.Span{Off: s.off, End: s.off + int64(len(s.b))} }

// keepOne leaves, where several versions were met or an origin has changed before all that it gave has met, of what is there only what is
// known to be of one version: nothing could go on with all of it. Nothing is put any more.
func (d *driver) keepOne() error {
	if d.err == nil {
		return nil
	}
	for x := range d.takeOthers().All() {
		if err := d.target.forget(x); err != nil {
			return err
		}
	}
	return nil
}

// takeOthers takes what keepOne does not leave out of what is there, and returns it. Progress is still told meanwhile.
func (d *driver) takeOthers() *span.Set {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept, longest := d.vouched()
	if longest.Len() > kept.Bytes() {
		kept = span.Of(longest)
	}
	others := d.written
	d.written = *kept
	for x := range kept.All() {
		others.Remove(x)
	}
	return &others
}

// vouched are the pieces of what is there that somebody has given, or met, who has not changed; and the longest of the others, each of
// which may be of another version. d.mu is held.
func (d *driver) vouched() (kept *span.Set, longest span.Span) {
	kept = &span.Set{}
	for x := range d.written.All() {
		switch {
		case !d.torn && slices.ContainsFunc(d.givers.parts(x), func(p given) bool { return !d.hasChanged(p.giver) }):
			kept.Add(x)
		case x.Len() > longest.Len():
			longest = x
		}
	}
	return kept, longest
}

// hasChanged reports whether bytes of a giver may be of several versions, as it has proved to have them. d.mu is held.
func (d *driver) hasChanged(giver int) bool {
	if giver < 0 || giver >= len(d.origins) || !d.isVague() {
		return false
	}
	return d.origins[giver].vague && d.origins[giver].changed
}

// isVague reports whether there may be bytes of which only bytes tell what they belong to. d.mu is held.
func (d *driver) isVague() bool {
	if d.opts.piecewise() {
		return false
	}
	if len(d.mirrors) > 1 { // what one of them calls its version says nothing of another's
		return true
	}
	for i := range d.origins {
		if d.origins[i].vague {
			return true
		}
	}
	return d.opts.Left != nil && !d.voided && d.opts.Left.isVague()
}

// isOfSeveral reports whether what the journal of f says is there may have come from several origins.
func (f *File) isOfSeveral() bool { return len(f.left.Header.Origins) > 1 }

// isVague reports whether the journal of f names an origin whose validator does not name its bytes, or several, of which
// each names its own.
func (f *File) isVague() bool {
	from := f.left.Header.Origins
	for _, o := range from {
		if info := (source.Info{Validator: o.Validator}); !info.NamesBytes() {
			return true
		}
	}
	return len(from) != 1
}

// An overlap is what is fetched beside a range, to be compared.
type overlap struct {
	before, behind int64    // how much
	there          *stretch // what is before
}

// overlapOf is that of the range of a.
func (d *driver) overlapOf(a sched.Action) (o overlap) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Probe || !d.isVague() {
		return o
	}
	size := d.size
	if d.info.URL == "" && d.opts.Left != nil {
		size = d.opts.Left.left.Header.Size
	}
	if a.End >= 0 {
		o.behind = max(min(seamLen, size-a.End), 0)
	}
	if o.before = d.thereBefore(a.Off, d.origins[a.Source].overlap); o.before > 0 {
		o.there = d.pin(span.Span{Off: a.Off - o.before, End: a.Off})
	}
	return o
}

// thereBefore is how many bytes right before off are there, at most n. d.mu is held.
func (d *driver) thereBefore(off, n int64) int64 {
	x := span.Span{Off: max(off-n, 0), End: off}
	for gap := range d.written.Gaps(x) {
		x.Off = gap.End
	}
	return x.Len()
}

// shorten makes what is fetched once more of a source shorter.
func (d *driver) shorten(src int, n int64) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[src]
	o.overlap = min(o.overlap, n)
	return o.overlap
}

// shorten makes what is fetched once more shorter where an answer broke by err before it had given more than those n bytes.
func (r *reading) shorten(err error, n int64) {
	if n > 0 && source.KindOf(err) == source.KindNetwork {
		r.c.d.shorten(r.a.Source, max(n/4, minSeam))
	}
}

// meetLast reads what comes before the range, which is what is there.
func (r *reading) meetLast() error {
	d := r.c.d
	for off := r.from; off < r.a.Off; {
		now := make([]byte, min(r.a.Off-off, withHeader))
		if _, err := io.ReadFull(r.res.Body, now); err != nil {
			return r.cutShort(err)
		}
		if err := d.meet(r.a.Source, r.there, off, now); err != nil {
			return err
		}
		off += int64(len(now))
		d.tellProgressOf(r.c, r.a.Off) // that none of it is new is no silence
	}
	return nil
}

func (r *reading) cutShort(err error) error {
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	return &source.Error{Op: "read", URL: r.c.d.mirrors[r.a.Source].URL, Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
}

// meetTwin compares what a hedge holds of what its twin has written, up to off.
func (r *reading) meetTwin(held []byte, off int64) error {
	if len(held) == 0 {
		return nil
	}
	d := r.c.d
	held = held[max(len(held)-seamLen, 0):]
	from := off - int64(len(held))
	d.mu.Lock()
	if !d.isVague() {
		d.mu.Unlock()
		return nil
	}
	there := d.pin(span.Span{Off: from, End: off})
	d.mu.Unlock()
	return d.meet(r.a.Source, there, from, held)
}

func (d *driver) isVagueNow() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.isVague()
}

// join makes b, which c has fetched and which is written, part of what is there, if it goes together with what is beside it.
func (d *driver) join(b block, c *conn) error {
	x := b.where()
	d.mu.Lock()
	if d.disproved[b.giver] {
		d.mu.Unlock()
		return d.differs(b.giver)
	}
	d.written.Add(x)
	d.givers.add(x, b.giver)
	var waited []seam
	var ends bool
	if d.isVague() {
		waited, ends = d.takeSeams(x), c.endsAt(x.End) && d.isTaken(x.End, c)
	}
	d.mu.Unlock()
	compared := append(waited[:len(waited):len(waited)], d.lastOf(x)...)
	var err error
	for _, s := range compared {
		if err == nil && !bytes.Equal(s.b, b.b[s.off-b.off:][:len(s.b)]) {
			err = d.conflict(b.giver, s.giver)
		}
	}
	if ends && err == nil {
		err = c.reading.meetNext(x.End)
	}
	if err != nil {
		d.part(b, waited)
	}
	return err
}

// part takes back that b joined, for which those of waited had waited. Where all that its giver gave is taken back, b is among that, and
// may be another's by now.
func (d *driver) part(b block, waited []seam) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range waited {
		if !d.disproved[s.giver] {
			d.seams = append(d.seams, s)
		}
	}
	if !d.disproved[b.giver] {
		d.written.Remove(b.where())
		d.givers.remove(b.where())
		d.spoilLocked(errMissing)
	}
}

// errMissing is for what the scheduler took for whole, and is not: it must never come to that.
var errMissing = errors.New("bytes are missing that were taken for written")

// isTaken reports whether the byte at off is there, or another connection than c is to fetch it. d.mu is held.
func (d *driver) isTaken(off int64, c *conn) bool {
	if d.size >= 0 && off >= d.size {
		return false
	}
	if d.written.Covers(span.Span{Off: off, End: off + 1}) {
		return true
	}
	for _, o := range d.conns {
		if o != c && o.has(off) {
			return true
		}
	}
	return false
}

// takeSeams takes out what waits for x. d.mu is held.
func (d *driver) takeSeams(x span.Span) (taken []seam) {
	var left []seam
	for _, s := range d.seams {
		y := s.where()
		for _, part := range []struct {
			span.Span
			to *[]seam
		}{{y.Intersect(span.Span{End: x.Off}), &left}, {y.Intersect(x), &taken}, {y.Intersect(span.Span{Off: x.End, End: y.End}), &left}} {
			if !part.Empty() {
				*part.to = append(*part.to, s.part(part.Span))
			}
		}
	}
	d.seams = left
	return taken
}

func (s *seam) part(x span.Span) seam { return seam{x.Off, s.b[x.Off-s.off : x.End-s.off], s.giver} }
