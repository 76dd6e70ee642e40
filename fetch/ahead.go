package fetch

import (
	"cmp"
	"context"
	"errors"
	"io"

	"spate/format/span"
	"spate/sched"
	"spate/source"
)

// meetNext compares what is behind the range, which ends at end, with what is there; the rest is for who will write it.
func (r *reading) meetNext(end int64) error {
	d := r.c.d
	ahead := r.ahead
	if ahead == nil {
		var err error
		if ahead, err = r.readAhead(end); err != nil {
			return err
		}
	}
	return d.meetSeam(seam{end, ahead, r.a.Source})
}

// meetSeam compares s with what is there; the rest is for who will write it.
func (d *driver) meetSeam(s seam) error {
	have := span.Of(s.where())
	d.mu.Lock()
	for gap := range d.written.Gaps(s.where()) {
		d.seams = append(d.seams, s.part(gap))
		have.Remove(gap)
	}
	var there []*stretch
	for x := range have.All() {
		there = append(there, d.pin(x))
	}
	d.mu.Unlock()
	for x := range have.All() {
		if err := d.meet(s.giver, there[0], x.Off, s.part(x).b); err != nil {
			return err
		}
		there = there[1:]
	}
	return nil
}

// lookAhead is for a hedge, which has read its range. Whether it will be part of what is there is not known before all may be over.
func (r *reading) lookAhead() (err error) {
	d := r.c.d
	if !r.a.Hedge || len(r.c.held) == 0 || !d.isVagueNow() || d.knownAs() <= r.off {
		return nil
	}
	r.ahead, err = r.readAhead(r.off)
	return err
}

// readAhead reads what is behind the range, which ends at end: of the same answer, or where that has ended there, of another one,
// which gives the end of the range as well.
func (r *reading) readAhead(end int64) ([]byte, error) {
	d := r.c.d
	if m := min(r.res.Off+r.res.Len, r.until) - end; m > 0 {
		b := make([]byte, min(d.shorten(r.a.Source, seamLen), d.knownAs()-end, m))
		_, err := io.ReadFull(r.res.Body, b)
		if err == nil || r.ctx.Err() != nil {
			return b, err
		}
		r.shorten(r.cutShort(err), int64(len(b)))
	}
	r.res.Body.Close() // a session has one answer at a time
	ctx := r.ctx
	if ctx.Err() != nil { // a hedge was read long ago
		ctx = r.c.begin()
	}
	b, err := r.askAcross(ctx, end, min(d.shorten(r.a.Source, seamLen), d.knownAs()-end))
	r.shorten(err, int64(len(b)))
	return b, err
}

// errAgain is for an answer that turned out to be one of those that are to be compared, while a seam was.
var errAgain = errors.New("its validator does not name its bytes any more")

// askAcross asks for the end of the range and what is behind it.
func (r *reading) askAcross(ctx context.Context, end, n int64) ([]byte, error) {
	url := r.c.d.mirrors[r.a.Source].URL
	across := &reading{ctx: ctx, c: r.c, a: sched.Action{Source: r.a.Source, Off: end, End: end + n}, off: end}
	if r.a.Hedge {
		own := span.Span{Off: r.c.heldFrom, End: r.c.heldFrom + int64(len(r.c.held))}
		across.own = &stretch{&pinned{own.Off, r.c.held}, []given{{own, r.a.Source}}}
	}
	if again, err := across.request(ctx, url); err != nil || again {
		return nil, cmp.Or(err, error(&source.Error{Op: "open", URL: url, Kind: source.KindNetwork, Err: errAgain}))
	}
	defer across.res.Body.Close()
	if err := across.meetLast(); err != nil {
		r.shorten(err, end-across.from)
		return nil, err
	}
	b := make([]byte, min(n, across.res.Off+across.res.Len-end))
	if _, err := io.ReadFull(across.res.Body, b); err != nil {
		return b, r.cutShort(err)
	}
	return b, nil
}
