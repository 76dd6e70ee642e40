// Package fill has files of origins as blocks, filled on demand, each byte fetched once however many read it.
//
// A [Pool] has [File]s. A File is what a set of mirrors has: its blocks are asked for where somebody reads, by runs of missing
// neighbours; who reads what is on its way waits for the block, not for the one who asked first, and has its bytes as they come.
// A run belongs to nobody: it goes on as long as somebody wants what it brings, and 2 s longer, then it is closed.
//
//	         Open, Read, Close           plan                  begin, halt, fail
//	Readers ───────────────────► object ──────► core (pure) ──────────────────► one goroutine per stream: slot, answer, bytes
//	   ▲                           ▲ │                                             │
//	   │ bytes, as they come       │ └── parts: blocks being filled                │
//	   └────────── store ──────────┴─────────────── take ◄─────────────────────────┘
//	         memory, then the cache
//
// What is read ahead is what was read without a gap, 256 KiB at least and 8 MiB at most, and nothing at first. Who waits comes
// first, then what will be read, then what nobody has asked for ([Options].Fill): a connection is taken from the later for the
// former. A stream that is silent for 4 times its usual gap, 2 s at least and 6 s at most, is overdue: another mirror, or another
// connection, is asked for the same, and who brings a block first wins.
//
// A File is one version. Every answer has to agree with the first one: size, validator, digests. If one does not, readers fail with
// an error that is [source.ErrChanged], and the next [Pool.Open] sees what is there now. Where a validator does not name the bytes,
// and between mirrors, bytes of two answers are joined for a reader only where they were compared, see seam.go.
//
// What has no known end is one stream. Whoever opens it later joins, as long as all that came is there; once it has ended, its size
// is known. An origin without ranges is read from its beginning, once, and what comes is kept in blocks.
package fill

import (
	"container/list"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"spate/source"
)

// Options are those of a [Pool].
type Options struct {
	// Source is what opens the mirrors. It ends answers that are silent for good, as drivers do: where all connections of a file are, that
	// is what its readers wait for.
	Source source.Source
	Cache  Cache // nil: what is read is kept in Memory alone

	BlockSize   int64         // default 256 KiB
	Memory      int64         // bytes of blocks in memory, besides those being filled; default 24 MiB
	Connections int           // in all; default 32
	PerHost     int           // default 8
	PerFile     int           // default 4
	Fill        bool          // fetch the whole of each file that is open
	Fresh       time.Duration // how long an answer is trusted to tell what a file is, see Open; default 10 s; below 0: always
	Keep        time.Duration // how long a file that nobody has open is remembered; default 10 min
	Files       int           // that nobody has open, remembered at most: those that were used last; default 1,024
	Unknown     int64         // bytes; what has no known end is put into the Cache up to there; default 256 MiB
	Log         *slog.Logger  // default: none
}

// What says which file to open.
type What struct {
	Mirrors []string // at least one; the first ones are preferred
	// At is where it will be read first: that is asked for, so that the answer which tells what the file is brings something
	// useful. Below 0: nobody knows yet, and only its beginning is asked for.
	At int64
	// End is where what is read first ends, so that no origin is asked for more, which it would send into the buffers on the way; at
	// or before At: nobody knows, and the first request is for all from At on.
	End int64
	// Fresh is in place of the option, where it is not 0.
	Fresh time.Duration
	// Accept refuses a mirror by what its first answer tells; nil: none is refused. Opens of the same mirrors have the same one.
	Accept func(*source.Info) error
	// Hashes are those of blocks, where there are any. Opens of the same mirrors have the same ones.
	Hashes Hashes
}

// Hashes are those of a file's blocks. A block whose hash is known is handed out once it was checked.
type Hashes interface {
	Known(index int64) bool
	// Check reports whether data is what block index has to be.
	Check(index int64, data []byte) bool
}

// A Pool has files, and the connections that they share. [New] makes one. It is safe for concurrent use. Close it in the end.
type Pool struct {
	opts   Options
	mem    *memory
	slabs  slabs
	slots  *slots
	count  counters
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	nonce  string
	open   atomic.Int64 // readers

	mu      sync.Mutex // comes after that of an object
	closed  bool
	objects map[string]*object
	all     map[*object]struct{} // those that were replaced, too
	idle    list.List            // of *object that nobody uses, the one that was left last first
	made    int64

	condemned map[string]verdict // by key
	floor     int                // of the counts of those that are not remembered any more
}

// New makes a Pool. opts.Source must be set.
func New(opts *Options) *Pool {
	o := opts.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	return &Pool{opts: o, mem: newMemory(o.Memory), slabs: slabs{size: o.BlockSize}, slots: &slots{all: o.Connections, host: o.PerHost, object: o.PerFile},
		ctx: ctx, cancel: cancel, nonce: rand.Text(), objects: map[string]*object{}, all: map[*object]struct{}{},
		condemned: map[string]verdict{}}
}

func (o *Options) withDefaults() Options {
	d := *o
	def(&d.BlockSize, 256<<10)
	def(&d.Memory, 24<<20)
	def(&d.Connections, 32)
	def(&d.PerHost, 8)
	def(&d.PerFile, 4)
	def(&d.Keep, 10*time.Minute)
	def(&d.Files, 1<<10)
	def(&d.Unknown, 256<<20)
	if d.Fresh == 0 {
		d.Fresh = 10 * time.Second
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return d
}

func def[T int | int64 | time.Duration](p *T, v T) {
	if *p <= 0 {
		*p = v
	}
}

// Open opens a file: it returns once an origin has told what it is, which it is asked where nobody knows, or where that was told
// longer ago than Fresh. Opens of the same mirrors share their blocks and
// fetches; those under [source.Vouch] do with each other. The error is that of the one mirror, or a
// [fetch.MirrorsError], or that of ctx. The File is to be closed.
func (p *Pool) Open(ctx context.Context, what What) (*File, error) {
	for {
		o, err := p.take(what, source.IsVouched(ctx))
		if err != nil {
			return nil, err
		}
		err = o.learn(ctx, what)
		if err == nil {
			return &File{o: o}, nil
		}
		p.release(o)
		if err != errReplaced {
			return nil, err
		}
	}
}

// take is the object of the mirrors, with one more to use it.
func (p *Pool) take(what What, vouched bool) (*object, error) {
	if len(what.Mirrors) == 0 {
		return nil, errNothing
	}
	key, ctx := keyOf(what.Mirrors, vouched), p.ctx
	if vouched {
		ctx = source.Vouch(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	o := p.objects[key]
	if o == nil {
		o = newObject(ctx, p, key, what)
		o.heed(p.verdict(key))
		p.objects[key], p.all[o] = o, struct{}{}
	}
	p.taken(o)
	return o, nil
}

// use is for a reader of o, which is used already.
func (p *Pool) use(o *object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o.users.Add(1)
	p.open.Add(1)
}

// leave is for a reader that is closed.
func (p *Pool) leave(o *object) {
	p.open.Add(-1)
	p.release(o)
}

// number is one that no other version of a file of p has.
func (p *Pool) number() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	return p.made
}

// Close ends all fetches and returns when no goroutine is left. Readers fail with ErrClosed. The Cache stays open.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	var all []*object
	for o := range p.all {
		all = append(all, o)
		if o.expiry != nil {
			o.expiry.Stop()
		}
	}
	p.objects, p.all = map[string]*object{}, map[*object]struct{}{}
	p.mu.Unlock()
	for _, o := range all {
		o.shut(ErrClosed)
	}
	p.cancel()
	p.wg.Wait()
	return nil
}
