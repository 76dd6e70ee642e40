package limit

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
)

// world is random claims on a few hosts, and what must hold whatever happens.
type world struct {
	t      *testing.T
	rnd    *rand.Rand
	h      *Hosts
	names  []string
	claims map[*claim]string // by host
}

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
			w := &world{t: t, rnd: rnd, h: &Hosts{PerHost: 1 + rnd.IntN(4)}, names: []string{"a", "b"}, claims: map[*claim]string{}}
			for range 60 {
				w.step()
				w.check()
			}
			for c := range w.claims {
				c.end()
			}
			if w.h.waiting != 0 || len(w.h.hosts) != 0 {
				t.Errorf("%d waiters and %d hosts are left", w.h.waiting, len(w.h.hosts))
			}
		})
	}
}

func (w *world) step() {
	switch n := w.rnd.IntN(10); {
	case n < 5 || len(w.claims) == 0:
		name := w.names[w.rnd.IntN(len(w.names))]
		w.claims[askFor(w.h, name, int64(w.rnd.IntN(6)), w.rnd.IntN(3) == 0)] = name
	case n < 7:
		c := w.any()
		c.end()
		delete(w.claims, c)
	case n < 9:
		w.any().move(int64(w.rnd.IntN(6)))
		w.h.Promote()
	default:
		w.giveBack()
	}
	synctest.Wait()
}

func (w *world) any() *claim {
	n := w.rnd.IntN(len(w.claims))
	for c := range w.claims {
		if n--; n < 0 {
			return c
		}
	}
	return nil
}

// giveBack does what revocations ask for.
func (w *world) giveBack() {
	for c := range w.claims {
		if _, revokes := c.state(); revokes > 0 {
			c.end()
			delete(w.claims, c)
		}
	}
}

// check holds the state of each host against the contract.
func (w *world) check() {
	for _, name := range w.names {
		var s tally
		for c, at := range w.claims {
			if at == name {
				s.add(w.t, c)
			}
		}
		per := w.h.perHost()
		switch {
		case s.holders < per && (s.waitingHeads > 0 || s.waiters > s.waitingOnce || s.waitingOnce > 0 && s.once+1 < per):
			w.t.Errorf("%d of %d slots are held, and %d wait", s.holders, per, s.waiters)
		case s.holders > per && s.overflow < s.holders-per:
			w.t.Errorf("%d of %d slots are held, of which only %d by heads", s.holders, per, s.overflow)
		case s.onceAhead >= per:
			w.t.Errorf("%d of %d slots are held by claims that are revoked last and never were heads", s.onceAhead, per)
		case s.waitingHeads > 0 && s.revoked < min(s.waitingHeads, s.revocable+s.revoked):
			w.t.Errorf("%d heads wait, and %d slots were revoked, %d could be", s.waitingHeads, s.revoked, s.revocable)
		case s.waitingHeads > 0 && s.revoked == 0:
			w.t.Errorf("%d heads wait for nothing", s.waitingHeads)
		}
	}
}

// tally counts the claims on one host.
type tally struct {
	holders, waiters, waitingHeads int
	overflow                       int // holders that are, or once were, heads
	revoked                        int // slots that are still held
	revocable                      int
	once, onceAhead                int // holders that leave a slot to others, and those that never were heads
	waitingOnce                    int
}

func (s *tally) add(t *testing.T, c *claim) {
	holds, revokes := c.state()
	switch {
	case revokes > 1:
		t.Errorf("revoked %d times", revokes)
	case c.headRevoked.Load():
		t.Error("a head was revoked")
	case holds:
		s.holders++
		if c.wasHead.Load() {
			s.overflow++
		}
		if c.once {
			s.once++
		}
		if c.once && !c.wasHead.Load() {
			s.onceAhead++
		}
		if revokes > 0 {
			s.revoked++
		} else if c.pos.Ahead() > 0 {
			s.revocable++
		}
	default:
		s.waiters++
		if c.once {
			s.waitingOnce++
		}
		if c.pos.Ahead() == 0 {
			s.waitingHeads++
		}
	}
}
