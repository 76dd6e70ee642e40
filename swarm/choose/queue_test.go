package choose

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// serveAll serves what waits, one after the other, and says in which order.
func serveAll(q *Queue) string {
	var order []string
	for t := q.Next(); t != nil; t = q.Next() {
		order = append(order, fmt.Sprint(t.Remote, t.Chunk))
		q.Remove(t)
	}
	return strings.Join(order, " ")
}

func TestQueueOrder(t *testing.T) {
	for _, c := range []struct{ name, waiting, order string }{
		{"who came first", "a1 b2 c3", "a1 b2 c3"},
		{"the chunk that was given least", "a1 b1 c2", "a1 c2 b1"},
		{"the remote that waited longest", "a1 a2 b3", "a1 b3 a2"},
		{"the chunk before the remote", "a1 b1 a2", "a1 a2 b1"},
		{"one remote with many, and another", "a1 a2 a3 b4 b5", "a1 b4 a2 b5 a3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := &Queue{Slots: 1}
			for _, w := range strings.Fields(c.waiting) {
				q.Add(w[:1], int(w[1]-'0'))
			}
			if got := serveAll(q); got != c.order {
				t.Errorf("%s are served as %s, not %s", c.waiting, got, c.order)
			}
		})
	}
}

func TestQueueSlots(t *testing.T) {
	q := &Queue{}
	var all []*Ticket
	for i := range 5 {
		all = append(all, q.Add("a", i))
	}
	first, second := q.Next(), q.Next()
	if first == nil || second == nil || q.Next() != nil {
		t.Fatal("by default there are two slots")
	}
	q.Remove(first)
	q.Remove(first)
	if q.Next() != all[2] || q.Next() != nil {
		t.Error("a slot that is free once is used once")
	}
	q.Remove(all[3])
	if !q.Yield(second) || q.Yield(second) || q.Yield(all[4]) {
		t.Error("whoever is served yields a slot, once; whoever waits has none")
	}
	if q.Next() != all[4] || q.Waiting() != 0 {
		t.Error("who has gone is not served, who is left is")
	}
	q.Remove(second)
	q.Add("b", 9)
	if q.Next() != nil {
		t.Error("who has yielded a slot gives none back")
	}
}

func TestQueueYieldsAreBounded(t *testing.T) {
	q := &Queue{Slots: 2}
	yielded := 0
	for i := range 100 {
		q.Add("a", i)
		if k := q.Next(); k != nil && q.Yield(k) {
			yielded++
		}
	}
	if yielded != 16 {
		t.Errorf("%d are served beside 2 slots, not 16", yielded)
	}
}

// However others come, whoever waits is served in the end; and each once.
func TestQueueServesAll(t *testing.T) {
	seeds(t, 200, func(t *testing.T, r *rand.Rand) {
		q := &Queue{Slots: 1 + r.IntN(3)}
		patient := q.Add("patient", 1)
		q.given, q.served = map[int]int{1: 1 << 30}, map[string]int{}
		var served []*Ticket
		others := 1 + r.IntN(40)
		for i := range 20 * (others + 32) {
			for q.Waiting() < others {
				q.Add(fmt.Sprint(r.IntN(others)), 2+i)
			}
			if k := q.Next(); k != nil {
				if slices.Contains(served, k) {
					t.Fatal("served twice")
				}
				served = append(served, k)
				q.Remove(k)
			}
		}
		if at := slices.Index(served, patient); at < 0 || at > 32+4*(others+1)+1 {
			t.Errorf("who waits with %d others is served as number %d", others, at)
		}
	})
}

func TestQueueForgets(t *testing.T) {
	q := &Queue{Slots: 1}
	for i := range 3 * remembered {
		q.Add(fmt.Sprint(i), 1)
		q.Remove(q.Next())
	}
	if len(q.served) > remembered {
		t.Errorf("%d remotes are remembered, at most %d may be", len(q.served), remembered)
	}
}
