package peer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"spate/swarm/choose"
	"spate/swarm/wire"
)

// A delivery is what one giver has sent as a chunk.
type delivery struct {
	chunk int
	from  wire.Addr // the zero Addr is this peer itself
	size  int64
	sum   [sha256.Size]byte
	sha1  []byte // nil: not needed
	clean bool   // the giver has ended it, the connection did not break
	draft *Draft // nil: it is in the Store, and doubted
	again int    // how often the same giver has given the same once more
}

// A relation is how an earlier delivery of a chunk compares with the one that has come now.
type relation int

const (
	same    relation = iota
	shorter          // the earlier one is the beginning of the later
	longer           // the later one is the beginning of the earlier
	other
)

// A ruling is what follows from a delivery.
type ruling struct {
	outcome choose.Outcome // of the request it came by
	accept  []*delivery    // these are their chunks, whole
	discard []*delivery
	doubt   []int // chunks to be fetched again, which were accepted once
	err     error // why the delivery is not accepted, where it is not
}

const (
	maxHeld  = 3 // deliveries of a chunk that contradict each other and are kept
	maxAgain = 1 // times that a giver says the same again while others could confirm it; the next has to do
)

// A judge says which deliveries are whole where no digest does. A peer that dies in the middle closes its connection as if
// it were done. So a delivery counts
//
//   - if it is as large as the other chunks, all but the last one, are: the largest size that was seen, if two have vouched
//     for it by giving a chunk of that size, or if two chunks that were here from the beginning have it;
//   - if another giver has given the same, and one of the two has ended it. If one is the beginning of the other it is short, which
//     says nothing of the other's end: both givers may have died;
//   - if there is nobody else to ask, and it ended cleanly. It is looked at again, once, if it later proves to be
//     smaller than the others; and asked for twice, if that is so from the beginning.
//
// It is pure, and not safe for concurrent use.
type judge struct {
	last   int
	limit  int64             // bytes of a chunk, at most; 0: defaultMost
	sure   int64             // the largest size of a chunk of which it is certain; 0: of none, see bound
	excess map[int]int       // how often a chunk was more than its bound
	most   int64             // the largest size of what was accepted, or is held and clean
	vouch  map[wire.Addr]int // who has given chunks of that size
	own    int64             // what two chunks or more that were here from the beginning have; 0: it is not known
	unsure map[int]int64     // sizes of what was accepted though nothing has confirmed it
	held   map[int][]*delivery
	tried  map[int][]wire.Addr // who was asked for a chunk in vain while deliveries of it are held
	known  map[int]*delivery   // accepted though nothing has confirmed them, not doubted yet
	done   map[int]bool        // those that were doubted once
}

func newJudge(last int) *judge {
	return &judge{
		last: last, excess: map[int]int{}, vouch: map[wire.Addr]int{}, unsure: map[int]int64{},
		held: map[int][]*delivery{}, tried: map[int][]wire.Addr{}, known: map[int]*delivery{}, done: map[int]bool{},
	}
}

var (
	errEmpty       = errors.New("has no byte of it")
	errCut         = errors.New("ended before it was whole")
	errSmaller     = errors.New("is smaller than other chunks, a second copy has to confirm it")
	errUnconfirmed = errors.New("a second copy has to confirm it")
)

// here is for a chunk that this peer has had from the beginning.
func (j *judge) here(chunk int, size int64) {
	d := &delivery{chunk: chunk, size: size, clean: true}
	j.certain(d)
	j.measure(d)
	if j.vouch[wire.Addr{}] > 1 {
		j.own = j.most
	}
}

func (j *judge) measure(d *delivery) {
	if d.chunk == j.last || !d.clean || d.size < j.most {
		return
	}
	if d.size > j.most {
		j.most = d.size
		clear(j.vouch)
	}
	j.vouch[d.from]++
}

// common is how large all chunks but the last are, if that is known. One giver that sends more says nothing against what was here.
func (j *judge) common() (size int64, ok bool) {
	if len(j.vouch) > 1 || j.vouch[wire.Addr{}] > 1 {
		return j.most, true
	}
	return j.own, j.own > 0
}

// unconfirmed is which of the chunks that were accepted nothing has confirmed, in order.
func (j *judge) unconfirmed() []int {
	size, isKnown := j.common()
	var all []int
	for chunk, n := range j.unsure {
		if !isKnown || n != size {
			all = append(all, chunk)
		}
	}
	slices.Sort(all)
	return all
}

// arrived rules on a delivery; rel says how those compare with it that are held, in order. holders are all who are known
// to have the chunk.
func (j *judge) arrived(d *delivery, rel []relation, holders []wire.Addr) ruling {
	if d.size == 0 {
		return ruling{outcome: choose.Missing, discard: []*delivery{d}, err: errEmpty}
	}
	held := j.held[d.chunk]
	find := func(r relation, isOther bool) *delivery {
		for i, h := range held {
			if rel[i] == r && (h.from != d.from) == isOther {
				return h
			}
		}
		return nil
	}
	isContested := slices.Contains(rel, other)
	twin := find(same, true)
	switch {
	case !d.clean && j.isSmaller(d):
		return j.cut(d, holders)
	case twin != nil && (d.clean || twin.clean):
		return j.confirmed(d)
	case twin != nil && !isContested && !j.isElse(d, holders):
		return j.accepted(d)
	case find(same, false) != nil && !isContested && j.isRepeated(d, find(same, false), holders):
		return j.accepted(d)
	case find(same, false) != nil:
		return ruling{outcome: choose.Doubtful, discard: []*delivery{d}, err: errUnconfirmed}
	case isContested:
		return j.contested(d, held)
	case find(longer, true) != nil:
		return j.cut(d, holders)
	case find(longer, false) != nil:
		return ruling{outcome: short(d), discard: []*delivery{d}, err: errCut}
	}
	return j.first(d, holders)
}

