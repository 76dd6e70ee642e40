package choose

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"spate/swarm/wire"
)

func at(name string) wire.Addr { return wire.Addr{Host: name, Port: 7000} }

func holders(names string) []wire.Addr {
	var all []wire.Addr
	for _, n := range strings.Fields(names) {
		all = append(all, at(n))
	}
	return all
}

const sec = time.Second

// peer returns a Chooser that knows who has what: "1:seed,a 2:seed".
func peer(o Options, known string) *Chooser {
	if o.Self == nil {
		o.Self = holders("me")
	}
	c := New(o)
	tell(c, 0, known)
	return c
}

func tell(c *Chooser, now time.Duration, known string) {
	for _, k := range strings.Fields(known) {
		var i int
		var names string
		fmt.Sscanf(strings.Replace(k, ":", " ", 1), "%d %s", &i, &names)
		c.Located(now, i, holders(strings.ReplaceAll(names, ",", " ")))
	}
}

// next says what a Chooser does: "-1@a" is given up, "2@b" begun; in order of chunk and source.
func next(c *Chooser, now time.Duration) string {
	cancel, begin := c.Next(now)
	var all []string
	for _, r := range cancel {
		all = append(all, fmt.Sprintf("-%d@%s", r.Chunk, r.From.Host))
	}
	slices.Sort(all)
	var begun []string
	for _, r := range begin {
		begun = append(begun, fmt.Sprintf("%d@%s", r.Chunk, r.From.Host))
	}
	slices.Sort(begun)
	return strings.Join(append(all, begun...), " ")
}

func expect(t *testing.T, c *Chooser, now time.Duration, want string) {
	t.Helper()
	if got := next(c, now); got != want {
		t.Errorf("at %v: %q, not %q", now, got, want)
	}
}

func req(s string) Request {
	var r Request
	var host string
	fmt.Sscanf(strings.Replace(s, "@", " ", 1), "%d %s", &r.Chunk, &host)
	r.From = at(host)
	return r
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name  string
		last  int
		have  []int
		known string
		begun string
	}{
		{"nobody is known", 3, nil, "", ""},
		{"all is here", 2, []int{1, 2}, "1:a 2:a", ""},
		{"one for each source", 4, nil, "1:a 2:a 3:b 4:b", "1@a 3@b"},
		{"what is here is not asked for", 2, []int{1}, "1:a 2:a", "2@a"},
		{"nobody asks itself", 2, nil, "1:me 2:me,a", "2@a"},
		{"the rarest first", 3, nil, "1:a,b 2:a,b 3:a", "1@b 3@a"},
		{"one chunk of many waits at several", 1, nil, "1:a,b,c", "1@a 1@b 1@c"},
		{"an index beyond the last is nothing", 1, nil, "2:a 0:a -1:a", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			ch := New(Options{Self: holders("me"), Last: c.last})
			for _, i := range c.have {
				ch.Have(i)
			}
			tell(ch, 0, c.known)
			got := next(ch, 0)
			if c.name == "one for each source" { // which one is for the weights to say
				got = strings.NewReplacer("2@a", "1@a", "4@b", "3@b").Replace(got)
			}
			if c.name == "the rarest first" {
				got = strings.Replace(got, "2@b", "1@b", 1)
			}
			if got != c.begun {
				t.Errorf("%q, not %q", got, c.begun)
			}
		})
	}
}

// Peers that know of each other ask the one that has all for different chunks.
func TestEachAsksForItsOwn(t *testing.T) {
	names := "p1 p2 p3 p4 p5 p6 p7 p8"
	asked := map[int]string{}
	for _, me := range strings.Fields(names) {
		c := New(Options{Self: holders(me), Last: 65})
		for i := 1; i <= 64; i++ {
			c.Located(0, i, holders("seed"))
		}
		c.Located(0, 65, holders(names)) // that they are there
		c.Have(65)
		_, begin := c.Next(0)
		if len(begin) != 1 {
			t.Fatalf("%s asks for %v", me, begin)
		}
		if other := asked[begin[0].Chunk]; other != "" {
			t.Errorf("%s and %s ask for %d", me, other, begin[0].Chunk)
		}
		asked[begin[0].Chunk] = me
	}
}

func TestTheFirstByteEndsTheOthersWaiting(t *testing.T) {
	c := peer(Options{Last: 1}, "1:a,b,c")
	expect(t, c, 0, "1@a 1@b 1@c")
	c.Progress(sec, req("1@b"), 1)
	expect(t, c, sec, "-1@a -1@c")
	c.Ended(2*sec, req("1@a"), Broken) // it was given up: nothing follows from it
	c.Ended(2*sec, req("1@b"), Done)
	expect(t, c, 2*sec, "")
	if _, ok := c.Wake(); ok || c.Missing() != 0 {
		t.Error("all is here, and it wants to be woken")
	}
}

