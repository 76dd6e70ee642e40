package limit

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Rate bounds how many bytes a second are read through all the Sources that it wraps, together. Its zero value is no limit;
// share one between Clients so that they share the limit. It is safe for concurrent use.
//
// Whoever has read bytes waits until they are allowed, first come, first served. No more is read at once than comes within an
// eighth of a second, and the more bodies wait, the less: so each of n bodies gets bytes about every n/limit seconds, or every
// eighth of a second where that is more. A network may be ahead of that by what its buffers hold.
type Rate struct {
	mu      sync.Mutex
	table   Timetable
	current *allowance // nil: no limit
}

// NewRate is a Rate with that limit.
func NewRate(t Timetable) *Rate { return &Rate{table: t} }

// Set changes the limit, at once: what waits because of the one before goes on.
func (r *Rate) Set(t Timetable) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table = t
	r.renew()
}

// An allowance is one limit, for as long as it holds.
type allowance struct {
	limit   int64         // bytes per second
	most    int           // bytes that are read at once
	tokens  *rate.Limiter // one is a byte
	waiting int           // bodies that have read what is not allowed yet; guarded by Rate.mu
	over    chan struct{} // closed when another limit takes its place
}

// portions is how many a second is divided into.
const portions = 8

func newAllowance(limit int64) *allowance {
	most := int(min(max(limit/portions, 1), math.MaxInt32))
	return &allowance{limit: limit, most: most, tokens: rate.NewLimiter(rate.Limit(limit), most), over: make(chan struct{})}
}

// renew makes current that which holds now. It needs the lock.
func (r *Rate) renew() {
	limit, a := r.table.At(time.Now()), r.current
	if a == nil && limit == 0 || a != nil && limit == a.limit {
		return
	}
	if a != nil {
		close(a.over)
	}
	r.current = nil
	if limit > 0 {
		r.current = newAllowance(limit)
	}
}

// portion is how many of n bytes to read now, and by what allowance; nil: no limit.
func (r *Rate) portion(n int) (int, *allowance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.renew()
	a := r.current
	if a == nil {
		return n, nil
	}
	return min(n, max(a.most/(a.waiting+1), 1)), a
}

// take takes n tokens of a, and returns how long it is until they are there. leave has to be called then.
func (r *Rate) take(a *allowance, n int) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.waiting++
	return a.tokens.ReserveN(time.Now(), n).Delay()
}

// leave ends a wait.
func (r *Rate) leave(a *allowance) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.waiting--
}
