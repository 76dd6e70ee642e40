package assemble

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"maps"
	"slices"
	"sync"

	"spate/event"
	"spate/internal/redact"
	"spate/source"
	"spate/source/budget"
)

// A Reader reads a stream: what a URL means, with manifests executed and parts assembled, while it arrives.
//
// One goroutine at a time may call Read or WriteTo; Close, Info and Stats may be called from any, Close to end a Read
// that waits. Errors are final. They are *[PartError] where no alternative of a part works, *[source.Error] for the
// URL that was asked for, [io.ErrNoProgress], [ErrDepth], and that of the context.
type Reader struct {
	o       *opener
	w       *Walker
	account *budget.Account
	free    freeList
	cancel  context.CancelFunc
	run     func(f func(ctx context.Context)) context.CancelFunc
	wg      sync.WaitGroup // of every goroutine of the stream

	mu      sync.Mutex
	ready   *sync.Cond // something to read, or a reason to look
	queue   []*Leaf    // handed on by the walker, in order
	ended   bool       // the walker has nothing behind queue
	rooted  bool       // info is known
	info    source.Info
	stopped error // why the stream was stopped: that of the context, or errClosed
	stats   Stats
	origins map[string]struct{}

	// What follows is the reading goroutine's.
	head     *Leaf
	handed   bool // bytes of head were handed on
	headNext int  // the head's next alternative when what is read now was fetched
	pos      int64
	high     int64 // the most that pos was
	crc      uint64
	highCRC  uint64
	idle     idling
	unwinds  int // since high has grown
	err      error
	closed   bool
	stopWalk func()     // ends the walking goroutine and waits for it
	reading  sync.Mutex // held by Read and WriteTo, so that Close does not free what they use
}

var (
	errClosed      = errors.New("the stream was closed")
	errShort       = errors.New("it is shorter than what was read of it before")
	errLost        = errors.New("internal error: the part has another length than what was handed on")
	errUnwindLimit = errors.New("alternatives of enclosing parts bring nothing new")
)

// Stats counts what a stream did so far.
type Stats struct {
	Parts    int64    // that the reader has reached
	Opens    int64    // requests
	Failures int64    // alternatives given up
	Cached   int64    // parts served without a request of their own
	Origins  []string // host:port of those that served a part, "file" for local files; sorted, at most 1000
}

const maxOrigins = 1000

// Open begins to read url and returns once it has answered. ctx governs the whole stream. Close must be called.
func Open(ctx context.Context, src source.Source, url string, opts *Options) (*Reader, error) {
	v := opts.withDefaults()
	o := &opener{src: src, opts: &v}
	o.memo = &memo{o: o, store: &store{memLeft: v.CacheMemory, diskLeft: v.CacheDisk}, fills: make(map[string]*fill)}
	ctx, cancel := context.WithCancel(ctx)
	r := &Reader{o: o, w: newWalker(o, url), account: v.Budget.Account(headReserve), cancel: cancel}
	r.ready = sync.NewCond(&r.mu)
	r.origins = make(map[string]struct{})
	r.run = func(f func(context.Context)) context.CancelFunc {
		ctx, cancel := context.WithCancel(ctx)
		r.wg.Go(func() {
			defer cancel()
			f(ctx)
		})
		return cancel
	}
	r.w.run, r.w.fetch, r.w.onRoot = r.run, r.fetch, r.answered
	context.AfterFunc(ctx, func() { r.stop(context.Cause(ctx)) })
	r.startWalk()
	if err := r.awaitRoot(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// answered is called by the walker.
func (r *Reader) answered(info source.Info, manifest bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if manifest {
		info.Size, info.Seekable = -1, false
	}
	r.info, r.rooted = info, true
	r.ready.Broadcast()
}

// awaitRoot waits for the answer to the URL that was asked for.
func (r *Reader) awaitRoot() error {
	r.mu.Lock()
	for !r.rooted && r.stopped == nil && len(r.queue) == 0 {
		r.ready.Wait()
	}
	rooted := r.rooted
	r.mu.Unlock()
	if rooted {
		return nil
	}
	_, err := r.next()
	return err
}

// stop makes every wait of the reading goroutine return err.
func (r *Reader) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == nil {
		r.stopped = err
	}
	r.ready.Broadcast()
}

// Info is what the origin told of the URL that was asked for. A manifest's Size is not the stream's: it is -1.
func (r *Reader) Info() source.Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.info
}

