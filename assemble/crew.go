package assemble

import "sync"

// A crew is the goroutines of a stream. One that has ended its work waits for more: a new one would have to grow its
// stack, several times, for each part.
type crew struct {
	work chan func()
	wg   sync.WaitGroup
}

func newCrew() *crew { return &crew{work: make(chan func())} }

// do runs f in a goroutine.
func (c *crew) do(f func()) {
	select {
	case c.work <- f:
	default:
		c.wg.Go(func() {
			for f := range c.work {
				f()
			}
		})
		c.work <- f
	}
}

// end waits until all work has ended. No more must come.
func (c *crew) end() {
	close(c.work)
	c.wg.Wait()
}
