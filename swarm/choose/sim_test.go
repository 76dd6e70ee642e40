package choose

import (
	"container/heap"
	"fmt"
	"maps"
	"slices"
	"time"

	"spate/swarm/wire"
)

// brain is what a simulated peer decides with: a Chooser, or what it is compared with.
type brain interface {
	Have(chunk int)
	Located(now time.Duration, chunk int, holders []wire.Addr)
	Questions(now time.Duration) []int
	Next(now time.Duration) (cancel, begin []Request)
	Progress(now time.Duration, r Request, total int64)
	Ended(now time.Duration, r Request, o Outcome)
	Wake() (time.Duration, bool)
}

// uploads is what decides whom a simulated peer serves.
type uploads interface {
	Add(remote string, chunk int) *Ticket
	Next() *Ticket
	Remove(t *Ticket)
}

// member is what a simulated peer is like.
type member struct {
	up    float64 // bytes per second
	has   []int
	joins time.Duration
	dies  time.Duration           // 0: never
	dieIf func(w *world) bool     // or when this is so
	deaf  time.Duration           // nobody is let in for so long after it has joined
	mute  bool                    // it lets in, and never answers
	trick float64                 // bytes per second of each upload at most, 0: no limit
	gives func(chunk int) Outcome // what its chunks turn out to be. Default Done
	naive bool                    // its brain does not keep to what a Chooser promises
	brain func(o Options) brain   // default New
	queue func() uploads          // default a Queue
}

// world is a swarm: a fluid of bytes, shared equally among the uploads of a peer.
type world struct {
	size   float64 // of a chunk
	chunks int
	reach  time.Duration // from peer to peer, one way
	rise   time.Duration // until an upload that has a slot has gained speed
	tell   time.Duration // from a question to its answer
	opts   Options       // apart from Self and Last
	limit  time.Duration

	now      time.Duration
	events   eventHeap
	seq      int
	nodes    []*node
	byAddr   map[wire.Addr]*node
	registry map[int][]wire.Addr
	asked    int // questions
	told     int // announcements
	faults   []string
}

type node struct {
	member
	id      int
	addr    wire.Addr
	b       brain
	q       uploads
	there   map[int]bool
	alive   bool
	mine    map[Request]*transfer
	serves  map[*Ticket]*transfer
	active  []*transfer
	since   time.Duration // up to when active is reckoned
	version int           // of active
	sent    float64
	got     float64
	done    time.Duration // when it had everything
	waking  time.Duration
}

// transfer is a request of one for a chunk of another.
type transfer struct {
	Request
	from, to *node
	ticket   *Ticket
	left     float64
	short    bool
	dead     bool // nobody waits for it any more
}

type event struct {
	at  time.Duration
	seq int
	do  func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// newWorld is a swarm whose addresses, and so the choices, vary with variant.
func newWorld(variant uint64, chunks int, size float64, members ...member) *world {
	w := &world{
		size: size, chunks: chunks, reach: 2 * time.Millisecond, rise: 10 * time.Millisecond, tell: 30 * time.Millisecond,
		limit: 24 * time.Hour, byAddr: map[wire.Addr]*node{}, registry: map[int][]wire.Addr{},
	}
	for i, m := range members {
		n := &node{
			member: m, id: i, addr: wire.Addr{Host: fmt.Sprintf("10.%d.0.%d", variant, i+1), Port: 7000},
			there: map[int]bool{}, mine: map[Request]*transfer{}, serves: map[*Ticket]*transfer{},
		}
		for _, c := range m.has {
			n.there[c] = true
		}
		w.nodes = append(w.nodes, n)
		w.byAddr[n.addr] = n
		w.after(m.joins, func() { w.join(n) })
		if m.dies > 0 {
			w.after(m.dies, func() { w.die(n) })
		}
	}
	return w
}

func (w *world) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.events, event{w.now + d, w.seq, do})
}

func (w *world) fault(format string, args ...any) {
	if len(w.faults) < 10 {
		w.faults = append(w.faults, fmt.Sprintf("%v: ", w.now)+fmt.Sprintf(format, args...))
	}
}

// run lets the world go on until all that live have everything, and says whether they do.
func (w *world) run() bool {
	for steps := 0; len(w.events) > 0 && !w.finished(); steps++ {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		if w.now > w.limit || steps > 20_000_000 {
			return false
		}
		e.do()
	}
	return w.finished()
}