// Stats returns the counts as of now.
func (r *Reader) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Opens, s.Failures = r.o.opens.Load(), r.o.failures.Load()
	s.Origins = slices.Sorted(maps.Keys(r.origins))
	return s
}

// Settled is the offset of the stream up to which Options.Rewind takes nothing back: that of the part being read, if
// a digest was promised of it, else that of what is read next. It is for the goroutine that reads.
func (r *Reader) Settled() int64 {
	if r.head != nil && r.head.promised {
		return r.head.start.off
	}
	return r.pos
}

// Read reads the next bytes of the stream.
func (r *Reader) Read(p []byte) (int, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if len(p) == 0 {
		return 0, r.err
	}
	b, err := r.next()
	if err != nil {
		return 0, err
	}
	n := copy(p, b)
	r.advance(b[:n])
	return n, nil
}

// WriteTo writes the rest of the stream to w as it arrives.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	begin := r.pos
	for {
		b, err := r.next()
		if err == io.EOF {
			return r.pos - begin, nil
		}
		if err != nil {
			return r.pos - begin, err
		}
		n, err := w.Write(b)
		r.advance(b[:n])
		if err != nil {
			return r.pos - begin, err
		}
	}
}

// next waits for bytes that are new, and returns them.
func (r *Reader) next() ([]byte, error) {
	for r.err == nil {
		b, err := r.step()
		if len(b) > 0 {
			return b, nil
		}
		r.err = err
	}
	return nil, r.err
}

// step makes one step towards the next bytes.
func (r *Reader) step() ([]byte, error) {
	l := r.head
	if l == nil {
		return nil, r.takeHead()
	}
	b, err := r.peek(l)
	switch {
	case err == nil && r.pos < r.high:
		return nil, r.replay(b)
	case err == nil:
		return b, nil
	case err == io.EOF && r.pos < l.c.need:
		return nil, r.fail(l, l.next, errShort)
	case err == io.EOF && r.pos-l.start.off != l.t.off:
		return nil, fmt.Errorf("read %s: %w", redact.URL(l.answer.info.URL), errLost)
	case err == io.EOF:
		r.drop(l)
		r.head = nil
		return nil, nil
	case err == errFailed:
		return nil, r.giveUp(l)
	}
	return nil, err
}

// advance counts bytes that were handed on.
func (r *Reader) advance(b []byte) {
	r.sum(b)
	r.pos += int64(len(b))
	r.high, r.highCRC = r.pos, r.crc
	r.handed = r.handed || len(b) > 0
	r.idle, r.unwinds = idling{}, 0
	r.w.heard.Store(true)
	r.consume(r.head, len(b))
}

// sum keeps the CRC of the stream, where there may be something to compare it with.
func (r *Reader) sum(b []byte) {
	if r.head.c.choice || r.pos < r.high {
		r.crc = crc64.Update(r.crc, crcTable, b)
	}
}

// replay compares bytes that were handed on before with those that come now.
func (r *Reader) replay(b []byte) error {
	b = b[:min(int64(len(b)), r.high-r.pos)]
	r.sum(b)
	r.pos += int64(len(b))
	r.consume(r.head, len(b))
	if r.pos == r.high && r.crc != r.highCRC {
		return r.fail(r.head, r.headNext, errDiffers)
	}
	return nil
}

// takeHead waits for the walker's next leaf.
func (r *Reader) takeHead() error {
	l, err := r.dequeue()
	if err != nil {
		return err
	}
	if l.reset != nil && l.reset.set {
		r.pos, r.crc = l.reset.off, l.reset.crc
	}
	if !l.start.set {
		*l.start = mark{set: true, off: r.pos, crc: r.crc}
	}
	r.idle.opens += l.idle.opens
	r.idle.again += l.idle.again
	if err := r.idle.check(r.o.opts.MaxIdleOpens); err != nil {
		r.drop(l)
		return err
	}
	switch {
	case l.fatal != nil:
		return r.fatal(l)
	case l.isCheck && r.pos >= l.c.need:
		return nil
	case l.isCheck:
		l.errs = append(slices.Clip(l.errs), errShort)
		return r.unwind(l, false)
	case l.dead:
		return r.unwind(l, true)
	}
	r.head, r.handed = l, false
	r.begun(l)
	return nil
}

