package blockcache

import "errors"

// makeRoom drops blocks, the least recently used first, until n bytes more fit in. The error is ErrNoRoom if too many are in
// use. c.mu is held, and given up meanwhile.
func (c *Cache) makeRoom(n int64) error {
	for c.used+n > c.max {
		victims := c.coldest(c.used + n - c.max)
		if victims == nil {
			return ErrNoRoom
		}
		c.stats.Evicted += c.drop(victims)
	}
	return nil
}

// dropIdlest removes the object that nobody has had open for longest. It reports false if all are in use. c.mu is held, and given up
// meanwhile.
func (c *Cache) dropIdlest() bool {
	for e := c.idle.Front(); e != nil; e = e.Next() {
		if o := e.Value.(*object); o.ops == 0 {
			c.stats.Evicted += int64(len(o.blocks))
			c.forget(o)
			c.remove(o, c.doomAll(o))
			return true
		}
	}
	return false
}

// coldest marks blocks of at least n bytes as dying. None are if there are not so many that nobody reads. c.mu is held.
func (c *Cache) coldest(n int64) []*entry {
	var found []*entry
	for e := c.blocks.oldest; e != nil && n > 0; e = e.newer {
		if e.pins == 0 {
			found = append(found, e)
			n -= c.cost(int(e.size))
		}
	}
	if n > 0 {
		return nil
	}
	for _, e := range found {
		c.doom(e)
	}
	return found
}

// doom takes a live block out of all use but that of who drops it. c.mu is held.
func (c *Cache) doom(e *entry) {
	c.blocks.remove(e)
	e.state = dying
}

// drop removes doomed blocks from disk and table. c.mu is held, and given up meanwhile.
func (c *Cache) drop(entries []*entry) int64 {
	byObject := map[*object][]*entry{}
	for _, e := range entries {
		byObject[e.o] = append(byObject[e.o], e)
	}
	for o, entries := range byObject {
		if o.handles == 0 && o.ops == 0 && len(o.blocks) == len(entries) {
			c.forget(o)
			c.remove(o, entries)
			continue
		}
		o.ops++
		c.ops.Add(1)
		c.dropSome(o, entries)
		c.release(o)
	}
	return int64(len(entries))
}

// dropSome drops blocks of an object that is in use. c.mu is held, and given up meanwhile.
func (c *Cache) dropSome(o *object, entries []*entry) {
	c.mu.Unlock()
	disk, err := c.store.drop(o, runsOf(entries), false)
	c.mu.Lock()
	c.complain("drop", err)
	for _, e := range entries {
		delete(o.blocks, e.index)
		c.count(o, -c.cost(int(e.size)))
		if err != nil { // it may be there for good
			c.used += c.cost(int(e.size))
		}
	}
	if err == nil {
		c.measured(o, disk)
	}
	c.changed = true
	c.settled.Broadcast()
}

// remove removes a forgotten object, which has these blocks. c.mu is held, and given up meanwhile.
func (c *Cache) remove(o *object, entries []*entry) {
	f := o.file.Swap(nil)
	c.mu.Unlock()
	var err error
	if f != nil {
		err = f.Close()
	}
	if o.est > 0 {
		_, dropErr := c.store.drop(o, runsOf(entries), true)
		err = errors.Join(err, dropErr)
	}
	c.mu.Lock()
	c.complain("remove", err)
	if err == nil {
		c.used -= o.est + o.extra
	}
	o.blocks, o.est, o.extra = nil, 0, 0
	c.settled.Broadcast()
}
