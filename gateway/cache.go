package gateway

import (
	"sync/atomic"
	"time"

	"spate/gateway/blockcache"
	"spate/gateway/fill"
)

// Blocks has a pool keep its blocks in c. Neither knows the other. keep is how long the pool remembers a file that nobody uses: it has its
// blocks open meanwhile, which is no use of them.
func Blocks(c *blockcache.Cache, keep time.Duration) fill.Cache { return blocks{c, keep} }

type blocks struct {
	cache *blockcache.Cache
	keep  time.Duration
}

// Object opens what the pool has just been told of by an origin: blocks of an earlier process, of the same version, are as good as
// any.
func (b blocks) Object(id fill.ID) (fill.Blocks, error) {
	o, err := b.cache.Object(blockcache.ID{Name: id.Name, Version: id.Version, Size: id.Size, BlockSize: id.BlockSize})
	if err != nil {
		return nil, err
	}
	o.Confirm(true)
	return &usedBlocks{Object: o, keep: b.keep, opened: time.Now()}, nil
}

// usedBlocks knows since when nobody has used them, so that they expire by that, not by when the pool forgets what they are of.
type usedBlocks struct {
	*blockcache.Object
	keep   time.Duration
	opened time.Time
	used   atomic.Int64 // nanoseconds since then
}

func (u *usedBlocks) touch() { u.used.Store(int64(time.Since(u.opened))) }

func (u *usedBlocks) Get(index int64, off int, p []byte) (n int, ok bool) {
	u.touch()
	return u.Object.Get(index, off, p)
}

func (u *usedBlocks) Put(index int64, data []byte) error {
	u.touch()
	return u.Object.Put(index, data)
}

// Close: what is read from memory is a use as well, of which we do not hear; but no file is remembered for longer than that.
func (u *usedBlocks) Close() error {
	since, used := time.Now().Add(-u.keep), u.opened.Add(time.Duration(u.used.Load()))
	if used.After(since) {
		since = used
	}
	return u.CloseSince(since)
}
