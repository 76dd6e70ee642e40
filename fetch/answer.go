package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"syscall"
	"time"

	"spate/event"
	"spate/fetch/journal"
	"spate/format/span"
	"spate/internal/redact"
	"spate/sched"
	"spate/source"
)

// accept checks an answer against the first one, or makes it that.
func (d *driver) accept(ctx context.Context, a sched.Action, res *source.Resource) error {
	if err := d.checkExtent(a, res); err != nil {
		return err
	}
	if err := d.compare(ctx, a, res); err != nil {
		return err
	}
	if text := d.opts.breaks(&res.Info); text != "" {
		return d.refused(a, source.KindCorrupt, text)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[a.Source]
	isFirst := d.info.URL == ""
	switch {
	case o.answered && !res.HasValidatorOf(&o.Info):
		return d.changed(a, "its validator is another one than at first")
	case contradict(res.Digests, d.info.Digests):
		return d.changed(a, "its digest header is another one than at first")
	}
	if !o.answered {
		o.answered, o.Info, o.addr = true, res.Info, res.Conn.Addr
	}
	if isFirst {
		d.info, d.size, d.first = res.Info, res.Size, a.Source
		d.pause()
	} else if d.size < 0 && res.Size >= 0 {
		d.sizeLocked(res.Size)
	}
	return nil
}

// checkExtent checks where an answer begins and ends against what was asked for and is known of the object.
func (d *driver) checkExtent(a sched.Action, res *source.Resource) error {
	size := d.knownAs()
	switch {
	case size >= 0 && res.Size >= 0 && res.Size != size:
		return d.changed(a, "it has another size than at first")
	case res.Off != a.Off, a.End < 0 && size < 0 && res.Size < 0 && res.Len >= 0: // whose end need not be the object's
		return d.noRange(a)
	case size >= 0 && res.Len < 0: // whose end would be anybody's guess
		return d.changed(a, "it tells no size, as it did at first")
	}
	return nil
}

// knownAs is the size of the object; -1 where no answer has told it.
func (d *driver) knownAs() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.info.URL == "" {
		return -1
	}
	return d.size
}

func (d *driver) changed(a sched.Action, text string) error {
	return d.refused(a, source.KindChanged, text)
}

func (d *driver) refused(a sched.Action, kind source.Kind, text string) error {
	return &source.Error{Op: "open", URL: d.mirrors[a.Source].URL, Kind: kind, Err: errors.New(text)}
}

var errNoRange = errors.New("the origin answers no ranges")

func (d *driver) noRange(a sched.Action) error {
	return &source.Error{Op: "open", URL: d.mirrors[a.Source].URL, Kind: source.KindProtocol, Err: errNoRange}
}

// compared is how many ranges of what is there are fetched again, where nothing else proves that they are of what an
// origin has now; at most compareLen of each.
const (
	compared   = 3
	compareLen = journal.DefaultPieceSize
)

