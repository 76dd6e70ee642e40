package fetch

import (
	"context"
	"io"
	"math"
	"time"

	"spate/sched"
	"spate/source"
)

// A reading is one range of one connection.
type reading struct {
	ctx         context.Context // of the request, and its answer
	c           *conn
	a           sched.Action
	from, until int64 // what was asked for: more than the range, where that is to be compared
	off         int64 // all before is written
	eof         bool  // the answer has ended there, and with it the object, whose size was not known
	res         *source.Resource
	at          time.Time // of the last Progress

	setup time.Duration // until the answer
	err   error         // why there is none
	ahead []byte        // of a hedge: what is behind its range
	vague bool          // when it was asked for, bytes had to be compared
	own   *stretch      // what is before the range, where that is not there
	there *stretch      // what is before it
}

// open asks for the range, and checks that the answer is of what was begun.
func (r *reading) open(ctx context.Context) {
	r.err = r.ask(ctx)
}

// opened tells of the answer, and is the error of one that is not to be read.
func (r *reading) opened() error {
	if r.err != nil {
		return r.err
	}
	d, res := r.c.d, r.res
	ev := sched.Event{Type: sched.Opened, Conn: r.c.id, Size: res.Size, Off: r.a.Off, End: -1, Setup: r.setup,
		Seekable: res.Seekable || r.a.Off > 0}
	if res.Len >= 0 {
		ev.End = res.Off + res.Len
		if r.a.End >= 0 {
			ev.End = min(ev.End, r.a.End)
		}
	}
	if ev.End >= 0 {
		r.c.answered(ev.End)
	} else if size := max(res.Size, d.knownAs()); size >= 0 {
		r.c.answered(size)
	}
	d.tell(ev)
	if err := d.ended(); err != nil {
		res.Body.Close()
		return err
	}
	if res.Size >= 0 {
		d.checkAll(res.Size)
	}
	return nil
}

func (r *reading) ask(ctx context.Context) (err error) {
	c, d := r.c, r.c.d
	url := d.mirrors[r.a.Source].URL
	if c.session == nil {
		if c.session, err = c.dial(ctx, url); err != nil {
			return err
		}
	}
	for again := true; again && err == nil; {
		if err = d.compare(ctx, c.session, r.a.Source); err != nil {
			return err
		}
		again, err = r.request(ctx, url)
	}
	return err
}

// request asks for the range. It reports whether that has to be done once more, now that it is known what the answer is to be
// compared with.
func (r *reading) request(ctx context.Context, url string) (again bool, err error) {
	d := r.c.d
	if r.a.Off == 0 && r.a.End < 0 {
		err = r.openFirst(ctx, url)
	} else {
		err = r.openAcross(ctx, url)
	}
	if err != nil {
		return false, d.rangeless(r.a, err)
	}
	if again, err = d.accept(r); again || err != nil {
		r.res.Body.Close()
	}
	return again, err
}

// openAcross asks for the range, and for what shows that it goes together with what is beside it. Where an answer ends before the
// range begins, as its origin gives so little at once, less of that will do.
func (r *reading) openAcross(ctx context.Context, url string) error {
	d, session := r.c.d, r.c.session
	r.vague = d.isVagueNow()
	o := d.overlapOf(r.a)
	if r.own != nil {
		o.before, o.there = min(d.shorten(r.a.Source, seamLen), r.own.parts[0].Len()), r.own
	}
	before := o.before
	if r.a.Hedge && before > 0 && !o.there.reads(r.a.Off-before, before) { // its twin is far on, and will be compared with it
		before = 0
	}
	r.there, r.until = o.there, math.MaxInt64
	if r.a.End >= 0 {
		r.until = r.a.End + o.behind
	}
	for {
		begin := time.Now() // what is compared no other connection will wait for
		r.from = r.a.Off - before
		res, err := session.Open(ctx, url, source.Range{Off: r.from, Len: r.until - r.from})
		if err != nil {
			return err
		}
		r.res, r.setup = res, time.Since(begin)
		if before == 0 || res.Off != r.from || res.Len < 0 || res.Len > before {
			return nil
		}
		res.Body.Close()
		if before = min(before, d.shorten(r.a.Source, res.Len/4)); before == 0 {
			return d.refused(r.a, source.KindProtocol, nextToNothing)
		}
	}
}

