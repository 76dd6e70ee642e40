package assemble

// noted is what a Place was told of.
type noted struct {
	leaf *Leaf
	next int // the leaf's next alternative
}

// note tells where the bytes of the head come from that are handed on next, unless that was told.
func (r *Reader) note() error {
	now := noted{r.head, r.headNext}
	if r.o.opts.Place == nil || r.noted == now {
		return nil
	}
	r.noted = now
	return r.o.opts.Place(r.head.place(r.pos, r.headNext))
}

// place is where the byte at off of the stream comes from, which was read while next was the leaf's next alternative.
func (l *Leaf) place(off int64, next int) Place {
	p := Place{At: off, Part: l.start.part, Off: off - l.start.off, Manifest: l.c.manifest(), Line: int64(l.c.part.Line)}
	cur := l.answer.cur
	if next == l.answer.next {
		p.Validator = l.answer.info.Validator
	} else if next > 0 {
		cur = next - 1
	}
	if to, err := resolveTarget(l.c.base(), l.c.part.Alternatives[cur]); err == nil {
		p.URL = to.url
	}
	return p
}

// arrived makes the reader one that has handed on what is there of the stream.
func (r *Reader) arrived(l *Leaf) {
	r.highCRC = l.arrival.crc
	if l.resumed != nil && l.promised {
		r.settled = l.start.off
	}
	r.mu.Lock()
	r.stats.Parts = l.arrival.part
	r.mu.Unlock()
}

// hasChoice reports whether there is anything left to read instead of l, once its own alternatives have failed.
func (l *Leaf) hasChoice() bool {
	return l.next < len(l.c.part.Alternatives) || l.c.up != nil && l.c.up.choice
}
