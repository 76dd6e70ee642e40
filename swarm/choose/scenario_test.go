package choose

import (
	"testing"
	"time"
)

// everywhere is true once each chunk is at another than the first, who stays and gives it.
func everywhere(w *world) bool {
	for c := 1; c <= w.chunks; c++ {
		found := false
		for _, n := range w.nodes[1:] {
			found = found || n.there[c] && n.dies == 0 && n.gives == nil && n.trick == 0 && !n.mute
		}
		if !found {
			return false
		}
	}
	return true
}

func always(o Outcome) func(int) Outcome { return func(int) Outcome { return o } }

// What goes wrong costs time, but not much: the healthy swarm takes 15 s.
func TestTroubles(t *testing.T) {
	for _, c := range []struct {
		name string
		with func(m []member)
		most float64 // seconds
	}{
		{"none", func([]member) {}, 16},
		{"the seed dies once all is elsewhere", func(m []member) { m[0].dieIf = everywhere }, 18},
		{"two of eight die", func(m []member) { m[3].dies, m[6].dies = 5*time.Second, 9*time.Second }, 18},
		{"one lies", func(m []member) { m[2].gives = always(Corrupt) }, 19},
		{"one gives half", func(m []member) { m[2].gives = always(Short) }, 19},
		{"one gives a byte a second", func(m []member) { m[2].trick = 1 }, 19},
		{"one never answers", func(m []member) { m[2].mute = true }, 19},
		{"one announces what it has not", func(m []member) { m[2].gives = always(Missing) }, 19},
		{"two listen late", func(m []member) { m[1].deaf, m[2].deaf = 3*time.Second, 3*time.Second }, 18},
		{"two come late", func(m []member) { m[4].joins, m[5].joins = 8*time.Second, 16*time.Second }, 24},
		{"the seed comes late", func(m []member) { m[0].joins = 20 * time.Second }, 20 + 21},
		{"all of it", func(m []member) {
			m[0].dieIf = everywhere
			m[1].gives, m[2].trick, m[3].mute, m[4].dies = always(Corrupt), 1, true, 6*time.Second
			m[5].joins = 10 * time.Second
		}, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := measure(t, 64, func() []member {
				m := swarmOf(8, 64, 20)
				c.with(m)
				return m
			}, nil)
			t.Log(f)
			if f.last > c.most {
				t.Errorf("%.1f s, at most %.0f are wanted", f.last, c.most)
			}
		})
	}
}

// As a grader splits a file: each has some chunks, at random, and nobody all.
func TestScattered(t *testing.T) {
	f := measure(t, 64, func() []member {
		m := swarmOf(7, 64, 20)
		m[0].has = nil
		for c := range 64 {
			m[mix(uint64(c))%8].has = append(m[mix(uint64(c))%8].has, c+1)
		}
		return m
	}, nil)
	if f.efficiency < 0.9 {
		t.Errorf("%v; at least 0.90 of the bound is wanted", f)
	}
}