// openWhole asks for the object, by a range that shows whether there are ranges. Where that tells no size, nothing says
// whether its end is that of the object: then without one. So is what is plain: who answers ranges wrongly, or by a part, may have the whole.
func openWhole(ctx context.Context, session source.Session, url string, plain bool) (*source.Resource, error) {
	if plain {
		return session.Open(ctx, url, source.From(0))
	}
	res, err := session.Open(ctx, url, source.Range{Len: math.MaxInt64})
	if err != nil || res.Size >= 0 || res.Len < 0 {
		return res, err
	}
	res.Body.Close()
	return session.Open(ctx, url, source.From(0))
}

// read reads the range to its end.
func (r *reading) read() error {
	c := r.c
	c.block = max(c.block, minBlock)
	c.heldFrom, r.at = r.a.Off, time.Now()
	for {
		if err := r.keepPace(); err != nil {
			return err
		}
		n := c.claim(c.block)
		if n == 0 {
			return r.allRead()
		}
		if err := r.fill(n); err == io.EOF {
			return r.ended()
		} else if err != nil {
			return err
		}
	}
}

// keepPace waits while what is next is too far ahead of the digest, unless the range is cut there. No buffer is held meanwhile, and
// the scheduler is told that this is no silence.
func (r *reading) keepPace() error {
	c, d := r.c, r.c.d
	if d.digest == nil || r.a.Hedge || r.a.Probe {
		return nil
	}
	p := d.digest.gate.ask(r.off)
	if p == nil {
		return nil
	}
	defer d.digest.gate.drop(p)
	d.tellProgressOf(c, r.off) // or the wait would seem to be part of what it took
	tick := time.NewTicker(heldUpTold)
	defer tick.Stop()
	for !c.endsAt(r.off) {
		select {
		case <-p.given:
			d.tellProgressOf(c, r.off)
			return nil
		case <-tick.C:
			d.tellProgressOf(c, r.off)
		case <-c.wasCut:
		case <-r.ctx.Done():
			return context.Cause(r.ctx)
		}
	}
	return nil
}

// fill reads n bytes, which are claimed, and writes them.
func (r *reading) fill(n int) error {
	begin := time.Now()
	for n > 0 {
		b := r.c.d.buffer(r.c.block)
		m, err := r.readSome(b[:n])
		if err == nil {
			if err = r.endsThere(r.off + int64(m)); err != nil {
				r.c.d.recycle(b)
				return err
			}
		}
		if werr := r.put(b[:m]); werr != nil {
			return werr
		}
		r.off += int64(m)
		n -= m
		if err != nil {
			return err
		}
		r.tell()
	}
	r.c.adapt(time.Since(begin))
	return nil
}

// endWithin is how long an answer may take to end behind the object's last byte.
const endWithin = time.Second

// endsThere is the error of an answer that has come to off, the end of the object by the size that it told, and whose origin has more than
// that: a file that grows, or a size that is wrong. Its last bytes do not count. One that neither ends nor goes on has told all.
func (r *reading) endsThere(off int64) error {
	if r.a.Probe || off != r.res.Size || r.res.Len >= 0 && r.res.Off+r.res.Len < off {
		return nil
	}
	stop := time.AfterFunc(endWithin, func() { r.res.Body.Close() })
	defer stop.Stop()
	if _, err := r.res.Body.Read(make([]byte, 1)); source.KindOf(err) == source.KindChanged {
		return err
	}
	return nil
}

