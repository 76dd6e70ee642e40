package blockcache

import (
	"container/list"
	"errors"
	"log/slog"
	"sync"
	"time"

	"spate/internal/seal"
)

// A Cache is safe for concurrent use.
//
// What is known of blocks is guarded by one mutex, which is never held over I/O. A block that is written, read or dropped is
// marked as such meanwhile: only what is marked so is touched on disk, and only by who marked it.
type Cache struct {
	max      int64
	ttl      time.Duration
	most     int // objects
	log      *slog.Logger
	keys     *keys
	run      *runDir
	store    store
	perBlock bool  // the store has a file per block
	page     int64 // what a file system gives and takes back at least

	boxes   []*seal.Box // of the runs that have sealed what is here; [0] is this one's
	salts   [][]byte    // theirs
	scratch sync.Pool   // *scratch

	mu      sync.Mutex
	settled sync.Cond // on mu: a block is written or dropped
	objects map[ID]*object
	blocks  lru
	idle    list.List // of *object: those that nobody has open, the longest first
	used    int64     // bytes on disk, with those of writes under way
	stats   Stats
	full    time.Time // until then there is no use in trying to write
	said    bool      // that writing fails
	changed bool      // since the index was written
	closed  bool

	ops   sync.WaitGroup // operations under way; none begins after closed
	first chan struct{}  // there is another first one of idle
	done  chan struct{}  // closed: the goroutines of the cache end
	work  sync.WaitGroup // these
	swept chan struct{}  // closed: what crashed processes have left is gone
}

// folderPages are for the folder itself, its lock and the beginning of the index.
const folderPages = 4

func newCache(opt Options, k *keys, run *runDir) (*Cache, error) {
	c := &Cache{
		max: opt.Max, ttl: opt.TTL, most: opt.Objects, log: opt.Log, keys: k, run: run,
		objects: map[ID]*object{}, first: make(chan struct{}, 1), done: make(chan struct{}), swept: make(chan struct{}),
	}
	if c.max <= 0 {
		c.max = defaultMax(opt.Dir)
	}
	c.settled.L = &c.mu
	c.scratch.New = func() any { return new(scratch) }
	c.page = pageSize(run.path)
	c.used = folderPages * c.page
	c.store = &sparseFiles{run.path, c.page}
	if c.perBlock = opt.perBlock || !canPunch(run.path); c.perBlock {
		c.store = &blockFiles{run.path, k}
	}
	if err := c.newRun(newSalt()); err != nil {
		return nil, err
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.work.Go(func() {
		defer close(c.swept)
		sweep(opt.Dir, c.done, c.log)
	})
	c.work.Go(c.keep)
	return c, nil
}

// newRun adds the box of a run.
func (c *Cache) newRun(salt []byte) error {
	box, err := seal.Derive(c.keys.secret, salt, "blocks")
	c.boxes, c.salts = append(c.boxes, box), append(c.salts, salt)
	return err
}

// Stats returns the counters.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Max, s.Bytes, s.Objects, s.Blocks = c.max, c.used, len(c.objects), c.blocks.n
	return s
}

// Close ends all use of the cache: what is under way is waited for, objects that are open have no blocks any more. Without
// a key file everything is removed from the disk.
func (c *Cache) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	close(c.done)
	c.work.Wait()
	c.ops.Wait()
	var errs []error
	for _, o := range c.objects {
		errs = append(errs, o.closeFile())
	}
	if c.keys.persistent() {
		errs = append(errs, c.save(), c.run.keepFor(c.ttl))
	}
	return errors.Join(append(errs, c.run.leave())...)
}

// begin begins an operation, which must end with c.ops.Done. False: the cache is closed. c.mu is held.
func (c *Cache) begin() bool {
	if c.closed {
		return false
	}
	c.ops.Add(1)
	return true
}
