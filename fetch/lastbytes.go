package fetch

import (
	"context"
	"io"
	"time"

	"spate/format/span"
	"spate/source"
)

// lastPatience is how long the reference is waited for that is only asked for its last bytes.
const lastPatience = 3 * time.Second

// askLast asks the reference for its last bytes, before another source gives any: a range that ends where the object does has nothing behind
// it that it could be compared with. Whoever writes them is compared with these. One source asks, for which the others wait. Where
// they cannot be had now, they are asked for when the next mirror is compared.
func (d *driver) askLast(ctx context.Context) error {
	d.mu.Lock()
	ref, asked := d.reference(), d.lastAsked
	x := span.Span{Off: max(d.size-seamLen, 0), End: d.size}
	if asked != nil || x.Empty() || d.origins[ref].aside {
		d.mu.Unlock()
		return waitFor(ctx, asked)
	}
	asked = make(chan struct{})
	d.lastAsked = asked
	d.mu.Unlock()
	defer close(asked)
	b, err := d.lastBytes(ctx, ref, x)
	if err != nil { // whoever else asks it will tell
		d.mu.Lock()
		defer d.mu.Unlock()
		d.noteChange(ref, err)
		if d.lastAsked == asked { // else all has begun anew
			d.lastAsked = nil
		}
		return context.Cause(ctx)
	}
	return d.meetLastBytes(seam{x.Off, b, ref})
}

// waitFor waits until done is closed; nil: not at all.
func waitFor(ctx context.Context, done <-chan struct{}) error {
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// meetLastBytes compares s with what is there of it, and has it stay: whoever else writes them may have to be set aside as well.
func (d *driver) meetLastBytes(s seam) error {
	d.mu.Lock()
	d.last = s
	d.mu.Unlock()
	return d.meetSeam(s)
}

// lastOf is what of the reference's last bytes lies in x.
func (d *driver) lastOf(x span.Span) []seam {
	d.mu.Lock()
	defer d.mu.Unlock()
	if y := d.last.where().Intersect(x); !y.Empty() {
		return []seam{d.last.part(y)}
	}
	return nil
}

func (d *driver) lastBytes(ctx context.Context, src int, x span.Span) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, lastPatience)
	defer cancel()
	url := d.mirrors[src].URL
	session, err := source.Dial(ctx, d.src, url)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	res, err := session.Open(ctx, url, source.Range{Off: x.Off, Len: x.Len()})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if err := d.isOf(src, res, x); err != nil {
		return nil, err
	}
	b := make([]byte, x.Len())
	_, err = io.ReadFull(res.Body, b)
	return b, err
}

// isOf is why res, where x was asked for, is not of what a source had at first.
func (d *driver) isOf(src int, res *source.Resource, x span.Span) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if res.Off != x.Off || res.Size >= 0 && res.Size != d.size || !res.HasValidatorOf(&d.origins[src].Info) {
		return d.disagree(src, "its last bytes are of another one than at first")
	}
	return nil
}
