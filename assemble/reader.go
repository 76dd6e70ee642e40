package assemble

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"

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
	cancel  context.CancelFunc
	unbind  func() bool // from the context that Open was given
	run     func(f func(ctx context.Context)) context.CancelFunc
	crew    *crew // every goroutine of the stream

	mu      sync.Mutex
	ready   *sync.Cond // something to read, or a reason to look
	awaited *pipe      // what the reader waits for bytes of; nil: it waits for the queue, or for nothing
	queue   []*Leaf    // handed on by the walker, in order
	ended   bool       // the walker has nothing behind queue
	rooted  bool       // info is known
	info    source.Info
	stopped error // why the stream was stopped: that of the context, or errClosed
	stats   Stats
	loan    loan
	origins map[string]struct{}

	// What follows is the reading goroutine's.
	head     *Leaf
	handed   bool // bytes of head were handed on
	rewound  bool // the part that comes next was begun before
	headNext int  // the head's next alternative when what is read now was fetched
	pos      int64
	high     int64 // the most that pos was
	part     int64 // the number of the part that comes next
	noted    noted // of what Options.Place was told last
	settled  int64 // where the verified bytes end, and those that nothing was promised of
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
	o.memo = newMemo(o)
	ctx, cancel := context.WithCancel(ctx)
	r := &Reader{o: o, w: newWalker(o, url), account: v.Budget.Account(headReserve), cancel: cancel, crew: newCrew()}
	r.ready = sync.NewCond(&r.mu)
	r.loan.back, r.loan.calm = sync.NewCond(&r.mu), sync.NewCond(&r.mu)
	r.origins = make(map[string]struct{})
	r.run = func(f func(context.Context)) context.CancelFunc {
		ctx, cancel := context.WithCancel(ctx)
		r.crew.do(func() {
			defer cancel()
			f(ctx)
		})
		return cancel
	}
	r.w.run, r.w.fetch, r.w.onRoot = r.run, r.fetch, r.answered
	r.unbind = context.AfterFunc(ctx, func() { r.stop(context.Cause(ctx)) })
	r.startWalk()
	if err := r.awaitRoot(); err != nil {
		r.Close() // its error would say less than err
		return nil, err
	}
	return r, nil
}

// answered is called by the walker.
func (r *Reader) answered(info source.Info, manifest bool) (prior *Prior, err error) {
	if manifest {
		info.Size, info.Seekable = -1, false
	}
	if begin := r.o.opts.Begin; begin != nil {
		if prior, err = begin(info, manifest); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if prior != nil {
		r.pos, r.high, r.settled = prior.Size, prior.Size, prior.Size
	}
	r.info, r.rooted = info, true
	r.ready.Broadcast()
	return prior, nil
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
	r.loan.rush = false
	r.loan.calm.Broadcast()
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

// Settled is the offset of the stream up to which Options.Rewind takes nothing back: the start of the part being read,
// if a digest was promised of it, else that of what is read next. It is for the goroutine that reads, and holds also
// after an error.
func (r *Reader) Settled() int64 { return r.settled }

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
		r.wake(nil)
		r.mu.Unlock()
		if err != nil || r.w.halted {
			return
		}
	}
}

// Close ends the stream: no request, goroutine or temporary file of it is left when Close returns. A second Close
// does nothing.
func (r *Reader) Close() error {
	r.unbind()
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
	r.crew.end()
	return err
}
