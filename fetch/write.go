package fetch

import (
	"cmp"
	"math"
	"sync"
	"time"

	"spate/event"
	"spate/format/span"
	"spate/sched"
)

// write writes b, which c has fetched, and which it owns from then on.
func (d *driver) write(b block, c *conn) error {
	if len(b.b) == 0 {
		d.recycle(b.b)
		return nil
	}
	isPut := false
	err := d.target.put(b, func() error {
		isPut = true
		d.fetched.Add(int64(len(b.b)))
		return d.join(b, c)
	})
	if err != nil {
		d.recycle(b.b)
		if !isPut {
			d.finish(err)
		}
		return err
	}
	if d.opts.Order == sched.Sequential && d.digest == nil {
		d.tellFrontier()
	}
	return nil
}

// frontierStep is by how much the frontier has to move on to be told.
const frontierStep = 1 << 20

// tellFrontier tells up to where all is written, where no digest does it.
func (d *driver) tellFrontier() {
	d.mu.Lock()
	defer d.unlock()
	off := d.written.NextGap(span.Span{End: math.MaxInt64}).Off
	if off-d.frontier >= frontierStep || off == d.size {
		d.frontier = off
		d.step(sched.Event{Type: sched.Frontier, Off: off})
	}
}

// restart makes what is there void.
func (d *driver) restart() {
	d.mu.Lock()
	d.written, d.voided, d.seams = span.Set{}, true, nil
	d.last, d.lastAsked = seam{}, nil
	clear(d.givers)
	d.mu.Unlock()
	if d.target != nil {
		d.target.restart()
	}
}

// ended is why the download is over; nil while it is not.
func (d *driver) ended() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isOver {
		return cmp.Or(d.err, errOver)
	}
	return nil
}

// tellPeriod is the time between two events of progress.
const tellPeriod = time.Second / 4

// tellProgress tells now and then how many bytes there are, until end is called, which tells it once more.
func (d *driver) tellProgress() (end func()) {
	var telling sync.Mutex
	var over bool
	telling.Lock()
	defer telling.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(tellPeriod, func() {
		telling.Lock()
		defer telling.Unlock()
		if !over {
			d.tellOf(d.survey())
			timer.Reset(tellPeriod)
		}
	})
	return func() {
		telling.Lock()
		defer telling.Unlock()
		over = true
		timer.Stop()
		d.tellOf(d.survey())
	}
}

// survey is how far the download is.
func (d *driver) survey() event.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := event.Event{Type: event.Progress, Bytes: d.written.Bytes(), Size: d.size, Conns: len(d.conns)}
	if d.size > 0 {
		e.Map = d.drawMap()
	}
	return e
}

// drawMap is the file as event.Map draws it. d.mu is held.
func (d *driver) drawMap() string {
	asked := d.written.Clone()
	for _, c := range d.conns {
		asked.Add(c.rest())
	}
	bounds := event.Cells(d.size)
	cells := make([]byte, len(bounds)-1)
	for i := range cells {
		cell := span.Span{Off: bounds[i], End: bounds[i+1]}
		switch {
		case d.written.Covers(cell):
			cells[i] = event.MapThere
		case asked.Covers(cell):
			cells[i] = event.MapAsked
		default:
			cells[i] = event.MapMissing
		}
	}
	return string(cells)
}

// knownSize is told of the size of what did not tell it beforehand.
func (d *driver) knownSize(size int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byEnd = true
	d.sizeLocked(size)
}

// sizeLocked is knownSize for who holds d.mu.
func (d *driver) sizeLocked(size int64) {
	d.size = size
	if d.digest != nil {
		d.digest.seal(size)
	}
}
