package main

import (
	"sync"
	"time"
)

// slack is how far a pacer catches up after it was late: all of a burst.
const slack = 20 * time.Millisecond

// A pacer shares a rate between the answers of one listener. A rate of 0 is no limit.
type pacer struct {
	rate int64 // bytes per second

	mu  sync.Mutex
	due time.Time // when all that was granted may be gone
}

// wait waits until some of n bytes may be sent, and returns how many: a hundredth of a second's worth at most.
func (p *pacer) wait(n int64) int64 {
	if p.rate <= 0 {
		return n
	}
	n = min(n, max(p.rate/100, 1))
	time.Sleep(p.take(n))
	return n
}

// take reserves n bytes and returns how long to wait before they are sent.
func (p *pacer) take(n int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if earliest := now.Add(-slack); p.due.Before(earliest) {
		p.due = earliest
	}
	wait := p.due.Sub(now)
	p.due = p.due.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	return wait
}
