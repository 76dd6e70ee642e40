package farm

import (
	"sync"
	"time"
)

// slack is how far a pacer catches up after it was late: it hides the coarseness of timers, and is all of a burst.
const slack = 20 * time.Millisecond

// pacer spreads bytes over time. The zero pacer does not.
type pacer struct {
	mu   sync.Mutex
	rate int64     // bytes per second, 0: no limit
	due  time.Time // when all bytes taken so far may be gone
}

func (p *pacer) set(rate int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate = rate
}

func (p *pacer) get() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}

// take reserves n bytes and says how long to wait before they are sent; 0 or less: not at all.
func (p *pacer) take(n int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate <= 0 {
		return 0
	}
	now := time.Now()
	if earliest := now.Add(-slack); p.due.Before(earliest) {
		p.due = earliest
	}
	p.due = p.due.Add(time.Duration(float64(n) / float64(p.rate) * float64(time.Second)))
	return p.due.Sub(now)
}
