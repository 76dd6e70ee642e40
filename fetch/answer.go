package fetch

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"spate/event"
	"spate/internal/redact"
	"spate/sched"
	"spate/source"
)

// accept checks the answer of r against the first one, or makes it that; or reports that it has to be asked for again, to be
// compared.
func (d *driver) accept(r *reading) (again bool, err error) {
	a, res := r.a, r.res
	if err := d.checkBegun(a, res); err != nil { // before it is taken for one that has no ranges, which makes what was begun void
		return false, err
	}
	if err := d.checkExtent(r); err != nil {
		return false, err
	}
	if text := d.opts.breaks(&res.Info); text != "" {
		return false, d.refused(a, source.KindCorrupt, text)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[a.Source]
	isFirst := d.info.URL == ""
	switch {
	case o.answered && !res.HasValidatorOf(&o.Info):
		return false, d.disagree(a.Source, "its validator is another one than at first")
	case contradict(res.Digests, d.info.Digests):
		return false, d.changed(a, "its digest header is another one than at first")
	}
	o.vague = o.vague || !res.NamesBytes()
	isNew := !r.vague && d.isVague() && !a.Probe && d.thereBefore(a.Off, 1) > 0
	if isNew || d.mustCompare(a.Source) {
		return true, nil
	}
	if !isUnsized(res) {
		o.unsized = 0
	}
	if !o.answered {
		o.answered, o.Info, o.addr = true, res.Info, res.Conn.Addr
	}
	if isFirst {
		d.info, d.size, d.first = res.Info, res.Size, a.Source
		if d.size < 0 && d.opts.Left != nil {
			d.size = d.opts.Left.left.Header.Size
		}
		d.pause()
	} else if d.size < 0 && res.Size >= 0 {
		d.sizeLocked(res.Size)
	}
	return false, nil
}

// checkExtent checks where an answer begins and ends against what was asked for and is known of the object.
func (d *driver) checkExtent(r *reading) error {
	a, res, size := r.a, r.res, d.knownAs()
	switch {
	case size >= 0 && res.Size >= 0 && res.Size != size:
		return d.otherSize(a)
	case size >= 0 && isUnsized(res) && d.isByEnd():
		return d.changed(a, "it tells no size, and nobody has")
	case size >= 0 && isUnsized(res) && !(a.Plain && d.isNamed(a.Source, res)) && d.mayTellIt(a.Source):
		return d.refused(a, source.KindNetwork, noSizeNow)
	case res.Off != r.from, a.End < 0 && size < 0 && res.Size < 0 && res.Len >= 0: // whose end need not be the object's
		return d.noRange(a)
	}
	return nil
}

// isByEnd reports whether nobody has told the size.
func (d *driver) isByEnd() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byEnd
}

// isUnsized reports whether an answer tells neither the size of the object nor its own.
func isUnsized(res *source.Resource) bool { return res.Size < 0 && res.Len < 0 }

// maxUnsized is how often a source that has told the size may answer without, one time after the other.
const maxUnsized = 2

const noSizeNow = "it tells no size, as it did before"

// mayTellIt reports whether a source that tells no size now is to be asked once more: an unknown size is not another one, and of several
// machines that have one name another may answer. Who never told it will not.
func (d *driver) mayTellIt(src int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[src]
	if o.answered && o.Size < 0 {
		return false
	}
	return (o.answered || d.isLeftOf(src)) && o.isToTell()
}

// isToTell counts an answer that does not.
func (o *origin) isToTell() bool {
	o.unsized++
	return o.unsized <= maxUnsized
}

// isNamed reports whether the validator of an answer says that its bytes are those that the source had at first.
func (d *driver) isNamed(src int, res *source.Resource) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := &d.origins[src]
	return o.answered && res.NamesBytes() && res.HasValidatorOf(&o.Info)
}

