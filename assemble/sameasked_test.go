package assemble_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"spate/assemble"
	"spate/source/limit"
)

// TestAheadAsksTheSame: in random manifests whose parts are all marked (*) and can all be had, reading ahead asks for
// each URL as often as reading in order does. (Manifests are not cached; which answer 404 before one of another name
// proved to be a manifest is forgotten.)
func TestAheadAsksTheSame(t *testing.T) {
	rnd, seed := random(t)
	for round := range 300 {
		things := markedWorld(rnd)
		inOrder := library(things)
		want := read(t, asDocument(inOrder, unnamed), plan, &assemble.Options{Ahead: 1})
		if want.err != nil {
			t.Fatalf("seed %d, round %d: %v", seed, round, whole(want.err))
		}
		for _, ahead := range []int{2, 4, 16} {
			m := library(things)
			opts := &assemble.Options{Ahead: ahead, Hosts: &limit.Hosts{PerHost: 1 + rnd.IntN(4)}, Budget: budgetOf(1 + rnd.Int64N(20_000))}
			read(t, asDocument(m, unnamed), plan, opts).want(t, want.data)
			for url, th := range things {
				if got, want := m.requests(url), inOrder.requests(url); got != want && !th.gone && th.data[0] != '(' {
					t.Errorf("%d requests of %s, %d in order", got, url, want)
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d, round %d, ahead %d\n%s", seed, round, ahead, described(things))
			}
		}
	}
}

// markedWorld is manifests of marked parts, of which the last alternative can be had. A manifest lists only manifests
// that come after it; one of them has no manifest's name.
func markedWorld(rnd *rand.Rand) map[string]*thing {
	const manifests, files = 4, 6
	things := map[string]*thing{}
	for i := range files {
		things[fmt.Sprintf("mem://h%d/%d", i%2, i)] = &thing{data: text(fmt.Sprint(i), 1+rnd.IntN(3000)), noRange: rnd.IntN(4) == 0, noSize: rnd.IntN(4) == 0}
		things[fmt.Sprintf("mem://gone/%d", i)] = &thing{gone: true}
	}
	for i := range manifests {
		var l []string
		for range 1 + rnd.IntN(5) {
			l = append(l, "(*)")
			for range rnd.IntN(3) {
				l = append(l, fmt.Sprintf("mem://gone/%d", rnd.IntN(files)))
			}
			if i+1 < manifests && rnd.IntN(4) == 0 {
				l = append(l, manifestURL(i+1+rnd.IntN(manifests-i-1)))
			} else {
				n := rnd.IntN(files)
				l = append(l, fmt.Sprintf("mem://h%d/%d", n%2, n))
			}
			l = append(l, "--")
		}
		things[manifestURL(i)] = &thing{data: lines(l...)}
	}
	things[plan] = &thing{data: lines("mem://m/0.parts")}
	return things
}

// unnamed is a manifest that only its media type tells.
const unnamed = "mem://m/unnamed"

func manifestURL(i int) string {
	if i == 2 {
		return unnamed
	}
	return fmt.Sprintf("mem://m/%d.parts", i)
}

func described(things map[string]*thing) string {
	var s string
	for url, th := range things {
		if !th.gone && th.data[0] == '(' {
			s += url + "\n" + string(th.data) + "\n"
		}
	}
	return s
}
