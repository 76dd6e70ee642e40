package peersource

import (
	"context"
	"sync"
)

// maxAhead is for how many chunks ahead of the one that is read the tracker is asked: an answer takes 30 ms at least, in
// which it could go on. The chunks themselves are not fetched ahead.
const maxAhead = 8

// ahead is what the tracker was asked before it was needed. All but its questions is one goroutine's.
type ahead struct {
	answers map[int]chan []giver
	asking  sync.WaitGroup
}

// ask asks for chunks from first to last, for a few of them. ctx has to end before close returns.
func (a *ahead) ask(ctx context.Context, first, last int, locate func(context.Context, int) ([]giver, error)) {
	for chunk := first; chunk <= last && chunk < first+maxAhead; chunk++ {
		if a.answers[chunk] != nil {
			continue
		}
		if a.answers == nil {
			a.answers = map[int]chan []giver{}
		}
		answer := make(chan []giver, 1)
		a.answers[chunk] = answer
		a.asking.Go(func() {
			holders, err := locate(ctx, chunk)
			if err != nil {
				holders = nil // who needs the chunk asks again, and hears of it
			}
			answer <- holders
		})
	}
}

// take waits for what was asked of a chunk. Nobody: it is not known, or was not asked.
func (a *ahead) take(ctx context.Context, chunk int) []giver {
	answer := a.answers[chunk]
	if answer == nil {
		return nil
	}
	delete(a.answers, chunk)
	select {
	case holders := <-answer:
		return holders
	case <-ctx.Done():
		return nil
	}
}

// close waits until nothing is asked any more.
func (a *ahead) close() { a.asking.Wait() }