// cutOff is the error of an answer that tells no size and has ended at off, where the object does not. It may be another one then, and all
// that it gave: it has begun where that does.
func (r *reading) cutOff() error {
	d, src := r.c.d, r.a.Source
	switch {
	case d.isNamed(src, r.res):
		return r.cutShort(io.ErrUnexpectedEOF)
	case r.a.Off > 0:
		return d.otherSize(r.a)
	}
	return d.disprove(src, d.otherSize(r.a))
}

func (d *driver) otherSize(a sched.Action) error {
	return &source.Error{Op: "open", URL: d.mirrors[a.Source].URL, Kind: source.KindChanged, Err: errOtherSize}
}

var errOtherSize = errors.New("it has another size than at first")

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

// ErrVersions is what an error is, beside [source.ErrChanged], where the answers of one origin to one download do not agree.
var ErrVersions = errors.New("it has changed meanwhile, or several versions of it are served")

func (d *driver) disagree(src int, text string) error {
	return &source.Error{Op: "compare", URL: d.mirrors[src].URL, Kind: source.KindChanged, Err: fmt.Errorf("%s: %w", text, ErrVersions)}
}

func (d *driver) refused(a sched.Action, kind source.Kind, text string) error {
	return &source.Error{Op: "open", URL: d.mirrors[a.Source].URL, Kind: kind, Err: errors.New(text)}
}

const nextToNothing = "it answers ranges by next to nothing"

var errNoRange = errors.New("the origin answers no ranges")

func (d *driver) noRange(a sched.Action) error {
	return &source.Error{Op: "open", URL: d.mirrors[a.Source].URL, Kind: source.KindProtocol, Err: errNoRange}
}

// rangeless is err; of a source that has answered, and has no sensible answer to a range, that it has no ranges: then it may still
// have the whole.
func (d *driver) rangeless(a sched.Action, err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if isWhole := a.Off == 0 && a.End < 0; isWhole || !d.origins[a.Source].answered || source.KindOf(err) != source.KindProtocol {
		return err
	}
	return &source.Error{Op: "open", URL: d.mirrors[a.Source].URL, Kind: source.KindProtocol, Err: fmt.Errorf("%w: %w", errNoRange, err)}
}

// blame keeps why a source has failed last.
func (d *driver) blame(src int, err error) {
	d.mu.Lock()
	d.noteChange(src, err)
	was := d.origins[src].fault
	isFinal := errors.Is(was, source.ErrChanged) || errors.Is(was, source.ErrCorrupt) && errors.Is(err, source.ErrChanged)
	if !isFinal { // else the one says more than whatever fails beside it
		d.fault(src, err)
	}
	d.failures++
	d.mu.Unlock()
	d.tellOf(event.Event{Type: event.Failed, URL: redact.URL(d.mirrors[src].URL), Error: err.Error(), Kind: source.KindOf(err).String()})
}

// noteChange keeps that a source has answered, and then with another object. d.mu is held.
func (d *driver) noteChange(src int, err error) {
	o := &d.origins[src]
	o.changed = o.changed || o.answered && errors.Is(err, source.ErrChanged)
}

// unfit is why a source is set aside that has failed with no error of its own: the scheduler alone knows that it was enough. d.mu is held.
func (d *driver) unfit(a sched.Action) error {
	kind, cause := source.KindNetwork, error(errNeverWhole)
	switch a.Class {
	case sched.Changed:
		kind, cause = source.KindChanged, errMisfit
	case sched.RangeUnsupported:
		kind = source.KindProtocol
	case sched.Corrupt:
		kind, cause = source.KindCorrupt, errSuspect
		if wrong, ok := errors.AsType[*source.Error](d.wrong); ok {
			cause = fmt.Errorf("%w: %w", errSuspect, wrong.Err)
		}
	}
	return &source.Error{Op: "read", URL: d.mirrors[a.Source].URL, Kind: kind, Err: cause}
}

var (
	errNeverWhole = errors.New("it has no ranges, and none of its answers came to the end")
	errMisfit     = errors.New("its answer is not of the object that was begun")
	errSuspect    = errors.New("it may have given a piece that is wrong again and again")
)

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
