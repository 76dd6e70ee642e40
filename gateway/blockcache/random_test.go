package blockcache

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// A watched store sums what is on disk at most at any time: a block from before it is written until after it is dropped.
// It fails if that exceeds the bound, or if one block is written, read or dropped while another does.
type watched struct {
	store
	t   *testing.T
	c   *Cache
	max int64

	mu      sync.Mutex
	sum     int64
	sizes   map[watchedBlock]int64
	reading map[watchedBlock]int
	busy    map[watchedBlock]bool
}

type watchedBlock struct {
	o     *object
	index int64
}

func watch(t *testing.T, c *Cache) *watched {
	w := &watched{store: c.store, t: t, c: c, max: c.max}
	w.sizes, w.reading, w.busy = map[watchedBlock]int64{}, map[watchedBlock]int{}, map[watchedBlock]bool{}
	c.store = w
	return w
}

// blocksOf are those of runs, or with last all of o.
func (w *watched) blocksOf(o *object, runs []run, last bool) (list []watchedBlock) {
	if last {
		for b := range w.sizes {
			if b.o == o {
				list = append(list, b)
			}
		}
		return list
	}
	for _, r := range runs {
		for i := range r.n {
			list = append(list, watchedBlock{o, r.first + i})
		}
	}
	return list
}

func (w *watched) enter(b watchedBlock, op string) {
	if w.busy[b] || w.reading[b] > 0 {
		w.t.Errorf("block %d of %v: %s while it is in use", b.index, b.o.id, op)
	}
	w.busy[b] = true
}

func (w *watched) read(o *object, index, off int64, p []byte) error {
	b := watchedBlock{o, index}
	w.mu.Lock()
	if w.busy[b] {
		w.t.Errorf("block %d of %v is read while it is written or dropped", index, o.id)
	}
	w.reading[b]++
	w.mu.Unlock()
	err := w.store.read(o, index, off, p)
	w.mu.Lock()
	w.reading[b]--
	w.mu.Unlock()
	return err
}

func (w *watched) write(o *object, index int64, sealed []byte) (int64, error) {
	b := watchedBlock{o, index}
	w.mu.Lock()
	w.enter(b, "write")
	if w.sizes[b] != 0 {
		w.t.Errorf("block %d of %v is written where one is", index, o.id)
	}
	w.sizes[b] = pages(int64(len(sealed)), w.c.page)
	if w.sum += w.sizes[b]; w.sum > w.max {
		w.t.Errorf("%d bytes are on disk, more than %d", w.sum, w.max)
	}
	w.mu.Unlock()
	disk, err := w.store.write(o, index, sealed)
	w.mu.Lock()
	w.busy[b] = false
	w.mu.Unlock()
	return disk, err
}

func (w *watched) drop(o *object, runs []run, last bool) (int64, error) {
	w.mu.Lock()
	blocks := w.blocksOf(o, runs, last)
	for _, b := range blocks {
		w.enter(b, "drop")
	}
	w.mu.Unlock()
	disk, err := w.store.drop(o, runs, last)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, b := range blocks {
		w.sum -= w.sizes[b]
		delete(w.sizes, b)
		w.busy[b] = false
	}
	return disk, err
}

// checkTable compares what the cache counts with what it has. Nobody uses it meanwhile.
func checkTable(t *testing.T, c *Cache) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	used, blocks := folderPages*c.page, 0
	for id, o := range c.objects {
		est := int64(0)
		for i, e := range o.blocks {
			if e.state != live || e.pins != 0 || e.index != i || e.o != o {
				t.Errorf("%v: entry %+v at rest", id, *e)
			}
			est += c.cost(int(e.size))
			blocks++
		}
		if o.est > 0 {
			est += c.objectCost(id)
		}
		if o.est != est || o.ops != 0 {
			t.Errorf("%v: %d bytes counted, %d are there; %d operations", id, o.est, est, o.ops)
		}
		used += est + o.extra
	}
	n := 0
	for e := c.blocks.oldest; e != nil; e = e.newer {
		n++
	}
	if c.used != used || c.used > c.max || n != blocks || c.blocks.n != n {
		t.Errorf("used %d of %d, should be %d; %d blocks, %d in order, %d counted", c.used, c.max, used, blocks, n, c.blocks.n)
	}
}

func randomID(r *rand.Rand) ID {
	n := r.Int64N(6)
	id := ID{Name: fmt.Sprint("object ", n), Version: fmt.Sprint(n % 3), BlockSize: 4096 << (n % 3), Size: 300_000 + n}
	if n == 5 {
		id.Size = -1
	}
	return id
}

func randomBlock(r *rand.Rand, id ID) int64 {
	if id.Size < 0 {
		return r.Int64N(40)
	}
	return r.Int64N((id.Size-1)/int64(id.BlockSize) + 1)
}

func seeded(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// After each of many steps what is really on disk is within the bound.
func TestBoundOnDisk(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Max = 400_000
		r := seeded(t)
		c := open(t, opt)
		watch(t, c)
		most := int64(0)
		for range 1500 {
			id := randomID(r)
			o := openObject(t, c, id)
			for range r.IntN(4) {
				i := randomBlock(r, id)
				if r.IntN(3) == 0 {
					has(t, o, i)
				} else if put(t, o, i); !has(t, o, i) {
					t.Fatal("what was put is not there, and nobody else uses the cache")
				}
			}
			if disk := onDisk(t, c.run.path); disk > opt.Max {
				t.Fatalf("%d bytes on disk, more than %d; %+v", disk, opt.Max, c.Stats())
			} else {
				most = max(most, disk)
			}
			if r.IntN(3) > 0 {
				o.Close()
			}
		}
		checkTable(t, c)
		if s := c.Stats(); s.Evicted == 0 || s.Corrupt > 0 || most < opt.Max/2 {
			t.Errorf("%+v, %d bytes on disk at most", s, most)
		}
	})
}

