package fill

import (
	"maps"
	"time"
)

// A verdict is that bytes of a file have proved wrong.
type verdict struct {
	count   int // so often: what was kept until then is not used any more
	mirrors map[int]error
	until   time.Time // the mirrors are not asked
}

// taken notes that somebody more uses o. p.mu is held.
func (p *Pool) taken(o *object) {
	o.users.Add(1)
	o.left++
	p.unrest(o)
}

// unrest takes o out of those that nobody uses. p.mu is held.
func (p *Pool) unrest(o *object) {
	if o.idle != nil {
		p.idle.Remove(o.idle)
		o.idle = nil
	}
}

// release is for whoever does not use o any more.
func (p *Pool) release(o *object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.users.Add(-1) > 0 || p.closed {
		return
	}
	if p.objects[o.key] != o {
		p.drop(o)
		return
	}
	if o.expiry != nil {
		o.expiry.Stop()
	}
	left := o.left
	keep := p.opts.Keep
	if !o.settled.Load() {
		keep = linger
	}
	o.expiry = time.AfterFunc(keep, func() { p.expire(o, left) })
	o.idle = p.idle.PushFront(o)
	if p.idle.Len() > p.opts.Files { // whoever asks may name as many as he likes
		p.drop(p.idle.Back().Value.(*object))
	}
}

// expire drops o, if nobody has used it since.
func (p *Pool) expire(o *object, left int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.users.Load() == 0 && o.left == left && !p.closed {
		p.drop(o)
	}
}

// drop ends o. p.mu is held.
func (p *Pool) drop(o *object) {
	if _, ok := p.all[o]; !ok {
		return
	}
	p.forget(o)
	p.unrest(o)
	if o.expiry != nil {
		o.expiry.Stop()
	}
	delete(p.all, o)
	p.wg.Go(func() { o.shut(ErrClosed) })
}

// replace has the next Open begin anew. Whoever uses o goes on.
func (p *Pool) replace(o *object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(o)
}

func (p *Pool) forget(o *object) {
	if p.objects[o.key] == o {
		delete(p.objects, o.key)
	}
}

// condemn has the next Open of o's mirrors begin anew, without those named, if others are left.
func (p *Pool) condemn(o *object, mirrors map[int]error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v := p.verdict(o.key)
	if len(v.mirrors) == 0 || time.Now().After(v.until) {
		v.mirrors = map[int]error{}
	}
	maps.Copy(v.mirrors, mirrors)
	if len(v.mirrors) == len(o.mirrors) {
		v.mirrors = nil
	}
	v.count++
	v.until = time.Now().Add(p.opts.Keep)
	p.condemned[o.key] = v
	p.forget(o)
	if len(p.condemned) > p.opts.Files {
		p.pardonOldest()
	}
}

// verdict is that on the mirrors of key. p.mu is held.
func (p *Pool) verdict(key string) verdict {
	v := p.condemned[key]
	v.count = max(v.count, p.floor)
	return v
}

// pardonOldest forgets a verdict. From now on nothing is used of what was kept of any file before: of which this was said nobody
// knows any more. p.mu is held.
func (p *Pool) pardonOldest() {
	oldest, at := "", time.Time{}
	for key, v := range p.condemned {
		if oldest == "" || v.until.Before(at) {
			oldest, at = key, v.until
		}
	}
	p.floor = max(p.floor, p.condemned[oldest].count)
	delete(p.condemned, oldest)
}
