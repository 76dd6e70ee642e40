package choose

import (
	"slices"
	"testing"
	"time"
)

func TestEachIsAskedForOnceAtFirst(t *testing.T) {
	for _, window := range []int{0, 1, 7, 1000} {
		c := New(Options{Self: holders("me"), Last: 100, Window: window})
		c.Have(3)
		var all []int
		for q := c.Questions(0); len(q) > 0; q = c.Questions(0) {
			if most := max(window, 1); len(q) > most && window != 0 || len(q) > 32 && window == 0 {
				t.Fatalf("%d questions at a time with a window of %d", len(q), window)
			}
			all = append(all, q...)
			for _, i := range q {
				c.Located(0, i, holders("a"))
			}
		}
		slices.Sort(all)
		if len(all) != 99 || len(slices.Compact(all)) != 99 || slices.Contains(all, 3) {
			t.Errorf("window %d: asked for %v", window, all)
		}
	}
}

func TestPeersAskInDifferentOrders(t *testing.T) {
	first := func(name string) int { return New(Options{Self: holders(name), Last: 1000}).Questions(0)[0] }
	if a, b, c := first("a"), first("b"), first("c"); a == b && b == c {
		t.Errorf("all ask for %d first", a)
	}
}

// asksAt returns when one chunk is asked for, whoever has it.
func asksAt(c *Chooser, names string, until time.Duration) (times []time.Duration) {
	for now := time.Duration(0); now <= until; {
		for q := c.Questions(now); len(q) > 0; q = c.Questions(now) {
			for _, i := range q {
				times = append(times, now)
				c.Located(now, i, holders(names))
			}
		}
		at, ok := c.asks.next()
		if !ok || at <= now {
			break
		}
		now = at
	}
	return times
}

func TestUnknownOnesAreAskedForEachOneToFiveSeconds(t *testing.T) {
	got := asksAt(New(Options{Self: holders("me"), Last: 1}), "", 20*sec)
	if want := []time.Duration{0, sec, 3 * sec, 7 * sec, 12 * sec, 17 * sec}; !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestManyUnknownOnesToo(t *testing.T) {
	got := asksAt(New(Options{Self: holders("me"), Last: 200}), "", 60*sec)
	if n := len(got); n < 200*60/7 || n > 200*60/4 {
		t.Errorf("%d questions for 200 chunks in a minute", n)
	}
}

func TestKnownOnesAreAskedForSometimes(t *testing.T) {
	got := asksAt(New(Options{Self: holders("me"), Last: 1000}), "a", 60*sec)
	if n := len(got); n < 1000+perSecond*59 || n > 1000+savedMost+perSecond*60 {
		t.Errorf("%d questions for 1000 chunks in a minute", n)
	}
}

func TestUnansweredOnesAreAskedAgain(t *testing.T) {
	c := New(Options{Self: holders("me"), Last: 2})
	if q := c.Questions(0); len(q) != 2 {
		t.Fatal(q)
	}
	if q := c.Questions(sec); len(q) != 0 {
		t.Errorf("asked for %v, which are open", q)
	}
	c.Have(1)
	c.Unanswered(sec)
	if q := c.Questions(sec); !slices.Equal(q, []int{2}) {
		t.Errorf("asked for %v", q)
	}
	c.Located(sec, 2, nil)
	c.Located(sec, 2, nil) // of an earlier connection
	if c.asks.open != 0 {
		t.Errorf("%d are open", c.asks.open)
	}
}
