package blockcache

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// load takes over what an earlier process has left under the same key. What the index does not name is removed; what is
// wrong with the index makes the cache begin empty.
func (c *Cache) load() error {
	if !c.keys.persistent() {
		return nil
	}
	x := c.readIndex()
	files, err := os.ReadDir(c.run.path)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, f := range files {
		there[f.Name()] = true
	}
	c.adopt(x, there)
	there[lockName], there[indexName] = false, false
	for name, isLeft := range there {
		if isLeft {
			err = errors.Join(err, ignoreMissing(os.RemoveAll(filepath.Join(c.run.path, name))))
		}
	}
	if err != nil {
		return err
	}
	c.mu.Lock()
	_ = c.makeRoom(0) // everything, at worst: nothing is in use
	c.mu.Unlock()
	return c.run.keepFor(c.ttl)
}

func (c *Cache) readIndex() *index {
	p, err := os.ReadFile(filepath.Join(c.run.path, indexName))
	if ignoreMissing(err) == nil && err != nil {
		return &index{}
	}
	if err == nil {
		var x *index
		if x, err = c.keys.openIndex(p); err == nil && x.perBlock == c.perBlock && x.page == c.page {
			return x
		}
	}
	c.log.Warn("the block cache begins empty: its index is of no use", "err", err)
	return &index{}
}

// adopt enters what the index names, as far as it is there, and takes its files out of there.
func (c *Cache) adopt(x *index, there map[string]bool) {
	for _, salt := range x.salts {
		if err := c.newRun(salt); err != nil {
			c.log.Warn("the block cache begins empty", "err", err)
			return
		}
	}
	objects := make([]*object, len(x.objects))
	for i, xo := range x.objects {
		o := newObject(xo.id, xo.salt, c.keys)
		o.stale, o.since = true, time.Unix(min(xo.used, time.Now().Unix()), 0)
		objects[i] = o
	}
	for _, b := range x.blocks {
		o := objects[b.object]
		if name := c.fileOf(o, b.index); !there[name] {
			continue
		}
		e := &entry{o: o, index: b.index, size: int32(b.size), run: uint16(b.run + 1), state: live}
		o.blocks[b.index] = e
		c.blocks.add(e)
	}
	for _, o := range objects {
		c.adoptObject(o, there)
	}
	c.enterAdopted(objects)
}

func (c *Cache) fileOf(o *object, index int64) string {
	if c.perBlock {
		return c.keys.block(o.bound, index)
	}
	return o.name
}

// adoptObject counts what an object takes. What is on disk beside its blocks is dropped: a crash may have left it.
func (c *Cache) adoptObject(o *object, there map[string]bool) {
	if len(o.blocks) == 0 {
		return
	}
	entries := make([]*entry, 0, len(o.blocks))
	n := c.objectCost(o.id)
	for _, e := range o.blocks {
		entries = append(entries, e)
		n += c.cost(int(e.size))
		delete(there, c.fileOf(o, e.index))
	}
	c.count(o, n)
	s, ok := c.store.(*sparseFiles)
	if !ok {
		return
	}
	disk, err := s.dropOthers(o, runsOf(entries))
	if err != nil {
		c.log.Warn("what a crash has left in the block cache could not be removed", "err", err)
	}
	c.measured(o, disk)
}

// enterAdopted enters objects in the order of their last use.
func (c *Cache) enterAdopted(objects []*object) {
	slices.SortStableFunc(objects, func(a, b *object) int { return cmp.Compare(a.since.Unix(), b.since.Unix()) })
	for _, o := range objects {
		if len(o.blocks) > 0 {
			c.objects[o.id] = o
			o.idle = c.idle.PushBack(o)
		}
	}
}