func (w *world) finished() bool {
	return !slices.ContainsFunc(w.nodes, func(n *node) bool {
		return (n.alive || n.b == nil) && len(n.there) < w.chunks
	})
}

func (w *world) join(n *node) {
	n.alive = true
	if n.q = new(Queue); n.queue != nil {
		n.q = n.queue()
	}
	o := w.opts
	o.Self, o.Last = []wire.Addr{n.addr}, w.chunks
	if n.brain != nil {
		n.b = n.brain(o)
	} else {
		n.b = New(o)
	}
	for c := range w.chunks {
		if n.there[c+1] {
			n.b.Have(c + 1)
			w.announce(n, c+1)
		}
	}
	w.drive(n)
}

func (w *world) announce(n *node, c int) {
	w.told++
	if !slices.Contains(w.registry[c], n.addr) {
		w.after(w.tell, func() { w.registry[c] = append(w.registry[c], n.addr) })
	}
}

// drive does what a peer decides.
func (w *world) drive(n *node) {
	if !n.alive {
		return
	}
	for _, c := range n.b.Questions(w.now) {
		if n.there[c] {
			w.fault("peer %d asks where chunk %d is, which it has", n.id, c)
		}
		w.asked++
		w.after(w.tell, func() {
			if n.alive {
				n.b.Located(w.now, c, slices.Clone(w.registry[c]))
				w.drive(n)
			}
		})
	}
	cancel, begin := n.b.Next(w.now)
	for _, r := range cancel {
		w.cancel(n, r)
	}
	for _, r := range begin {
		w.request(n, r)
	}
	w.rouse(n)
}

// rouse drives a peer again when it wants to be.
func (w *world) rouse(n *node) {
	at, ok := n.b.Wake()
	if !ok || n.waking > w.now && n.waking <= at {
		return
	}
	at = max(at, w.now+time.Microsecond)
	n.waking = at
	w.after(at-w.now, func() {
		if n.waking == at {
			w.drive(n)
		}
	})
}

func (w *world) cancel(n *node, r Request) {
	t := n.mine[r]
	if t == nil {
		w.fault("peer %d cancels %v, which is not open", n.id, r)
		return
	}
	delete(n.mine, r)
	t.dead = true
	w.after(w.reach, func() { w.stop(t) })
}

func (w *world) request(n *node, r Request) {
	from := w.byAddr[r.From]
	switch {
	case from == n:
		w.fault("peer %d asks itself", n.id)
	case n.there[r.Chunk]:
		w.fault("peer %d asks for %d, which it has", n.id, r.Chunk)
	}
	for other := range n.mine {
		if other.From == r.From && !n.naive {
			w.fault("peer %d asks %v for %d while it waits for %d", n.id, r.From, r.Chunk, other.Chunk)
		}
	}
	t := &transfer{Request: r, from: from, to: n, left: w.size}
	n.mine[r] = t
	w.after(2*w.reach, func() { w.arrive(t) })
}

// arrive is when a request is at whom it is for.
func (w *world) arrive(t *transfer) {
	n := t.from
	switch {
	case t.dead:
	case !n.alive || w.now < n.joins+n.deaf:
		w.end(t, Refused)
	case n.mute:
	case !n.there[t.Chunk]:
		w.end(t, Missing)
	default:
		if n.gives != nil && n.gives(t.Chunk) == Short {
			t.left, t.short = w.size/2, true
		}
		t.ticket = n.q.Add(t.to.addr.Host, t.Chunk)
		n.serves[t.ticket] = t
		w.serve(n)
	}
}

func (w *world) serve(n *node) {
	for k := n.q.Next(); k != nil; k = n.q.Next() {
		t := n.serves[k]
		w.after(w.rise, func() {
			if t.ticket != nil && n.alive {
				w.reckon(n)
				n.active = append(n.active, t)
				w.plan(n)
				w.after(w.reach, func() { w.progress(t) })
			}
		})
	}
	w.plan(n)
}

