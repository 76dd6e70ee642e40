package choose

import (
	"cmp"
	"container/heap"
	"slices"
	"time"
)

const (
	unknownFirst = time.Second // until a chunk of which nobody knows is asked for again; doubled up to
	unknownMost  = 5 * time.Second
	again        = 250 * time.Millisecond // the same for one that is known

	perArrival = 12 // questions that a chunk which has arrived is good for
	perSecond  = 8  // those that a second is good for
	secondMost = 64 // the same where many are unknown: each is to be asked for within unknownMost
	savedMost  = 32
)

// asking is what is known of the questions about one chunk.
type asking struct {
	due    time.Duration
	open   bool
	queued bool
	vain   int // how often it was not known, since it was
}

// asks is when to ask what.
type asks struct {
	fresh   []*chunk // never asked for, the next last
	later   dueHeap  // others
	open    int
	unknown int     // chunks
	saved   float64 // questions that may be repeated
	filled  time.Duration
	window  int
}

func (a *asks) fill(c *Chooser) {
	a.window, a.saved = c.o.Window, savedMost
	for i := range c.chunks {
		if ch := &c.chunks[i]; !ch.here {
			ch.ask.queued = true
			a.fresh = append(a.fresh, ch)
		}
	}
	slices.SortFunc(a.fresh, func(x, y *chunk) int { return cmp.Compare(x.weight, y.weight) })
}

// Questions returns the chunks to ask the tracker for now. Each is open until Located, or Unanswered.
func (c *Chooser) Questions(now time.Duration) []int {
	a := &c.asks
	a.allow(a.rate() * (now - a.filled).Seconds())
	a.filled = now
	var out []int
	for a.open < a.window {
		ch := a.take(now)
		if ch == nil {
			break
		}
		ch.ask.open = true
		a.open++
		out = append(out, ch.index)
	}
	return out
}

// take takes the chunk to ask for, or nil.
func (a *asks) take(now time.Duration) *chunk {
	for len(a.fresh) > 0 {
		ch := a.fresh[len(a.fresh)-1]
		a.fresh = a.fresh[:len(a.fresh)-1]
		ch.ask.queued = false
		if !ch.here {
			return ch
		}
	}
	for len(a.later) > 0 && (a.later[0].here || a.later[0].ask.due <= now && a.saved >= 1) {
		ch := heap.Pop(&a.later).(*chunk)
		ch.ask.queued = false
		if !ch.here {
			a.saved--
			return ch
		}
	}
	return nil
}

// rate is how many questions a second may be repeated.
func (a *asks) rate() float64 {
	return min(perSecond+float64(a.unknown)/unknownMost.Seconds(), secondMost)
}

func (a *asks) allow(n float64) { a.saved = min(a.saved+n, savedMost) }

// push has a chunk asked for when it is due.
func (a *asks) push(ch *chunk) {
	if !ch.ask.queued && !ch.ask.open {
		ch.ask.queued = true
		heap.Push(&a.later, ch)
	}
}

// answered is for a chunk whose question was answered. One may be told of unasked, too.
func (a *asks) answered(now time.Duration, ch *chunk) {
	if !ch.ask.open {
		return
	}
	ch.ask.open = false
	a.open--
	if ch.here {
		return
	}
	ch.ask.due = now + again
	if len(ch.holders) == 0 {
		if ch.ask.vain++; ch.ask.vain == 1 {
			a.unknown++
		}
		ch.ask.due = now + doubled(unknownFirst, ch.ask.vain, unknownMost)
	}
	a.push(ch)
}

// known is for a chunk of which it is known now where it is.
func (a *asks) known(ch *chunk) {
	if ch.ask.vain > 0 {
		a.unknown--
	}
	ch.ask.vain = 0
}

// Unanswered says that no open question will be answered: the connection to the tracker is gone. They are asked again.
func (c *Chooser) Unanswered(now time.Duration) {
	a := &c.asks
	for i := range c.chunks {
		if ch := &c.chunks[i]; ch.ask.open {
			ch.ask.open = false
			ch.ask.due = now
			a.push(ch)
		}
	}
	a.allow(float64(a.open))
	a.open = 0
}

// next is when the next question may be asked.
func (a *asks) next() (time.Duration, bool) {
	if a.open >= a.window || len(a.later) == 0 {
		return 0, false
	}
	at := a.later[0].ask.due
	if a.saved < 1 {
		at = max(at, a.filled+time.Duration((1-a.saved)/a.rate()*float64(time.Second))+1)
	}
	return at, true
}

// dueHeap has the chunk first that is to be asked for first.
type dueHeap []*chunk

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].ask.due < h[j].ask.due }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(*chunk)) }
func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
