package fetch

import "spate/sched"

// isSmall reports whether the file has one block: it is there before goroutines of its own would have begun.
func (d *driver) isSmall() bool {
	return d.opts.Window <= 0 && d.info.Size >= 0 && d.info.Size <= maxBlock && d.opts.Pieces == nil
}

// startAlone is start for where there is one connection, at first: the caller is its goroutine until it has answered.
func (d *driver) startAlone() {
	d.mu.Lock()
	d.started, d.alone = true, true
	d.step(sched.Event{Type: sched.Start})
	d.alone = false
	c := d.own
	d.mu.Unlock()
	if c == nil {
		return
	}
	r := c.ask(<-c.work)
	if r.err != nil {
		d.wg.Go(func() { c.run(r) })
		return
	}
	d.asked = r
}

// carryOn has what startAlone has asked for read: by the caller where that is little.
func (d *driver) carryOn() {
	r := d.asked
	if r == nil {
		return
	}
	d.asked = nil
	if d.isSmall() {
		if !d.own.carryOut(r) || d.ended() != nil {
			d.own.close()
			return
		}
		r = nil
	}
	d.wg.Go(func() { d.own.run(r) })
}