// reckon takes off what was sent since.
func (w *world) reckon(n *node) {
	if len(n.active) > 0 {
		each := n.each() * (w.now - n.since).Seconds()
		for _, t := range n.active {
			t.left -= each
			n.sent += each
			t.to.got += each
		}
	}
	n.since = w.now
	n.version++
}

func (n *node) each() float64 {
	each := n.up / float64(len(n.active))
	if n.trick > 0 {
		each = min(each, n.trick)
	}
	return each
}

// plan finds out which upload of a peer ends next.
func (w *world) plan(n *node) {
	w.reckon(n)
	if len(n.active) == 0 {
		return
	}
	next := slices.MinFunc(n.active, func(a, b *transfer) int { return int(a.left*8) - int(b.left*8) })
	version := n.version
	w.after(max(time.Duration(next.left/n.each()*1e9), 0)+1, func() {
		if n.version == version && n.alive {
			w.reckon(n)
			w.sent(next)
		}
	})
}

func (w *world) sent(t *transfer) {
	w.stop(t)
	w.after(w.reach, func() {
		switch {
		case t.short:
			w.end(t, Short)
		case t.from.gives != nil:
			w.end(t, t.from.gives(t.Chunk))
		default:
			w.end(t, Done)
		}
	})
}

// stop takes a request out of its giver's queue.
func (w *world) stop(t *transfer) {
	n := t.from
	if t.ticket == nil {
		return
	}
	w.reckon(n)
	n.active = slices.DeleteFunc(n.active, func(o *transfer) bool { return o == t })
	n.q.Remove(t.ticket)
	delete(n.serves, t.ticket)
	t.ticket = nil
	if n.alive {
		w.serve(n)
	}
}

// progress tells, each quarter of a second, how far a request is.
func (w *world) progress(t *transfer) {
	if t.dead || !t.to.alive || t.ticket == nil {
		return
	}
	w.reckon(t.from)
	w.plan(t.from)
	t.to.b.Progress(w.now, t.Request, max(int64(w.size-t.left), 1))
	w.drive(t.to)
	w.after(250*time.Millisecond, func() { w.progress(t) })
}

// end is when whoever asked has read to the end.
func (w *world) end(t *transfer, o Outcome) {
	n := t.to
	if t.dead || !n.alive {
		return
	}
	t.dead = true
	delete(n.mine, t.Request)
	if o == Done {
		n.b.Progress(w.now, t.Request, int64(w.size))
		if n.there[t.Chunk] {
			w.fault("peer %d has %d a second time", n.id, t.Chunk)
		}
		n.there[t.Chunk] = true
		if len(n.there) == w.chunks {
			n.done = w.now
		}
	}
	n.b.Ended(w.now, t.Request, o)
	if o == Done {
		w.announce(n, t.Chunk)
		for _, m := range w.nodes {
			if m.alive && m.dieIf != nil && m.dieIf(w) {
				w.die(m)
			}
		}
	}
	w.drive(n)
}

// die breaks every connection.
func (w *world) die(n *node) {
	if !n.alive {
		return
	}
	w.reckon(n)
	n.alive = false
	// in order, so that a seed is the same world each time
	for _, t := range slices.SortedFunc(maps.Values(n.mine), func(a, b *transfer) int { return a.from.id - b.from.id }) {
		t.dead = true
		w.after(w.reach, func() { w.stop(t) })
	}
	for _, t := range slices.SortedFunc(maps.Values(n.serves), func(a, b *transfer) int { return a.to.id - b.to.id }) {
		w.after(w.reach, func() { w.end(t, Broken) })
	}
	n.active = nil
}

// bound is what no swarm can be faster than: all uplinks together, and each peer for what it alone has.
func (w *world) bound() float64 {
	var all, need, most float64
	holders := map[int]int{}
	for _, n := range w.nodes {
		all += n.up
		need += float64(w.chunks-len(n.has)) * w.size
		for _, c := range n.has {
			holders[c]++
		}
	}
	for _, n := range w.nodes {
		alone := 0.0
		for _, c := range n.has {
			if holders[c] == 1 {
				alone += w.size
			}
		}
		most = max(most, alone/n.up)
	}
	return max(need/all, most)
}

// last is when the last peer had everything, in seconds.
func (w *world) last() float64 {
	var last time.Duration
	for _, n := range w.nodes {
		last = max(last, n.done)
	}
	return last.Seconds()
}
