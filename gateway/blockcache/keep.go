package blockcache

import (
	"errors"
	"os"
	"path/filepath"
	"time"
)

// saveEvery is how old the index may become.
const saveEvery = 30 * time.Second

// keep expires objects, and writes the index, until the cache is closed.
func (c *Cache) keep() {
	for looked := time.Now(); ; {
		wait := c.expire()
		if c.keys.persistent() {
			wait = min(wait, time.Until(looked.Add(saveEvery)))
		}
		select {
		case <-c.done:
			return
		case <-c.first:
		case <-time.After(wait):
		}
		if time.Since(looked) >= saveEvery {
			looked = time.Now()
			c.saveChanged()
		}
	}
}

// expire forgets what nobody has had open for the TTL. It returns when there can be more, but for what is closed
// meanwhile and is due before all others.
func (c *Cache) expire() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.idle.Len() > 0 {
		o := c.idle.Front().Value.(*object)
		if wait := time.Until(o.since.Add(c.ttl)); wait > 0 {
			return wait
		}
		if o.ops > 0 { // as it was closed while it was used
			o.since = time.Now()
			c.idle.MoveToBack(o.idle)
			continue
		}
		c.stats.Expired++
		c.forget(o)
		c.remove(o, c.doomAll(o))
	}
	return c.ttl
}

// doomAll dooms all blocks of an object that nobody uses. c.mu is held.
func (c *Cache) doomAll(o *object) []*entry {
	all := make([]*entry, 0, len(o.blocks))
	for _, e := range o.blocks {
		c.doom(e)
		all = append(all, e)
	}
	return all
}

func (c *Cache) saveChanged() {
	c.mu.Lock()
	due := c.changed && c.keys.persistent()
	c.mu.Unlock()
	if !due {
		return
	}
	if err := errors.Join(c.save(), c.run.keepFor(c.ttl)); err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.complain("write the index", err)
	}
}

// save writes the index. It is not synced: one that a power cut tears is none.
func (c *Cache) save() error {
	c.mu.Lock()
	p := c.snapshot().append(nil)
	c.changed = false
	c.mu.Unlock()
	p, err := c.keys.sealIndex(p)
	if err != nil {
		return err
	}
	path := filepath.Join(c.run.path, indexName)
	if err := os.WriteFile(path+".new", p, 0o600); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}

// snapshot is what the index says. c.mu is held.
func (c *Cache) snapshot() *index {
	x := &index{perBlock: c.perBlock, page: c.page}
	objects, runs := map[*object]int{}, map[uint16]int{}
	for e := c.blocks.oldest; e != nil; e = e.newer {
		if e.bad {
			continue
		}
		o, ok := objects[e.o]
		if !ok {
			o = len(x.objects)
			objects[e.o] = o
			x.objects = append(x.objects, indexObject{e.o.id, e.o.salt, c.lastUse(e.o).Unix()})
		}
		r, ok := runs[e.run]
		if !ok {
			r = len(x.salts)
			runs[e.run] = r
			x.salts = append(x.salts, c.salts[e.run])
		}
		x.blocks = append(x.blocks, indexBlock{o, e.index, int(e.size), r})
	}
	return x
}

func (c *Cache) lastUse(o *object) time.Time {
	if o.idle == nil {
		return time.Now()
	}
	return o.since
}
