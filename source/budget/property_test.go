package budget

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

// world is random claims of a few streams on a Budget, and what must hold whatever happens.
type world struct {
	t       *testing.T
	rnd     *rand.Rand
	b       *Budget
	streams []*stream
}

// stream has an account and claims in stream order, the first of which is the head.
type stream struct {
	a      *Account
	claims []*asked
}

type asked struct {
	*claim
	n     int64
	whole bool
}

const reserve = 40

// TestProperties does at random what streams do, and looks after each step.
func TestProperties(t *testing.T) {
	seed := rand.Uint64()
	for i := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed+i, 0))
			defer func() {
				if t.Failed() {
					t.Logf("seed %d", seed+i)
				}
			}()
			w := &world{t: t, rnd: rnd, b: &Budget{Max: 1 + rnd.Int64N(200)}}
			for range 1 + rnd.IntN(3) {
				w.streams = append(w.streams, &stream{a: w.b.Account(reserve)})
			}
			for range 60 {
				w.step()
				w.check()
			}
			w.end()
		})
	}
}

func (w *world) step() {
	s := w.streams[w.rnd.IntN(len(w.streams))]
	switch n := w.rnd.IntN(10); {
	case n < 5 || len(s.claims) == 0:
		s.ask(w.rnd)
	case n < 7: // the head is read
		s.claims[0].end()
		s.claims = s.claims[1:]
	case n < 8: // it goes on with another block
		if over, _ := s.claims[0].state(); over {
			s.claims[0].end()
			s.claims[0] = s.claim(w.rnd, 0)
		}
	case n < 9: // unwinding
		keep := w.rnd.IntN(len(s.claims))
		for _, c := range s.claims[keep:] {
			c.end()
		}
		s.claims = s.claims[:keep]
	default: // a part of what is held is given back
		c := s.claims[w.rnd.IntN(len(s.claims))]
		if over, held := c.state(); over && held > 1 {
			part := c.grant.Split(held / 2)
			part.Release()
		}
	}
	s.renumber()
	w.b.Promote()
	synctest.Wait()
}

func (s *stream) ask(rnd *rand.Rand) { s.claims = append(s.claims, s.claim(rnd, int64(len(s.claims)))) }

func (s *stream) claim(rnd *rand.Rand, ahead int64) *asked {
	if rnd.IntN(3) == 0 {
		n := rnd.Int64N(250)
		return &asked{askWhole(s.a, n, ahead), n, true}
	}
	n := 1 + rnd.Int64N(reserve)
	return &asked{ask(s.a, n, ahead), n, false}
}

func (s *stream) renumber() {
	for i, c := range s.claims {
		c.pos.Store(int64(i))
	}
}

// check holds the state against the contract.
func (w *world) check() {
	if used := w.b.Used(); used > w.b.Limit() || used < 0 {
		w.t.Errorf("%d of %d bytes are in use", used, w.b.Limit())
	}
	held, nearest := int64(0), (*asked)(nil)
	for _, s := range w.streams {
		if s.a.taken > s.a.reserve || s.a.taken < 0 {
			w.t.Errorf("%d of %d bytes of a reserve are in use", s.a.taken, s.a.reserve)
		}
		held -= s.a.taken
		for i, c := range s.claims {
			over, n := c.state()
			held += n
			switch {
			case !over && i == 0:
				w.t.Errorf("a head waits for %d bytes", c.n)
			case over && n > c.n:
				w.t.Errorf("%d bytes were granted for %d", n, c.n)
			case !over && (nearest == nil || c.pos.Ahead() < nearest.pos.Ahead()):
				nearest = c
			}
		}
	}
	if held != w.b.Used() {
		w.t.Errorf("%d bytes are held beside the reserves, %d counted", held, w.b.Used())
	}
	if nearest != nil {
		w.checkNearest(nearest.pos.Ahead())
	}
}

// checkNearest: of those that wait nearest to their heads, the first would not fit.
func (w *world) checkNearest(ahead int64) {
	for _, s := range w.streams {
		for _, c := range s.claims {
			if over, _ := c.state(); !over && c.pos.Ahead() == ahead && w.b.Used()+c.n > w.b.Limit() {
				return
			}
		}
	}
	w.t.Errorf("%d of %d bytes are in use, and the nearest claims would fit", w.b.Used(), w.b.Limit())
}

func (w *world) end() {
	for _, s := range w.streams {
		for _, c := range s.claims {
			c.end()
		}
	}
	wantUsed(w.t, w.b, 0)
	for _, s := range w.streams {
		if s.a.taken != 0 {
			w.t.Errorf("%d bytes of a reserve are in use", s.a.taken)
		}
	}
	if len(w.b.waiters) != 0 {
		w.t.Errorf("%d waiters are left", len(w.b.waiters))
	}
}
