package fill

import "sync/atomic"

// Stats are counted since the Pool was made, but for what there is now.
type Stats struct {
	OriginBytes    int64 // bodies read from origins
	ClientBytes    int64 // handed to readers
	DuplicateBytes int64 // of the former those that were there already: compared, skipped, or brought twice
	Joins          int64 // waits for what another reader had asked for
	Stalls         int64 // streams that were overdue
	Hedges         int64 // requests for what another stream did not bring
	Corrupt        int64 // blocks that did not have their hash
	Requests       int64
	Failures       int64 // requests without an answer, and answers that broke
	Aside          int64 // mirrors that are not used any more
	Changed        int64 // files that were replaced, as their origin has changed
	NotCached      int64 // blocks for which the Cache had no room

	Files, Readers, Connections int // now
}

type counters struct {
	origin, client, duplicate, joins, stalls, hedges, corrupt, requests, failures, aside, changed, notCached atomic.Int64
}

// Stats are the counters now.
func (p *Pool) Stats() Stats {
	c := &p.count
	s := Stats{
		OriginBytes: c.origin.Load(), ClientBytes: c.client.Load(), DuplicateBytes: c.duplicate.Load(),
		Joins: c.joins.Load(), Stalls: c.stalls.Load(), Hedges: c.hedges.Load(), Corrupt: c.corrupt.Load(),
		Requests: c.requests.Load(), Failures: c.failures.Load(), Aside: c.aside.Load(), Changed: c.changed.Load(),
		NotCached: c.notCached.Load(), Readers: int(p.open.Load()),
	}
	p.mu.Lock()
	s.Files = len(p.all)
	p.mu.Unlock()
	p.slots.mu.Lock()
	s.Connections = len(p.slots.held)
	p.slots.mu.Unlock()
	return s
}

// noteCounts adds what the core of o has counted. o.mu is held.
func (o *object) noteCounts() {
	c := &o.core.counts
	o.pool.count.joins.Add(c.joins)
	o.pool.count.stalls.Add(c.stalls)
	o.pool.count.hedges.Add(c.hedges)
	*c = counts{}
}