// Many at once, with far too little room.
func TestRandomConcurrent(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Max = 300_000
		r := seeded(t)
		c := open(t, opt)
		watch(t, c)
		var all sync.WaitGroup
		for range 12 {
			own := rand.New(rand.NewPCG(r.Uint64(), 1))
			all.Go(func() { useAtRandom(t, c, own, 60) })
		}
		all.Wait()
		checkTable(t, c)
		if disk := onDisk(t, c.run.path); disk > opt.Max {
			t.Errorf("%d bytes on disk", disk)
		}
		if s := c.Stats(); s.Corrupt > 0 || s.Hits == 0 || s.Evicted == 0 {
			t.Errorf("%+v", s)
		}
	})
}

func useAtRandom(t *testing.T, c *Cache, r *rand.Rand, rounds int) {
	p := make([]byte, 16<<10)
	for range rounds {
		id := randomID(r)
		o, err := c.Object(id)
		if err != nil {
			t.Error(err)
			return
		}
		for range r.IntN(20) {
			i := randomBlock(r, id)
			switch r.IntN(4) {
			case 0:
				if err := o.Put(i, content(id, i)); err != nil && !errors.Is(err, ErrNoRoom) {
					t.Errorf("Put: %v", err)
				}
			case 1:
				if n, ok := o.Get(i, 0, p); ok && !bytes.Equal(p[:n], content(id, i)) {
					t.Errorf("%v: block %d has other bytes", id, i)
				}
			case 2:
				o.Has(i)
				o.Indexes()
			case 3:
				if r.IntN(10) == 0 {
					o.Drop(i, r.Int64N(10))
				}
			}
		}
		if err := o.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
}

// A cache that is closed while it is used.
func TestCloseWhileInUse(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Max = 300_000
		r := seeded(t)
		c := open(t, opt)
		var all sync.WaitGroup
		begun := make(chan struct{}, 8)
		for range 8 {
			own := rand.New(rand.NewPCG(r.Uint64(), 1))
			all.Go(func() {
				p := make([]byte, 16<<10)
				for n := 0; ; n++ {
					id := randomID(own)
					o, err := c.Object(id)
					if errors.Is(err, ErrClosed) {
						return
					}
					i := randomBlock(own, id)
					err = o.Put(i, content(id, i))
					if err != nil && !errors.Is(err, ErrNoRoom) && !errors.Is(err, ErrClosed) {
						t.Errorf("Put: %v", err)
					}
					if n, ok := o.Get(i, 0, p); ok && !bytes.Equal(p[:n], content(id, i)) {
						t.Errorf("%v: block %d has other bytes", id, i)
					}
					o.Close()
					if n == 10 {
						begun <- struct{}{}
					}
				}
			})
		}
		for range 8 {
			<-begun
		}
		closeCache(t, c)
		all.Wait()
		if s := c.Stats(); s.Corrupt > 0 {
			t.Errorf("%+v", s)
		}
	})
}

// The least recently used block goes first, and none that is being read.
func TestLeastRecentlyUsedGoes(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		id := ID{Name: "a", Size: 10 * small, BlockSize: small}
		c := open(t, opt)
		c.max = c.used + c.objectCost(id) + 3*c.cost(small)
		o := openObject(t, c, id)
		put(t, o, 0)
		put(t, o, 1)
		put(t, o, 2)
		has(t, o, 0)
		put(t, o, 3)
		if !o.Has(0) || o.Has(1) {
			t.Error("what was read is gone before what was not")
		}
		put(t, o, 2) // is there, and used by that
		put(t, o, 4)
		for i, want := range []bool{false, false, true, true, true} {
			if got := has(t, o, int64(i)); got != want {
				t.Errorf("block %d is there: %v", i, got)
			}
		}
		pinned := o.pin(2, 0, small)
		put(t, o, 5)
		put(t, o, 6)
		put(t, o, 7)
		if !has(t, o, 2) || has(t, o, 3) || has(t, o, 5) {
			t.Error("a block that is read was dropped, or another was not")
		}
		others := []*entry{o.pin(6, 0, small), o.pin(7, 0, small)}
		if err := o.Put(8, content(id, 8)); !errors.Is(err, ErrNoRoom) || o.Has(8) {
			t.Errorf("Put while all blocks are read: %v", err)
		}
		for _, e := range append(others, pinned) {
			c.unpin(e, true)
		}
		put(t, o, 8)
		if s := c.Stats(); s.NoRoom != 1 || s.Evicted != 6 {
			t.Errorf("%+v", s)
		}
		checkTable(t, c)
	})
}

func TestLargerThanTheCache(t *testing.T) {
	modes(t, func(t *testing.T, opt Options) {
		opt.Max = 1000
		c := open(t, opt)
		o := openObject(t, c, ID{Name: "a", Size: small, BlockSize: small})
		if err := o.Put(0, content(o.ID(), 0)); !errors.Is(err, ErrNoRoom) {
			t.Errorf("Put: %v", err)
		}
	})
}
