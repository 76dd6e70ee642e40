package choose

import "slices"

// Queue is who of those that want a chunk of us is served next. Its zero value is ready for use. It is not safe for concurrent use.
type Queue struct {
	// Slots is how many are served at a time. Default 2.
	Slots int

	waiting []*Ticket
	active  int
	yielded int
	given   map[int]int    // how often each chunk
	served  map[string]int // when each remote last, counted in tickets
	count   int
	first   func(a, b *Ticket) bool
}

const (
	slotsDefault  = 2
	remembered    = 4096 // remotes
	yieldedFactor = 8
)

// Ticket is one who waits, or is being served.
type Ticket struct {
	Remote string
	Chunk  int

	overtaken int
	state     ticketState
}

type ticketState int

const (
	ticketWaits ticketState = iota
	ticketServed
	ticketYielded
	ticketOver
)

// Add puts a request behind those that wait. remote is whom it counts for: the host, since each request has another port.
func (q *Queue) Add(remote string, chunk int) *Ticket {
	t := &Ticket{Remote: remote, Chunk: chunk}
	q.waiting = append(q.waiting, t)
	return t
}

// Waiting returns how many wait.
func (q *Queue) Waiting() int { return len(q.waiting) }

// Next returns the one to be served now, or nil if all slots are taken or nobody waits.
func (q *Queue) Next() *Ticket {
	if len(q.waiting) == 0 || q.active >= q.slots() {
		return nil
	}
	best := 0
	for i, t := range q.waiting {
		if i > 0 && q.before(t, q.waiting[best]) {
			best = i
		}
		if t.overtaken >= q.patience() {
			break // whoever came later waits for it
		}
	}
	t := q.waiting[best]
	for _, o := range q.waiting[:best] {
		o.overtaken++
	}
	q.waiting = slices.Delete(q.waiting, best, best+1)
	q.serve(t)
	return t
}

// patience is how often one that waits is overtaken at most: a few times by each of the others.
func (q *Queue) patience() int { return 32 + 4*len(q.waiting) }

func (q *Queue) slots() int {
	if q.Slots > 0 {
		return q.Slots
	}
	return slotsDefault
}

// before says whether a, who came later, is served before b.
func (q *Queue) before(a, b *Ticket) bool {
	if q.first != nil {
		return q.first(a, b)
	}
	if x, y := q.given[a.Chunk], q.given[b.Chunk]; x != y {
		return x < y
	}
	return q.served[a.Remote] < q.served[b.Remote]
}

func (q *Queue) serve(t *Ticket) {
	if q.given == nil {
		q.given, q.served = map[int]int{}, map[string]int{}
	}
	t.state = ticketServed
	q.active++
	q.count++
	q.given[t.Chunk]++
	q.served[t.Remote] = q.count
	q.forget()
}

// forget bounds what is remembered: whoever was served so long ago may as well be new.
func (q *Queue) forget() {
	if len(q.served) > remembered {
		for r, at := range q.served {
			if at <= q.count-remembered/2 {
				delete(q.served, r)
			}
		}
	}
}

// Yield says that a ticket is served so slowly that its slot may be used for another meanwhile. It reports whether that is so:
// at most eight tickets for each slot are served beside it.
func (q *Queue) Yield(t *Ticket) bool {
	if t.state != ticketServed || q.yielded >= yieldedFactor*q.slots() {
		return false
	}
	t.state = ticketYielded
	q.active--
	q.yielded++
	return true
}

// Remove says that a ticket was served, or that whoever waited has gone. A second time does nothing.
func (q *Queue) Remove(t *Ticket) {
	switch t.state {
	case ticketWaits:
		q.waiting = slices.DeleteFunc(q.waiting, func(o *Ticket) bool { return o == t })
	case ticketServed:
		q.active--
	case ticketYielded:
		q.yielded--
	}
	t.state = ticketOver
}
