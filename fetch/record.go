package fetch

import (
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
	b     []byte // nil: all that was written before is void
	giver int    // the source that it came from
}

// where is the bytes' place in the file.
func (b *block) where() span.Span { return span.Span{Off: b.off, End: b.off + int64(len(b.b))} }

// A recorder keeps the journal of a file that is written at many places. What it is given was written; its checksum is
// computed by the recorder's own goroutine, which hands the bytes on after that.
//
// A file that comes quickly and in order has no journal: it is there before the first byte is written out of order, or
// after a second.
type recorder struct {
	file   *File
	header func() journal.Header
	pass   func(block) // takes the bytes on
	voided func()      // is told that those passed on before are void
	failed func(err error)

	blocks chan block
	gone   chan struct{} // answers a block that makes others void, once the journal says so
	wake   chan struct{} // of who syncs
	wg     sync.WaitGroup

	mu    sync.Mutex
	early []journal.Range // what is there while there is no journal
}

func newRecorder(f *File) *recorder {
	return &recorder{file: f, blocks: make(chan block, queued), gone: make(chan struct{}), wake: make(chan struct{}, 1)}
}

func (r *recorder) start() {
	r.wg.Go(r.run)
	r.wg.Go(r.syncAll)
}

// begin makes sure that there is a journal. It must have returned before anything is written out of order.
func (r *recorder) begin() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.journal != nil {
		return nil
	}
	j, err := journal.Create(r.file.path+journal.Ext, &journal.State{Header: r.header(), Ranges: r.early})
	if err != nil {
		return err
	}
	r.file.journal, r.early = j, nil
	return nil
}

func (r *recorder) run() {
	defer close(r.wake)
	tick := time.NewTicker(syncEvery)
	defer tick.Stop()
	fresh := 0 // bytes since the last sync
	for {
		select {
		case b, ok := <-r.blocks:
			if !ok {
				return
			}
			r.record(b)
			if fresh += len(b.b); fresh < syncBytes {
				continue
			}
		case <-tick.C:
		}
		if fresh > 0 {
			fresh = 0
			r.sync()
		}
	}
}

// sync has what was written made durable, unless that is under way.
func (r *recorder) sync() {
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
	if b.b == nil {
		r.void()
		r.gone <- struct{}{}
		return
	}
	if err := r.add(b.where(), journal.Checksum(b.b)); err != nil {
		r.failed(err)
	}
	r.pass(b)
}

func (r *recorder) add(x span.Span, crc uint32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file.journal != nil {
		return r.file.journal.Add(x, crc)
	}
	if n := len(r.early); n > 0 && r.early[n-1].End == x.Off {
		last := &r.early[n-1]
		last.End, last.CRC = x.End, journal.Combine(last.CRC, crc, x.Len())
		return nil
	}
	r.early = append(r.early, journal.Range{Span: x, CRC: crc})
	return nil
}

// restart makes void what was written before. It must have returned before anything is written anew.
func (r *recorder) restart() {
	r.blocks <- block{}
	<-r.gone
}

func (r *recorder) void() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.voided()
	r.early = nil
	if j := r.file.journal; j != nil {
		if err := j.Restart(r.header()); err != nil {
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

// end waits for all that was given to be recorded. What is not the whole is made durable, as far as that goes.
func (r *recorder) end(whole bool) error {
	close(r.blocks)
	r.wg.Wait()
	if whole || r.file.journal == nil && r.early == nil {
		return nil
	}
	if err := r.begin(); err != nil {
		return err
	}
	return r.file.journal.Sync(r.file.part)
}