func TestASlowOneIsReplaced(t *testing.T) {
	c := peer(Options{Last: 1, ChunkSize: 1000}, "1:slow")
	expect(t, c, 0, "1@slow")
	c.Progress(0, req("1@slow"), 1)
	c.Progress(2*sec, req("1@slow"), 3)
	tell(c, 2*sec, "1:slow,b")
	expect(t, c, 2*sec, "1@b")
	c.Progress(3*sec, req("1@b"), 500)
	expect(t, c, 3*sec, "")
	c.Ended(4*sec, req("1@b"), Done)
	expect(t, c, 4*sec, "-1@slow")
}

func TestOneThatIsFastEnoughIsLeftAlone(t *testing.T) {
	c := peer(Options{Last: 2, ChunkSize: 1000}, "1:a 2:b")
	expect(t, c, 0, "1@a 2@b")
	c.Progress(0, req("1@a"), 1)
	c.Progress(0, req("2@b"), 1)
	c.Progress(sec, req("1@a"), 600)
	c.Progress(sec, req("2@b"), 1000)
	c.Ended(sec, req("2@b"), Done)
	tell(c, sec, "1:a,b")
	expect(t, c, sec, "")
}

func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome Outcome
		alone   time.Duration // when the only one that has it is asked again
	}{
		{"refused", Refused, 250 * time.Millisecond},
		{"broken", Broken, 250 * time.Millisecond},
		{"missing", Missing, sec},
		{"short", Short, sec},
		{"corrupt", Corrupt, sec},
		{"doubtful", Doubtful, sec},
		{"unsaved", Unsaved, sec},
	} {
		t.Run(c.name+", alone", func(t *testing.T) {
			ch := peer(Options{Last: 1}, "1:a")
			expect(t, ch, 0, "1@a")
			ch.Ended(0, req("1@a"), c.outcome)
			expect(t, ch, c.alone-1, "")
			if at, ok := ch.Wake(); !ok || at != c.alone {
				t.Errorf("it is to be woken at %v, not %v", at, c.alone)
			}
			expect(t, ch, c.alone, "1@a")
		})
		t.Run(c.name+", with another", func(t *testing.T) {
			ch := peer(Options{Last: 1}, "1:a")
			expect(t, ch, 0, "1@a")
			tell(ch, 0, "1:a,b")
			ch.Ended(0, req("1@a"), c.outcome)
			expect(t, ch, 0, "1@b")
		})
	}
}

func TestFailuresWaitLongerEachTime(t *testing.T) {
	c := peer(Options{Last: 1}, "1:a")
	var now time.Duration
	var waits []string
	for range 9 {
		expect(t, c, now, "1@a")
		c.Ended(now, req("1@a"), Refused)
		next(c, now)
		at, _ := c.Wake()
		waits = append(waits, (at - now).String())
		now = at
	}
	if got := strings.Join(waits, " "); got != "250ms 500ms 1s 2s 4s 8s 16s 30s 30s" {
		t.Error(got)
	}
}

func TestWhoLiesIsAskedWhereThereIsNobodyElse(t *testing.T) {
	c := peer(Options{Last: 3}, "1:liar 2:liar 3:liar")
	c.Located(0, 1, holders("b"))
	c.Located(0, 2, holders("b"))
	_, begin := c.Next(0)
	lie := begin[slices.IndexFunc(begin, func(r Request) bool { return r.From == at("liar") })]
	if lie.Chunk != 3 {
		t.Fatalf("the rarest is 3, not %d", lie.Chunk)
	}
	c.Ended(0, lie, Corrupt)
	expect(t, c, 0, "")
	expect(t, c, sec, "3@liar")
}

func TestStuckOnesMakeRoom(t *testing.T) {
	c := peer(Options{Last: 1, Parallel: 2}, "1:m1,m2,good")
	expect(t, c, 0, "1@m1 1@m2")
	expect(t, c, silence-1, "")
	expect(t, c, silence, "-1@m1 1@good")
}

func TestLose(t *testing.T) {
	c := peer(Options{Last: 1}, "1:a")
	expect(t, c, 0, "1@a")
	c.Ended(sec, req("1@a"), Done)
	c.Lose(2*sec, 1)
	c.Lose(2*sec, 1)
	if c.Missing() != 1 {
		t.Fatalf("%d are missing", c.Missing())
	}
	if q := c.Questions(2 * sec); !slices.Equal(q, []int{1}) {
		t.Errorf("asked for: %v", q)
	}
	tell(c, 2*sec, "1:a,b")
	expect(t, c, 2*sec, "1@a 1@b")
	c.Have(1)
	expect(t, c, 2*sec, "-1@a -1@b")
}

func TestManySourcesAreBounded(t *testing.T) {
	c := New(Options{Self: holders("me"), Last: 1})
	for p := range sourcesMost + 100 {
		c.Located(0, 1, []wire.Addr{{Host: "h", Port: p + 1}})
	}
	if len(c.sources) != sourcesMost {
		t.Fatalf("%d are known", len(c.sources))
	}
	first := c.sources[0]
	for now := time.Duration(0); !first.out; now += 10 * sec {
		_, begin := c.Next(now)
		for _, r := range begin {
			c.Ended(now, r, Refused)
		}
	}
	c.Located(0, 1, []wire.Addr{at("new")})
	if len(c.sources) != sourcesMost || c.byAddr[at("new")] == nil {
		t.Error("who cannot be reached is not forgotten for another")
	}
}
