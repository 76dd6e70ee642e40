package fetch

import (
	"spate/event"
	"spate/fetch/journal"
	"spate/internal/redact"
)

// prepare makes all ready for the first byte of file.
func (d *driver) prepare(file *File) error {
	d.path = file.Path()
	if err := journal.CheckName(file.path + journal.Ext); err != nil {
		return err
	}
	if !d.isSmall() {
		if err := d.makeRoom(file); err != nil {
			return err
		}
	}
	r := newRecorder(file)
	r.header, r.numbered, r.given, r.failed = d.header, d.numbers, d.givenAs, d.finish
	r.free = d.recycle
	r.pass, r.voided = func(b block) { d.recycle(b.b) }, func() {}
	if err := d.prepareDigests(r); err != nil {
		return err
	}
	resumed := d.written.Len() > 0
	if resumed {
		var err error
		if r.early, err = file.remaining(&d.written); err != nil {
			return err
		}
	} else if file.left != nil { // what was left has proved to be of no use
		if err := file.dropJournal(); err != nil {
			return err
		}
	}
	d.mu.Lock()
	d.target = r
	d.mu.Unlock()
	r.start(d.isSmall())
	d.startDigests()
	d.tellBegin()
	if resumed {
		return r.begin()
	}
	return nil
}

// makeRoom makes sure that there is space for a file that will have a journal, as far as that can be known, and a name for that.
func (d *driver) makeRoom(file *File) error {
	if err := file.checkSuccessor(); err != nil || d.info.Size <= 0 {
		return err
	}
	return allocate(file.part, d.info.Size)
}

func (d *driver) tellBegin() {
	if d.opts.Events != nil && !d.again { // what is told takes its time to be made up
		d.tellOf(event.Event{Type: event.Begin, Path: d.path, URL: redact.URL(d.info.URL), Size: d.size, Bytes: d.written.Bytes()})
	}
}

// header is what the journal says of the object.
func (d *driver) header() journal.Header {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := journal.Header{Size: d.size, Digests: d.told(), Pieces: d.opts.Pieces != nil}
	for i, o := range d.origins {
		mayGive := o.answered || len(d.mirrors) > 1 && !o.aside || d.givers[i].Len() > 0 // of one that has not answered yet, no validator is known
		if mayGive && len(h.Origins) < maxNoted {
			h.Origins = append(h.Origins, journal.Origin{URL: d.mirrors[i].URL, Validator: o.Validator})
		}
	}
	if d.opts.Left == nil || d.voided { // of which nothing is left
		return h
	}
	for _, o := range d.opts.Left.left.Header.Origins {
		if _, known := h.Origin(o.URL); !known && len(h.Origins) < maxNoted {
			h.Origins = append(h.Origins, o)
		}
	}
	return h
}

// maxNoted is how many origins a journal tells of.
const maxNoted = 32
