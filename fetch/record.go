package fetch

import (
	"io"
	"sync"
	"time"

	"spate/fetch/journal"
	"spate/format/span"
)

const (
	syncEvery = time.Second // and each syncBytes, what was written is made durable
	syncBytes = 64 << 20
	// queued is how many blocks wait for their checksum at most.
	queued = 16
)

// A block is bytes of the file that were written.
type block struct {
	off   int64
	b     []byte
	giver int    // the source that it came from
	do    func() // in its turn; nil where there are bytes
}

// where is the bytes' place in the file.
func (b *block) where() span.Span { return span.Span{Off: b.off, End: b.off + int64(len(b.b))} }

// A recorder is the [target] of a file: it writes it at many places, and keeps its journal. The checksum of what was written is
// computed by the recorder's own goroutine, which hands the bytes on after that. A file of one block is there before that
// would have helped: its bytes are recorded by who gives them, as long as they take less than syncEvery.
//
// A file that comes quickly and in order has no journal: it is there before the first byte is written out of order, or
// after a second.
type recorder struct {
	file     *File
	header   func() journal.Header
	numbered func(*journal.Header) []int // are the numbers of givers there
	given    func(numbers []int) []journal.Given
	pass     func(block) // takes the bytes on
	voided   func()      // is told that those passed on before are void
	failed   func(err error)

	retract func(x *span.Set) // is told that of those x is void
	free    func(b []byte)    // takes back a buffer

	blocks chan block    // nil before there are goroutines
	wake   chan struct{} // of who syncs
	wg     sync.WaitGroup

	late   *time.Timer // starts the goroutines of a small file; nil: they run
	giving sync.Mutex  // of a small file, held while a block is recorded by who gives it; before mu
	alone  bool        // there are no goroutines, yet or any more
	fresh  int         // bytes since the last sync

	mu    sync.Mutex
	early []journal.Range // what is there while there is no journal
	next  int64           // all before it came in order
	of    []int           // the numbers of the givers, in the journal

	disowned map[int]bool // whose bytes are void
}

func newRecorder(f *File) *recorder {
	return &recorder{file: f, numbered: func(*journal.Header) []int { return nil }, given: func([]int) []journal.Given { return nil },
		retract: func(*span.Set) {}, free: func([]byte) {}, disowned: make(map[int]bool)}
}

// start begins to record; small says that the file has one block. It is followed by end.
func (r *recorder) start(small bool) {
	if small {
		r.alone = true
		r.late = time.AfterFunc(syncEvery, r.goOn)
		return
	}
	r.work()
}

// work starts what records in the background.
func (r *recorder) work() {
	r.blocks, r.wake = make(chan block, queued), make(chan struct{}, 1)
	r.sync()
	r.wg.Go(r.run)
	r.wg.Go(r.syncAll)
}

// goOn is for a small file that takes its time.
func (r *recorder) goOn() {
	r.giving.Lock()
	defer r.giving.Unlock()
	if r.alone {
		r.alone = false
		r.work()
	}
}

// ReadAt reads what was written.
func (r *recorder) ReadAt(p []byte, off int64) (int, error) { return r.file.ReadAt(p, off) }

func (r *recorder) pin(span.Span) io.ReaderAt { return r.file }

// put writes b, and records it. There is a journal before anything is written out of order.
func (r *recorder) put(b block, joins func() error) error {
	if !r.isNext(b.where()) {
		if err := r.begin(); err != nil {
			return err
		}
	}
	if _, err := r.file.WriteAt(b.b, b.off); err != nil {
		return err
	}
	if err := joins(); err != nil {
		return err
	}
	r.give(b)
	return nil
}

// numberOf is that of a giver in the journal; -1: it has none. r.mu is held.
func (r *recorder) numberOf(giver int) int {
	if giver < len(r.of) {
		return r.of[giver]
	}
	return -1
}

// isNext reports whether x is in order, up to which all is written or about to be.
func (r *recorder) isNext(x span.Span) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.Off != r.next {
		return false
	}
	r.next = x.End
	return true
}

// give takes what was written. It is safe for concurrent use.
func (r *recorder) give(b block) {
	if r.late != nil {
		r.giving.Lock()
		defer r.giving.Unlock()
	}
	if r.alone {
		r.record(b)
		return
	}
	r.blocks <- b
}

