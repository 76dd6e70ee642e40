package peer

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"spate/swarm/choose"
	"spate/swarm/wire"
)

// The givers of these tests.
var (
	ann = wire.Addr{Host: "ann", Port: 1}
	bob = wire.Addr{Host: "bob", Port: 2}
	cid = wire.Addr{Host: "cid", Port: 3}
	dot = wire.Addr{Host: "dot", Port: 4}
)

// A court is a judge, and what the deliveries to it hold.
type court struct {
	*judge
	texts   map[*delivery]string
	holders []wire.Addr
}

const (
	clean  = true
	broken = false
)

// A step is one thing that happens, and what follows: the outcome, and which chunks are accepted with which size.
type step struct {
	chunk   int
	from    wire.Addr
	text    string // "-": asked in vain
	ends    bool
	outcome choose.Outcome
	accept  string // "chunk:size …"
	doubt   []int
}

func (c *court) relations(d *delivery) []relation {
	var rel []relation
	for _, h := range c.held[d.chunk] {
		a, b := c.texts[h], c.texts[d]
		switch {
		case a == b:
			rel = append(rel, same)
		case strings.HasPrefix(b, a):
			rel = append(rel, shorter)
		case strings.HasPrefix(a, b):
			rel = append(rel, longer)
		default:
			rel = append(rel, other)
		}
	}
	return rel
}

func (c *court) take(st step) ruling {
	if st.text == "-" {
		return c.failed(st.chunk, st.from, c.holders)
	}
	d := &delivery{chunk: st.chunk, from: st.from, size: int64(len(st.text)), sum: sha256.Sum256([]byte(st.text)), clean: st.ends, draft: &Draft{}}
	c.texts[d] = st.text
	return c.arrived(d, c.relations(d), c.holders)
}

func accepted(all []*delivery) string {
	var s []string
	for _, d := range all {
		s = append(s, fmt.Sprintf("%d:%d", d.chunk, d.size))
	}
	slices.Sort(s)
	return strings.Join(s, " ")
}