// compare makes sure that the answer is of what an earlier download has begun, once for each origin.
func (d *driver) compare(ctx context.Context, a sched.Action, res *source.Resource) error {
	left := d.opts.Left
	if left == nil || d.isCompared(a.Source) {
		return nil
	}
	h := &left.left.Header
	if res.Size >= 0 && res.Size != h.Size {
		return d.changed(a, "it has another size than what was begun")
	}
	if contradict(res.Digests, h.Digests) {
		return d.changed(a, "it is not what was begun: its digest header is another one")
	}
	was, known := h.Origin(d.mirrors[a.Source].URL)
	begun := source.Info{Validator: was.Validator}
	switch {
	case d.opts.Refreshed:
		known = false
	case known && was.Validator != "" && res.Validator != "" && !res.HasValidatorOf(&begun):
		return d.changed(a, "it is not what was begun: its validator is another one")
	}
	if !(known && res.HasStrongValidator() && begun.HasStrongValidator()) && d.opts.Pieces == nil { // each of them would tell
		if err := d.compareBytes(ctx, a); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.origins[a.Source].same = true
	return nil
}

// compareBytes fetches some of what is there once more.
func (d *driver) compareBytes(ctx context.Context, a sched.Action) error {
	url := d.mirrors[a.Source].URL
	session, err := source.Dial(ctx, d.src, url)
	if err != nil {
		return err
	}
	defer session.Close()
	for _, x := range journal.Pick(d.opts.Left.toCompare(), compared, nil) {
		n := min(x.Len(), compareLen)
		same, err := d.sameBytes(ctx, session, url, span.Span{Off: x.Off, End: x.Off + n})
		if err != nil {
			return err
		}
		if !same {
			return d.changed(a, "it is not what was begun: the bytes differ")
		}
	}
	return nil
}

// sameBytes reports whether the bytes of x in the file are those of the url.
func (d *driver) sameBytes(ctx context.Context, session source.Session, url string, x span.Span) (bool, error) {
	res, err := session.Open(ctx, url, source.Range{Off: x.Off, Len: x.Len()})
	if err != nil {
		return false, err
	}
	defer res.Body.Close()
	if res.Off != x.Off {
		return false, &source.Error{Op: "open", URL: url, Kind: source.KindProtocol, Err: errNoRange}
	}
	there, now := make([]byte, x.Len()), make([]byte, x.Len())
	if _, err := io.ReadFull(res.Body, now); err != nil {
		return false, &source.Error{Op: "read", URL: url, Kind: source.KindNetwork, Err: err}
	}
	_, err = d.opts.Left.ReadAt(there, x.Off)
	return bytes.Equal(there, now), err
}

// isCompared reports whether a source has proved to have what was begun, or need not, as that was given up.
func (d *driver) isCompared(src int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.origins[src].same || d.voided
}

// blame keeps why a source has failed last.
func (d *driver) blame(src int, err error) {
	d.mu.Lock()
	was := d.origins[src].fault
	isFinal := errors.Is(was, source.ErrChanged) || errors.Is(was, source.ErrCorrupt) && errors.Is(err, source.ErrChanged)
	if !isFinal { // else the one says more than whatever fails beside it
		d.fault(src, err)
	}
	d.failures++
	d.mu.Unlock()
	d.tellOf(event.Event{Type: event.Failed, URL: redact.URL(d.mirrors[src].URL), Error: text(err), Kind: source.KindOf(err).String()})
}

// text is that of err; of one that was not kept, that there was some.
func text(err error) string {
	if err == nil {
		return "it failed"
	}
	return err.Error()
}

// neverHeardOf says whether a source has neither answered nor failed.
func (d *driver) neverHeardOf(src int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[src]
	return !o.answered && o.fault == nil
}

// noAnswer is why a source is not waited for any longer.
func (d *driver) noAnswer(src int) error {
	return &source.Error{Op: "open", URL: d.mirrors[src].URL, Kind: source.KindTimeout, Err: errNoAnswer}
}

var errNoAnswer = errors.New("no answer while another could be asked")

// fault keeps why a source has failed last; of one that was set aside, why it was. d.mu is held.
func (d *driver) fault(i int, err error) {
	if o := &d.origins[i]; !o.aside {
		o.fault = err
	}
}

func classOf(err error) sched.Class {
	se, _ := errors.AsType[*source.Error](err)
	switch {
	case errors.Is(err, errNoRange):
		return sched.RangeUnsupported
	case errors.Is(err, syscall.ECONNREFUSED):
		return sched.Refused
	case se == nil:
		return sched.Network
	case se.Kind == source.KindTimeout:
		return sched.Timeout
	case se.Status == 429 || se.Status == 503:
		return sched.Busy
	case se.Kind == source.KindChanged:
		return sched.Changed
	case se.Kind == source.KindCorrupt:
		return sched.Corrupt
	case se.Kind == source.KindNetwork, se.Status >= 500:
		return sched.Network
	}
	return sched.Gone
}

func retryAfter(err error) time.Duration {
	if se, ok := errors.AsType[*source.Error](err); ok {
		return se.RetryAfter
	}
	return 0
}