// put takes b, the next bytes of the range.
func (r *reading) put(b []byte) error {
	if r.a.Hedge || r.a.Probe {
		r.c.held = append(r.c.held, b...)
		r.c.d.recycle(b)
		return nil
	}
	return r.c.d.write(block{off: r.off, b: b, giver: r.a.Source}, r.c)
}

// withHeader is how many bytes may come along with the header of an answer, by one read for both.
const withHeader = 4 << 10

// readSome fills b, or less of it where that would take long. Of a slow connection it is what one read gives: what is not
// written is lost if the connection falls silent and the process is killed. The little that came along with the header is not
// worth a write of its own.
func (r *reading) readSome(b []byte) (n int, err error) {
	begin := time.Now()
	for n < len(b) && err == nil {
		var m int
		m, err = r.res.Body.Read(b[n:])
		n += m
		if r.c.block == minBlock && (n > withHeader || r.off > r.a.Off) || time.Since(begin) > toldWithin {
			break
		}
	}
	return n, err
}

// adapt claims more at once where bytes come fast, and less where they do not: what is claimed cannot be cut off.
func (c *conn) adapt(took time.Duration) {
	switch {
	case took < blockTime/4:
		c.block = min(2*c.block, maxBlock)
	case took > blockTime:
		c.block = max(c.block/2, minBlock)
	}
}

// tell reports how far the range is written, not too often.
func (r *reading) tell() {
	if t := time.Now(); t.Sub(r.at) > toldWithin/10 {
		r.at = t
		r.c.d.tellProgressOf(r.c, r.off)
	}
}

// wanted is the end of the range, as it was cut.
func (c *conn) wanted() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// finish reports the end of the range.
func (r *reading) finish() bool {
	c := r.c
	ev := sched.Event{Type: sched.Progress, Conn: c.id, Off: r.off, EOF: r.eof}
	if r.a.Probe {
		if err := r.prove(); err != nil {
			c.fail(r.off, r.a.Source, err)
			return false
		}
		ev = sched.Event{Type: sched.Verified, Conn: c.id, OK: true}
	}
	c.d.tell(ev)
	if r.eof {
		c.d.checkAll(r.off)
	}
	return true
}

// prove compares what a probe has brought with what was there when it was asked for.
func (r *reading) prove() error {
	c, d := r.c, r.c.d
	d.tell(sched.Event{Type: sched.Progress, Conn: c.id, Off: r.off}) // what is waited for now is not its source
	if !c.there.reads(r.a.Off, int64(len(c.held))) {
		return d.notProved(r.a.Source)
	}
	if err := d.meet(r.a.Source, c.there, r.a.Off, c.held); err != nil {
		return err
	}
	if d.anyDisproved(c.there.parts) {
		return d.notProved(r.a.Source)
	}
	return d.askLast(r.ctx)
}

// allRead is for a range of which all was read. Where nothing but its end tells how long an answer is, that is awaited.
func (r *reading) allRead() error {
	d := r.c.d
	if !isUnsized(r.res) || r.off != d.knownAs() {
		return r.lookAhead()
	}
	switch n, err := io.ReadFull(r.res.Body, make([]byte, 1)); {
	case n > 0:
		return r.cutOff()
	case err != io.EOF:
		return err
	}
	return r.lookAhead()
}

// ended is for an answer that ends before the range: an origin may cap what it answers, or not tell its size.
func (r *reading) ended() error {
	switch {
	case r.res.Len >= 0 && r.off == r.res.Off+r.res.Len, r.off == r.c.wanted():
		return r.lookAhead()
	case isUnsized(r.res) && r.c.d.knownAs() < 0:
		r.c.d.knownSize(r.off)
		r.eof = true
		return nil
	case isUnsized(r.res) && r.off == r.c.d.knownAs():
		return r.lookAhead()
	case isUnsized(r.res):
		return r.cutOff()
	}
	return &source.Error{Op: "read", URL: r.c.d.mirrors[r.a.Source].URL, Kind: source.KindNetwork, Err: io.ErrUnexpectedEOF}
}