func TestJudge(t *testing.T) {
	const whole, half, wrong = "0123456789", "01234", "0123x"
	const last = 9
	for name, c := range map[string]struct {
		here    []string // chunks 1, 2 … from the beginning
		holders []wire.Addr
		steps   []step
		unsure  []int
	}{
		"nobody else has it, and nothing is known": {
			holders: []wire.Addr{ann},
			steps:   []step{{3, ann, whole, clean, choose.Done, "3:10", nil}},
			unsure:  []int{3},
		},
		"nobody else has it, and it broke: the same once more has to do": {
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, half, broken, choose.Broken, "", nil},
				{3, ann, half, broken, choose.Done, "3:5", nil},
			},
			unsure: []int{3},
		},
		"no byte": {
			holders: []wire.Addr{ann},
			steps:   []step{{3, ann, "", clean, choose.Missing, "", nil}},
		},
		"as large as two that are here": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob},
			steps:   []step{{3, ann, "9876543210", clean, choose.Done, "3:10", nil}},
		},
		"as large as they are, and the connection broke behind it": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob},
			steps:   []step{{3, ann, whole, broken, choose.Done, "3:10", nil}},
		},
		"as large as one that is here": {
			here:    []string{whole},
			holders: []wire.Addr{ann, bob},
			steps:   []step{{3, ann, whole, clean, choose.Done, "3:10", nil}},
		},
		"the first one, of two holders, waits for the second": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, bob, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"or for another chunk of the same size, from another": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{4, bob, whole, clean, choose.Done, "3:10 4:10", nil},
			},
		},
		"not from the same: one that cuts everything in half vouches for nothing": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{4, ann, half, clean, choose.Doubtful, "", nil},
				{5, bob, whole, clean, choose.Doubtful, "", nil},
				{5, ann, half, clean, choose.Short, "5:10", nil},
				{6, cid, whole, clean, choose.Done, "6:10", nil},
				{4, bob, whole, clean, choose.Done, "4:10", nil},
				{3, bob, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"the other is dead: what there is has to do": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, bob, "-", clean, choose.Done, "3:10", nil},
			},
			unsure: []int{3},
		},
		"the other is slow, and it was said three times": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, ann, whole, clean, choose.Done, "3:10", nil},
			},
			unsure: []int{3},
		},
		"the other is slow, and it is small: it waits": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, bob, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"one of the others is dead": {
			holders: []wire.Addr{ann, bob, cid},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, bob, "-", clean, choose.Done, "", nil},
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, cid, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"smaller than the others, from its only holder: it has to say so twice": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, ann, half, clean, choose.Done, "3:5", nil},
			},
			unsure: []int{3},
		},
		"smaller at first, and then whole": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, ann, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"smaller, and broken, is nothing": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, half, broken, choose.Broken, "", nil},
				{3, ann, half, broken, choose.Broken, "", nil},
				{3, ann, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"smaller, and nobody is left to say so": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, bob, "-", clean, choose.Done, "", nil},
			},
		},
		"the last chunk may be smaller; the second holder confirms it": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{last, ann, half, clean, choose.Doubtful, "", nil},
				{last, bob, half, clean, choose.Done, "9:5", nil},
			},
		},
		"the last chunk of one holder": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann},
			steps:   []step{{last, ann, half, clean, choose.Done, "9:5", nil}},
			unsure:  []int{last},
		},
		"the beginning of a longer one is short, in whichever order they come": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, bob, half, clean, choose.Short, "3:10", nil},
				{4, ann, "9", clean, choose.Doubtful, "", nil},
				{4, bob, "98", clean, choose.Done, "4:2", nil},
			},
			unsure: []int{3, 4}, // that one is cut says nothing of the other's end
		},
		"one is cut, and so may be the other: a third is asked": {
			holders: []wire.Addr{ann, bob, cid},
			steps: []step{
				{3, ann, half, clean, choose.Doubtful, "", nil},
				{3, bob, "0123456", clean, choose.Doubtful, "", nil},
				{3, cid, whole, clean, choose.Doubtful, "", nil},
				{3, ann, half, clean, choose.Short, "", nil},
				{3, bob, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"the beginning of a longer one, while a third could be asked": {
			holders: []wire.Addr{ann, bob, cid},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, bob, half, clean, choose.Short, "", nil},
				{3, cid, "-", clean, choose.Done, "3:10", nil},
			},
			unsure: []int{3},
		},
		"both are cut, and known to be": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, "012", clean, choose.Doubtful, "", nil},
				{3, bob, half, clean, choose.Doubtful, "", nil},
				{3, ann, "012", clean, choose.Short, "", nil},
				{3, bob, whole, clean, choose.Done, "3:10", nil},
				{4, ann, half, clean, choose.Doubtful, "", nil},
				{4, bob, "012", clean, choose.Short, "", nil},
				{4, bob, "-", clean, choose.Done, "", nil},
				{4, ann, whole, clean, choose.Done, "4:10", nil},
			},
		},
		"both are cut, which is found out later": {
			holders: []wire.Addr{ann, bob},
			steps: []step{
				{3, ann, "012", clean, choose.Doubtful, "", nil},
				{3, bob, half, clean, choose.Done, "3:5", nil},
				{4, ann, whole, clean, choose.Doubtful, "", nil},
				{4, bob, whole, clean, choose.Done, "4:10", []int{3}},
				{3, ann, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"two that broke at the same byte are no two that say where it ends": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann, bob, cid},
			steps: []step{
				{3, ann, wrong, clean, choose.Doubtful, "", nil},
				{3, bob, half, broken, choose.Broken, "", nil},
				{3, cid, half, broken, choose.Broken, "", nil},
				{3, bob, whole, clean, choose.Doubtful, "", nil},
				{3, cid, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"the same, of unknown size": {
			holders: []wire.Addr{ann, bob, cid},
			steps: []step{
				{3, ann, half, broken, choose.Broken, "", nil},
				{3, bob, half, broken, choose.Broken, "", nil},
				{3, cid, whole, clean, choose.Done, "3:10", nil},
			},
			unsure: []int{3},
		},
		"one that adds a byte does not make the size of those that are here unknown": {
			here:    []string{whole, whole},
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, whole + "x", clean, choose.Done, "3:11", nil},
				{4, bob, half, clean, choose.Doubtful, "", nil},
				{4, bob, whole, clean, choose.Done, "4:10", nil},
			},
			unsure: []int{3},
		},
		"two that contradict each other: a third decides": {
			holders: []wire.Addr{ann, bob, cid},
			steps: []step{
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, bob, wrong, clean, choose.Doubtful, "", nil},
				{3, ann, whole, clean, choose.Doubtful, "", nil},
				{3, cid, whole, clean, choose.Done, "3:10", nil},
			},
		},
		"four that contradict each other: one of the latest has to be said twice": {
			holders: []wire.Addr{ann, bob, cid, dot},
			steps: []step{
				{3, ann, "a", clean, choose.Doubtful, "", nil},
				{3, bob, "b", clean, choose.Doubtful, "", nil},
				{3, cid, "c", clean, choose.Doubtful, "", nil},
				{3, dot, "d", clean, choose.Doubtful, "", nil},
				{3, ann, "d", clean, choose.Done, "3:1", nil},
			},
		},
		"accepted, and then the others are larger: asked for again, once": {
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, half, clean, choose.Done, "3:5", nil},
				{4, ann, whole, clean, choose.Done, "4:10", nil},
				{5, bob, whole, clean, choose.Done, "5:10", []int{3}},
				{3, ann, half, clean, choose.Done, "3:5", nil},
				{6, cid, whole, clean, choose.Done, "6:10", nil},
			},
			unsure: []int{3},
		},
		"accepted, and then the others are larger: it was cut": {
			holders: []wire.Addr{ann},
			steps: []step{
				{3, ann, half, clean, choose.Done, "3:5", nil},
				{4, ann, whole, clean, choose.Done, "4:10", nil},
				{5, bob, whole, clean, choose.Done, "5:10", []int{3}},
				{3, ann, whole, clean, choose.Done, "3:10", nil},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			j := &court{judge: newJudge(last), texts: map[*delivery]string{}, holders: c.holders}
			for i, text := range c.here {
				j.here(i+1, int64(len(text)))
			}
			for i, st := range c.steps {
				r := j.take(st)
				for _, d := range slices.Clone(r.accept) {
					r.doubt = append(r.doubt, j.stored(d).doubt...)
				}
				if r.outcome != st.outcome || accepted(r.accept) != st.accept || !slices.Equal(r.doubt, st.doubt) {
					t.Fatalf("step %d: outcome %d, accepted %q, doubted %v (%v), want %+v", i+1, r.outcome, accepted(r.accept), r.doubt, r.err, st)
				}
			}
			if got := j.unconfirmed(); !slices.Equal(got, c.unsure) {
				t.Errorf("not confirmed: %v, want %v", got, c.unsure)
			}
		})
	}
}
