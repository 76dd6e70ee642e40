package main

import (
	"cmp"
	"fmt"
	"sync/atomic"
	"time"

	"spate/event"
)

// A download is one, as its events tell of it: of a file, or of the files of a sequence.
type download struct {
	outcome  // of the file that is next
	follow   func(*outcome) error
	connects *atomic.Int64
	begun    time.Time // that file
	resumed  int64     // its bytes that were there before
	bytes    int64     // of the stream, so far
	past     int64     // of them: those of files that are over, or were there before
	err      error     // the first of what followed
	more     int       // further ones
}

func newDownload(o outcome, connects *atomic.Int64) *download {
	return &download{outcome: o, connects: connects, begun: time.Now()}
}

// observe takes an event, and tells whether a file is whole by it.
func (d *download) observe(e event.Event) (whole bool) {
	switch e.Type {
	case event.Begin:
		d.path, d.size = cmp.Or(e.Path, d.path), e.Size
		d.resumed, d.past, d.bytes = e.Bytes, e.Bytes, e.Bytes
	case event.Progress:
		d.bytes, d.fetched = e.Bytes, max(e.Bytes-d.past, 0)
		if e.Size != 0 {
			d.size = e.Size
		}
	case event.File:
		d.path, d.size, d.sha256, d.fetched = cmp.Or(e.Path, d.path), e.Bytes, e.SHA256, e.Bytes-d.resumed
		return true
	}
	return false
}

// end is what became of the file. What comes from now on is of the next one.
func (d *download) end() *outcome {
	o := d.outcome
	o.took, o.connects = time.Since(d.begun), d.connects.Swap(0)
	d.outcome = outcome{url: o.url, size: -1}
	d.begun, d.resumed, d.past = time.Now(), 0, d.bytes
	return &o
}

// failed notes what failed of what followed.
func (d *download) failed(err error) {
	switch {
	case err == nil:
	case d.err == nil:
		d.err = err
	default:
		d.more++
	}
}

// error is err with what failed beside it.
func (d *download) error(err error) error {
	beside := d.err
	if d.more > 0 {
		beside = fmt.Errorf("%w; and %d more", d.err, d.more)
	}
	switch {
	case beside == nil:
		return err
	case err == nil:
		return beside
	}
	return fmt.Errorf("%w; %v", err, beside)
}