func (r *Reader) dequeue() (*Leaf, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		switch {
		case r.stopped != nil:
			return nil, r.stopped
		case len(r.queue) > 0:
			l := r.queue[0]
			r.queue[0] = nil
			r.queue = r.queue[1:]
			return l, nil
		case r.ended:
			return nil, io.EOF
		}
		r.ready.Wait()
	}
}

func (r *Reader) fatal(l *Leaf) error {
	if l.c.doc == nil {
		return l.fatal
	}
	return fmt.Errorf("read %s: line %d: %w", redact.URL(l.c.doc.to.url), l.c.part.Line, l.fatal)
}

// begun counts and tells that the reader has reached l.
func (r *Reader) begun(l *Leaf) {
	r.served(l.answer.info.URL)
	r.mu.Lock()
	r.stats.Parts++
	part := r.stats.Parts
	if l.answer.cached {
		r.stats.Cached++
	}
	r.mu.Unlock()
	r.o.opts.emit(event.Event{Type: event.Part, Part: part, URL: redact.URL(l.answer.info.URL),
		Origin: originOf(l.answer.info.URL), Size: l.answer.size, Cached: l.answer.cached, Line: l.c.part.Line})
}

// served remembers the origin of rawURL.
func (r *Reader) served(rawURL string) {
	origin := originOf(rawURL)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.origins) < maxOrigins {
		r.origins[origin] = struct{}{}
	}
}

// fail gives up what the head was read from, because of bytes that the reader has compared. The fetcher may be at a
// later alternative already: next is the one to go on with.
func (r *Reader) fail(l *Leaf, next int, cause error) error {
	l.discard()
	<-l.stopped
	l.next, l.errs = next, append(slices.Clip(l.errs), cause)
	return r.unwind(l, false)
}

// giveUp goes on after the head's own alternatives could not finish it.
func (r *Reader) giveUp(l *Leaf) error {
	if !l.again {
		return r.unwind(l, true)
	}
	if !r.handed {
		return r.unwind(l, false)
	}
	if r.o.opts.Rewind == nil {
		return l.errs[len(l.errs)-1]
	}
	if err := r.o.opts.Rewind(l.start.off); err != nil {
		return err
	}
	r.pos, r.crc = l.start.off, l.start.crc
	r.high, r.highCRC = r.pos, r.crc
	return r.unwind(l, true)
}

// unwind sets the walk back, to where another alternative is left, and begins it anew from there.
func (r *Reader) unwind(l *Leaf, exact bool) error {
	r.stopWalk()
	r.drop(l)
	r.head = nil
	r.mu.Lock()
	behind := r.queue
	r.queue, r.ended = nil, false
	r.mu.Unlock()
	for _, b := range behind {
		b.abandon()
		r.drop(b)
	}
	if r.unwinds++; r.unwinds > maxIdleUnwinds {
		return fmt.Errorf("%w: %w", io.ErrNoProgress, errUnwindLimit)
	}
	if err := r.w.Unwind(l, stand{pos: r.pos, high: r.high, exact: exact}); err != nil {
		return err
	}
	r.startWalk()
	return nil
}

// startWalk starts the goroutine that walks ahead.
func (r *Reader) startWalk() {
	done := make(chan struct{})
	cancel := r.run(func(ctx context.Context) {
		defer close(done)
		r.walk(ctx)
	})
	r.stopWalk = func() {
		cancel()
		<-done
	}
}

func (r *Reader) walk(ctx context.Context) {
	for {
		l, err := r.w.Next(ctx)
		r.mu.Lock()
		switch {
		case err == nil:
			r.queue = append(r.queue, l)
		case err == io.EOF:
			r.ended = true
		}
		r.ready.Broadcast()
		r.mu.Unlock()
		if err != nil || r.w.halted {
			return
		}
	}
}

// Close ends the stream: no request, goroutine or temporary file of it is left when Close returns. A second Close
// does nothing.
func (r *Reader) Close() error {
	r.stop(errClosed)
	r.cancel()
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	r.stopWalk()
	r.err = errClosed
	if r.head != nil {
		r.drop(r.head)
	}
	for _, l := range r.queue {
		r.drop(l)
	}
	r.w.clear(nil)
	err := r.o.memo.close()
	r.wg.Wait()
	return err
}
