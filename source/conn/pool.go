package conn

import (
	"io"
	"slices"
	"sync"
	"time"
)

// idleTime is how long a connection is kept that nobody uses.
const idleTime = 30 * time.Second

// How many are kept where a Pool does not say.
const (
	maxIdle       = 256
	maxIdlePerKey = 32
)

// A Pool keeps idle connections by key, each for 30 seconds. Its zero value is ready for use.
type Pool[C io.Closer] struct {
	Max int // kept in all, 0: 256

	mu   sync.Mutex
	idle []*idler[C] // the oldest first
}

type idler[C io.Closer] struct {
	key   string
	conn  C
	timer *time.Timer
}

// Get takes the connection with that key that was used last. Where there is none, a new one is to come: a Pool that is
// full makes place for it.
func (p *Pool[C]) Get(key string) (c C, ok bool) {
	p.mu.Lock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		if e := p.idle[i]; e.key == key {
			p.idle = slices.Delete(p.idle, i, i+1)
			p.mu.Unlock()
			e.timer.Stop()
			return e.conn, true
		}
	}
	surplus := p.trim(p.max() - 1)
	p.mu.Unlock()
	closeAll(surplus)
	return c, false
}

// Put keeps c, which nobody uses any more.
func (p *Pool[C]) Put(key string, c C) {
	e := &idler[C]{key: key, conn: c}
	p.mu.Lock()
	e.timer = time.AfterFunc(idleTime, func() { p.drop(e) })
	p.idle = append(p.idle, e)
	surplus := append(p.trim(p.max()), p.trimKey(key)...)
	p.mu.Unlock()
	closeAll(surplus)
}

// CloseIdle closes the connections that are kept.
func (p *Pool[C]) CloseIdle() {
	p.mu.Lock()
	all := p.trim(0)
	p.mu.Unlock()
	closeAll(all)
}

func (p *Pool[C]) max() int {
	if p.Max == 0 {
		return maxIdle
	}
	return p.Max
}

// trim takes the oldest out until n are left. It needs the lock.
func (p *Pool[C]) trim(n int) []*idler[C] {
	if len(p.idle) <= n {
		return nil
	}
	out := slices.Clone(p.idle[:len(p.idle)-n])
	p.idle = slices.Delete(p.idle, 0, len(out))
	return out
}

// trimKey takes out the oldest of those with that key if they are too many. It needs the lock.
func (p *Pool[C]) trimKey(key string) []*idler[C] {
	same := func(e *idler[C]) bool { return e.key == key }
	n := 0
	for _, e := range p.idle {
		if same(e) {
			n++
		}
	}
	if n <= maxIdlePerKey {
		return nil
	}
	i := slices.IndexFunc(p.idle, same)
	out := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return []*idler[C]{out}
}

// drop closes e if it is still idle.
func (p *Pool[C]) drop(e *idler[C]) {
	p.mu.Lock()
	i := slices.Index(p.idle, e)
	if i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
	p.mu.Unlock()
	if i >= 0 {
		_ = e.conn.Close()
	}
}

func closeAll[C io.Closer](all []*idler[C]) {
	for _, e := range all {
		e.timer.Stop()
		_ = e.conn.Close()
	}
}
