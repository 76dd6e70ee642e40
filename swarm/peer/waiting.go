package peer

import (
	"context"
	"fmt"
	"time"

	"spate/event"
)

const (
	quietTime   = 10 * time.Second
	waitingMost = 8 // chunks that are told of at a time
)

// tellWaiting tells what keeps the peer from being complete, where no chunk has come for a while: without that a peer that is to end by
// itself, and never does, would not say why.
func (p *Peer) tellWaiting(ctx context.Context) {
	tick := time.NewTicker(p.o.Quiet)
	defer tick.Stop()
	for n, seen := 0, 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-p.complete:
			return
		case <-tick.C:
		}
		if have := p.Stats().Have; have != seen {
			n, seen = 0, have
		}
		if isDue(n) {
			p.mu.Lock()
			p.waits()
			p.unlock()
		}
	}
}

// isDue tells whether what is waited for is told the nth time that nothing has come.
func isDue(n int) bool { return n > 0 && (n&(n-1) == 0 || n%64 == 0) }

// waits tells of the chunks that nobody is known to have, and of those that were asked for in vain. What only waits for its turn, or is
// on its way, is not told. It needs the lock.
func (p *Peer) waits() {
	more := 0
	for chunk := 1; chunk <= p.o.Last; chunk++ {
		e, isVain := p.vain[chunk]
		switch {
		case p.have[chunk]:
			continue
		case isVain:
		case p.chooser != nil && len(p.chooser.Holders(chunk)) > 0:
			continue
		default:
			e.Error = "nobody is known to have it"
		}
		if more++; more <= waitingMost {
			p.later(event.Event{Type: event.Waiting, Chunk: chunk, Origin: e.Origin, Error: e.Error})
		}
	}
	if more > waitingMost {
		p.later(event.Event{Type: event.Waiting, Error: fmt.Sprintf("%d more chunks", more-waitingMost)})
	}
}

// notes are the lines that the log of actions gets of events: what could not be verified, and, once for each chunk, what is waited for.
// It needs the lock.
func (p *Peer) notes(events []event.Event) (lines []string) {
	if !p.o.Notes {
		return nil
	}
	for _, e := range events {
		switch {
		case e.Type == event.Unverified:
			lines = append(lines, fmt.Sprintf("%s,UNVERIFIED,%d", p.o.Name, e.Chunk))
		case e.Type == event.Waiting && e.Chunk > 0 && !p.noted[e.Chunk]:
			p.noted[e.Chunk] = true
			lines = append(lines, fmt.Sprintf("%s,WAITING,%d", p.o.Name, e.Chunk))
		}
	}
	return lines
}