// begin makes sure that there is a journal.
func (r *recorder) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.journal != nil {
		return nil
	}
	h := r.header()
	of := r.numbered(&h)
	s := &journal.State{Header: h, Ranges: r.early}
	if len(h.Origins) > 1 { // else all is of that
		s.Given = r.given(of)
	}
	err := r.file.beginJournal(s)
	if err == nil {
		r.early, r.of = nil, of
	}
	return err
}

func (r *recorder) run() {
	defer close(r.wake)
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	for {
		select {
		case b, ok := <-r.blocks:
			if !ok {
				return
			}
			r.record(b)
			if r.fresh < syncBytes {
				continue
			}
		case <-tick.C:
		}
		r.sync()
	}
}

// sync has what was written made durable, unless that is under way, or it is.
func (r *recorder) sync() {
	if r.fresh == 0 {
		return
	}
	r.fresh = 0
	if err := r.begin(); err != nil {
		r.failed(err)
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

func (r *recorder) syncAll() {
	for range r.wake {
		if err := r.file.journal.Sync(r.file.part); err != nil {
			r.failed(err)
		}
	}
}

func (r *recorder) record(b block) {
	switch {
	case b.do != nil:
		b.do()
		return
	case r.isDisowned(b.giver):
		r.free(b.b)
		return
	}
	if err := r.add(b.where(), journal.Checksum(b.b), b.giver); err != nil {
		r.failed(err)
	}
	r.fresh += len(b.b)
	r.pass(b)
}

func (r *recorder) add(x span.Span, crc uint32, giver int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.journal != nil {
		return r.file.journal.AddFrom(x, crc, r.numberOf(giver))
	}
	if n := len(r.early); n > 0 && r.early[n-1].End == x.Off {
		last := &r.early[n-1]
		last.End, last.CRC = x.End, journal.Combine(last.CRC, crc, x.Len())
		return nil
	}
	r.early = append(r.early, journal.Range{Span: x, CRC: crc})
	return nil
}

// inTurn does do once all is recorded that was given before, and nothing that is given after, and waits for that.
func (r *recorder) inTurn(do func()) {
	done := make(chan struct{})
	r.give(block{do: func() {
		defer close(done)
		do()
	}})
	<-done
}

// restart makes void what was written before. It must have returned before anything is written anew.
func (r *recorder) restart() { r.inTurn(r.void) }

// disown takes back x, all that giver gave and that is there. What else of him is on its way is dropped.
func (r *recorder) disown(giver int, x *span.Set) (err error) {
	r.mu.Lock()
	r.disowned[giver] = true
	r.mu.Unlock()
	r.inTurn(func() {
		for y := range x.All() {
			if err = r.forget(y); err != nil {
				return
			}
		}
		r.retract(x)
	})
	return err
}

func (r *recorder) isDisowned(giver int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.disowned[giver]
}

func (r *recorder) void() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.voided()
	r.early, r.next = nil, 0
	if j := r.file.journal; j != nil {
		h := r.header()
		r.of = r.numbered(&h)
		if err := j.Restart(h); err != nil {
			r.failed(err)
		}
	}
}

// forget takes back that x was written, because it is wrong. It must have returned before anything of x is written anew. What
// was recorded as one with bytes of x, and is right, is recorded anew.
func (r *recorder) forget(x span.Span) error {
	if err := r.begin(); err != nil {
		return err
	}
	j := r.file.journal
	beside, err := j.Forget(x)
	if err != nil {
		return err
	}
	beside.Remove(x)
	for y := range beside.All() {
		b := make([]byte, y.Len())
		if _, err := r.file.ReadAt(b, y.Off); err != nil {
			return err
		}
		if err := j.Add(y, journal.Checksum(b)); err != nil {
			return err
		}
	}
	return nil
}

// end waits for all that was given to be recorded. What is not the whole is made durable, as far as that goes; of an object of unknown
// size there is no journal then, as nothing could go on with it.
func (r *recorder) end(whole bool) error {
	r.stop()
	if whole || r.file.journal == nil && r.early == nil {
		return nil
	}
	if err := r.begin(); err != nil {
		return err
	}
	if r.file.journal.State().Header.Size < 0 {
		return r.file.distrust()
	}
	return r.file.journal.Sync(r.file.part)
}

// stop ends the goroutines, if there are any, once all that was given is recorded.
func (r *recorder) stop() {
	if r.late != nil {
		r.late.Stop()
		r.giving.Lock()
		defer r.giving.Unlock()
	}
	if r.alone {
		r.alone = false
		return
	}
	close(r.blocks)
	r.wg.Wait()
}
