package blockcache

// A state is what is being done with a block on disk. Only a live one may be read.
type state uint8

const (
	writing state = iota
	live
	dying // being dropped; then it is not in the table any more
)

// An entry is a block of the table. There may be hundreds of thousands: with the map's share it takes about 100 bytes.
type entry struct {
	o            *object
	newer, older *entry // in the lru, where it is if it is live
	index        int64
	size         int32 // of the plaintext
	pins         int32 // by who reads it
	run          uint16
	state        state
	bad          bool // it did not open, and goes when nobody reads it any more
}

// strips are those that hold the byte at off, and what follows it as far as there is room. With no room for one, to is at most off.
func (e *entry) strips(off, room int) (from, to int) {
	from = off - off%StripSize
	to = int(e.size)
	if to-from > room {
		to = from + room - room%StripSize
	}
	return from, to
}

func (e *entry) isReadable(off, room int) bool {
	_, to := e.strips(off, room)
	return 0 <= off && off < to
}

// An lru has the live blocks in the order of their last use.
type lru struct {
	newest, oldest *entry
	n              int
}

func (l *lru) add(e *entry) {
	e.older, e.newer = l.newest, nil
	if l.newest != nil {
		l.newest.newer = e
	} else {
		l.oldest = e
	}
	l.newest = e
	l.n++
}

func (l *lru) remove(e *entry) {
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		l.newest = e.older
	}
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		l.oldest = e.newer
	}
	e.newer, e.older = nil, nil
	l.n--
}

func (l *lru) touch(e *entry) {
	if l.newest != e {
		l.remove(e)
		l.add(e)
	}
}
