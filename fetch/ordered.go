package fetch

import (
	"io"
	"math"
	"sync"
	"time"

	"spate/fetch/journal"
	"spate/format/span"
)

const (
	// maxEarly is how many places are held while there is no journal.
	maxEarly = 512
	// maxNames bounds the text of a place that is worth keeping, however it is escaped.
	maxNames = 8 << 10
	// pieceSize is that of the journal: nothing waits longer than to the end of a piece to be recorded.
	pieceSize = journal.DefaultPieceSize
)

// An ordered keeps the journal of a file that is written in order. One that comes quickly has none: it is there after a
// second, or when the file is kept. What is recorded is made durable each second and each 64 MiB, by a goroutine that
// lasts from the first byte until stop.
type ordered struct {
	file *File
	over chan struct{}
	wake chan struct{} // 64 MiB are to be made durable
	once sync.Once
	wg   sync.WaitGroup

	mu      sync.Mutex    // guards what follows, and file.journal; held over writes to the journal
	state   journal.State // while there is no journal: what it will say
	last    journal.Range // written and not recorded yet; it lies within a piece
	fresh   int64         // bytes written since the last sync
	running bool
	err     error // why no more can be recorded
}

func newOrdered(f *File, s journal.State) *ordered {
	return &ordered{file: f, state: s, over: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// add is told that p was written at off, behind all that was before.
func (o *ordered) add(off int64, p []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.start()
	o.take(off, p)
	if o.fresh += int64(len(p)); o.fresh >= syncBytes {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
	return o.err
}

func (o *ordered) start() {
	if !o.running {
		o.running = true
		o.wg.Go(o.run)
	}
}

func (o *ordered) take(off int64, p []byte) {
	for len(p) > 0 && o.err == nil {
		n := min(int64(len(p)), pieceSize-off%pieceSize)
		x := journal.Range{Span: span.Span{Off: off, End: off + n}, CRC: journal.Checksum(p[:n])}
		if !o.last.Empty() {
			x.CRC = journal.Combine(o.last.CRC, x.CRC, n)
			x.Off = o.last.Off
		}
		o.last = x
		if off, p = off+n, p[n:]; off%pieceSize == 0 {
			o.err = o.flush()
		}
	}
}

// flush records what was written.
func (o *ordered) flush() error {
	if o.last.Empty() {
		return nil
	}
	if j := o.file.journal; j == nil {
		o.state.Ranges = append(o.state.Ranges, o.last)
	} else if err := j.Add(o.last.Span, o.last.CRC); err != nil {
		return err
	}
	o.last = journal.Range{}
	return nil
}

// note records where the bytes come from that are written next.
func (o *ordered) note(p journal.Place) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(p.URL)+len(p.Validator)+len(p.Manifest) > maxNames {
		p.URL, p.Validator, p.Manifest = "", "", ""
	}
	if o.err == nil && o.file.journal == nil && len(o.state.Places) >= maxEarly {
		o.err = o.begin()
	}
	switch {
	case o.err != nil:
	case o.file.journal != nil:
		o.err = o.file.journal.Note(p)
	default:
		o.state.Places = append(o.state.Places, p)
	}
	return o.err
}

// begin makes sure that there is a journal.
func (o *ordered) begin() error {
	if o.file.journal != nil {
		return nil
	}
	err := o.file.beginJournal(&o.state)
	if err == nil {
		o.state = journal.State{}
	}
	return err
}

func (o *ordered) run() {
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case <-o.over:
			return
		case <-tick.C:
		case <-o.wake:
		}
		o.sync()
	}
}

// sync makes durable what was written.
func (o *ordered) sync() error {
	j, err := o.recorded()
	if err == nil && j != nil {
		err = j.Sync(o.file.part)
	}
	if err != nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.err = err
	}
	return err
}

// recorded is the journal with all that was written in it; nil if there is nothing that was not durable before.
func (o *ordered) recorded() (*journal.Journal, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fresh == 0 || o.err != nil {
		return nil, o.err
	}
	if err := o.flush(); err != nil {
		return nil, err
	}
	if err := o.begin(); err != nil {
		return nil, err
	}
	o.fresh = 0
	return o.file.journal, nil
}

// rewind takes back what was recorded of the bytes from off on, durably. They are in the file still.
func (o *ordered) rewind(off int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = o.flush()
	}
	if o.err != nil {
		return o.err
	}
	from, err := o.forget(off)
	if err != nil {
		o.err = err
		return err
	}
	o.fresh++ // what is recorded anew is to be confirmed anew
	if err := o.reread(from, off); err != nil {
		return err
	}
	o.err = o.flush()
	return o.err
}

// forget returns from where on nothing is recorded any more: what became one range with bytes behind off goes with them.
func (o *ordered) forget(off int64) (from int64, err error) {
	if j := o.file.journal; j != nil {
		gone, err := j.Forget(span.Span{Off: off, End: math.MaxInt64})
		if err != nil || gone.Len() == 0 {
			return off, err
		}
		return min(off, gone.Bounds().Off), nil
	}
	s := &o.state
	for n := len(s.Places); n > 0 && s.Places[n-1].At >= off; n-- {
		s.Places = s.Places[:n-1]
	}
	from = off
	for n := len(s.Ranges); n > 0 && s.Ranges[n-1].End > off; n-- {
		from = min(from, s.Ranges[n-1].Off)
		s.Ranges = s.Ranges[:n-1]
	}
	return from, nil
}

// reread records bytes that are there.
func (o *ordered) reread(from, end int64) error {
	buf := make([]byte, min(pieceSize, end-from))
	for from < end && o.err == nil {
		p := buf[:min(int64(len(buf)), end-from)]
		if n, err := o.file.part.ReadAt(p, from); n < len(p) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return failed("rewind", o.file.path, err)
		}
		o.take(from, p)
		from += int64(len(p))
	}
	return o.err
}

// stop ends the goroutine. Stopping again does nothing.
func (o *ordered) stop() {
	o.once.Do(func() { close(o.over) })
	o.wg.Wait()
}