// isRepeated tells whether what a giver has given before, h, and gives again, d, has to do. If there are others who could
// confirm it, they have had their time then, or are as slow as if they did not want to; but for what is small.
func (j *judge) isRepeated(d, h *delivery, holders []wire.Addr) bool {
	h.again++
	return !j.isElse(d, holders) || h.again > maxAgain && !j.isSmaller(d)
}

// isSmaller tells whether a delivery is smaller than all chunks but the last are.
func (j *judge) isSmaller(d *delivery) bool {
	size, isKnown := j.common()
	return isKnown && d.size < size && d.chunk != j.last
}

// first rules on a delivery that nothing is there to compare with, but what it proves to be the beginning of it.
func (j *judge) first(d *delivery, holders []wire.Addr) ruling {
	j.measure(d) // it may be the second of its size
	size, isKnown := j.common()
	switch {
	case isKnown && d.size == size:
		return j.confirmed(d)
	case j.isSmaller(d):
		return j.hold(d, errSmaller)
	case !d.clean || j.isElse(d, holders):
		return j.hold(d, errUnconfirmed)
	}
	return j.accepted(d)
}

// isElse tells whether somebody else could be asked for the chunk.
func (j *judge) isElse(d *delivery, holders []wire.Addr) bool {
	return slices.ContainsFunc(holders, func(a wire.Addr) bool {
		gave := func(h *delivery) bool { return h.from == a }
		return a != d.from && !slices.Contains(j.tried[d.chunk], a) && !slices.ContainsFunc(j.held[d.chunk], gave)
	})
}

// confirmed accepts a delivery.
func (j *judge) confirmed(d *delivery) ruling {
	r := ruling{outcome: choose.Done}
	j.settle(&r, d)
	j.review(&r)
	return r
}

// accepted accepts a delivery that nothing confirms.
func (j *judge) accepted(d *delivery) ruling {
	r := j.confirmed(d)
	j.unsure[d.chunk] = d.size
	if _, isKnown := j.common(); isKnown {
		j.done[d.chunk] = true // it was looked at in the knowledge of the others
	}
	return r
}

// settle makes d its chunk.
func (j *judge) settle(r *ruling, d *delivery) {
	r.accept = append(r.accept, d)
	for _, h := range j.held[d.chunk] {
		if h != d {
			r.discard = append(r.discard, h)
		}
	}
	delete(j.held, d.chunk)
	delete(j.tried, d.chunk)
	delete(j.unsure, d.chunk)
	j.measure(d)
}

// hold keeps a delivery until something confirms it.
func (j *judge) hold(d *delivery, why error) ruling {
	r := ruling{outcome: choose.Doubtful, err: fmt.Errorf("%d bytes: %w", d.size, why)}
	if !d.clean {
		r.outcome = choose.Broken
	}
	keep := []*delivery{d}
	for _, h := range j.held[d.chunk] {
		if len(keep) < maxHeld && h.size >= d.size {
			keep = append(keep, h)
		} else {
			r.discard = append(r.discard, h)
		}
	}
	j.held[d.chunk] = keep
	return r
}

// cut drops a delivery that is short. So its giver cannot confirm what is held.
func (j *judge) cut(d *delivery, holders []wire.Addr) ruling {
	r := j.failed(d.chunk, d.from, holders)
	r.outcome, r.err = short(d), errCut
	r.discard = append(r.discard, d)
	return r
}

// short is the outcome of a delivery that is short.
func short(d *delivery) choose.Outcome {
	if d.clean {
		return choose.Short
	}
	return choose.Broken
}

// contested keeps what contradicts: a third decides.
func (j *judge) contested(d *delivery, held []*delivery) ruling {
	r := ruling{outcome: choose.Doubtful, err: fmt.Errorf("%d bytes, and other ones than %s", d.size, held[0].from)}
	if len(held) >= maxHeld {
		r.discard = append(r.discard, held[0])
		held = held[1:]
	}
	j.held[d.chunk] = append(slices.Clone(held), d)
	return r
}

// failed is for a giver that was asked for a chunk in vain: perhaps there is nobody else any more to confirm what is held.
func (j *judge) failed(chunk int, from wire.Addr, holders []wire.Addr) ruling {
	var r ruling
	held := j.held[chunk]
	if len(held) == 0 {
		return r
	}
	if !slices.Contains(j.tried[chunk], from) {
		j.tried[chunk] = append(j.tried[chunk], from)
	}
	d := held[0]
	if len(held) > 1 || !d.clean || j.isSmaller(d) || j.isElse(d, holders) {
		return r
	}
	return j.accepted(d)
}

// stored is for what was accepted and is in the Store now. If nothing has confirmed it, it is remembered.
func (j *judge) stored(d *delivery) (r ruling) {
	if _, isUnsure := j.unsure[d.chunk]; isUnsure && d.chunk != j.last && !j.done[d.chunk] {
		d.draft = nil
		j.known[d.chunk] = d
		j.review(&r)
	}
	return r
}

// review looks again at what waits, and at what was accepted without proof, as more is known now.
func (j *judge) review(r *ruling) {
	size, isKnown := j.common()
	if !isKnown {
		return
	}
	for _, held := range j.held {
		fits := func(d *delivery) bool { return d.size == size }
		if i := slices.IndexFunc(held, fits); i >= 0 && len(held) == 1 {
			j.settle(r, held[i])
		}
	}
	for chunk, d := range j.known {
		if d.size < size {
			delete(j.known, chunk)
			j.done[chunk] = true
			j.held[chunk] = []*delivery{d}
			r.doubt = append(r.doubt, chunk)
		}
	}
}
