package choose

import (
	"fmt"
	"math/rand/v2"
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
		{"one request is enough, if it is answered", 1, nil, "1:a,b,c", "1@a"},
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
	expect(t, c, 0, "1@a")
	expect(t, c, 250*time.Millisecond-1, "")
	if at, _ := c.Wake(); at != 250*time.Millisecond {
		t.Errorf("it is to be woken at %v", at)
	}
	expect(t, c, 250*time.Millisecond, "1@b")
	expect(t, c, 500*time.Millisecond, "1@c")
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

// All has come, and the giver does not say that it has: another is asked as soon as waiting for that takes longer than the chunk would.
func TestOneThatDoesNotEndIsReplaced(t *testing.T) {
	for _, bytes := range []int64{999, 1000, 1001} {
		c := peer(Options{Last: 1, ChunkSize: 1000}, "1:a")
		expect(t, c, 0, "1@a")
		c.Progress(0, req("1@a"), 1)
		c.Progress(sec, req("1@a"), bytes)
		tell(c, sec, "1:a,b")
		c.sources[1].rate = 1000 / float64(sec)
		expect(t, c, sec+look, "")
		expect(t, c, 3*sec, "")
		if at, ok := c.Wake(); !ok || at > 3*sec+look {
			t.Errorf("%d bytes: to be looked at again at %v", bytes, at)
		}
		expect(t, c, 3*sec+look, "1@b")
	}
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
	expect(t, c, 0, "1@m1")
	expect(t, c, sec, "1@m2")
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
	expect(t, c, 2*sec, "1@a")
	expect(t, c, 3*sec, "1@b")
	c.Have(1)
	expect(t, c, 3*sec, "-1@a -1@b")
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
	for _, now := range []time.Duration{0, sec, 2 * sec} {
		for _, s := range c.sources[1:] {
			s.rests = now + 1 // so that the first is the one that is asked
		}
		_, begin := c.Next(now)
		c.Ended(now, begin[0], Refused)
	}
	if !first.out {
		t.Fatal("who is refused three times is not taken for gone")
	}
	c.Located(0, 1, []wire.Addr{at("new")})
	if len(c.sources) != sourcesMost || c.byAddr[at("new")] == nil {
		t.Error("who cannot be reached is not forgotten for another")
	}
}

// What begins to come from a second one is not asked of a third while either may still be in time.
func TestTwoCopiesAtMost(t *testing.T) {
	c := peer(Options{Last: 1, ChunkSize: 1000}, "1:a,b,c")
	for i, from := range []string{"1@a", "1@b"} {
		now := time.Duration(i) * 2 * sec
		expect(t, c, now, from)
		c.Progress(now, req(from), 1)
		c.Progress(now+sec, req(from), 2)
	}
	expect(t, c, 4*sec, "")
	expect(t, c, silence, "-1@a 1@c")
}

// Who cannot be reached neither makes a chunk common nor keeps it for himself.
func TestGoneOnesAreNotCounted(t *testing.T) {
	c := New(Options{Self: holders("me"), Last: 2})
	tell(c, 0, "1:gone,a 2:b,c")
	rank := c.chunks[2].rank
	gone := c.byAddr[at("gone")]
	gone.fails = goneAfter
	c.recount(gone)
	if c.chunks[1].live != 1 || c.chunks[2].live != 2 {
		t.Errorf("%d and %d have them", c.chunks[1].live, c.chunks[2].live)
	}
	if weight(gone.hash, 2) > c.chunks[2].weight {
		rank--
	}
	if c.chunks[2].rank != rank {
		t.Errorf("the rank is %d, not %d", c.chunks[2].rank, rank)
	}
	gone.fails = 0
	c.recount(gone)
	if c.chunks[1].live != 2 {
		t.Error("who is back is not counted")
	}
}

// Ranks are what they are, in whichever order peers became known, left and came back.
func TestRanks(t *testing.T) {
	seeds(t, 50, func(t *testing.T, r *rand.Rand) {
		c := New(Options{Self: holders("me"), Last: 20})
		for range 200 {
			i := 1 + r.IntN(20)
			switch r.IntN(4) {
			case 0:
				c.Have(i)
			case 1:
				c.Lose(0, i)
			case 2:
				c.Questions(0)
				c.Located(0, i, holders(strings.Repeat(fmt.Sprint("p", r.IntN(9)), r.IntN(2))))
			case 3:
				if len(c.sources) > 0 {
					s := c.sources[r.IntN(len(c.sources))]
					s.fails = r.IntN(2) * goneAfter
					c.recount(s)
				}
			}
			checkCounts(t, c)
		}
	})
}

func checkCounts(t *testing.T, c *Chooser) {
	t.Helper()
	missing, unknown := 0, 0
	for i := range c.chunks {
		ch := &c.chunks[i]
		if ch.here {
			continue
		}
		missing++
		if ch.ask.vain > 0 && len(ch.holders) == 0 {
			unknown++
		}
		var rank, live int32
		for _, s := range c.sources {
			if !s.out && weight(s.hash, i) > ch.weight {
				rank++
			}
			if !s.out && slices.Contains(ch.holders, s) {
				live++
			}
		}
		if ch.rank != rank || ch.live != live {
			t.Fatalf("chunk %d: rank %d, not %d; %d have it, not %d", i, ch.rank, rank, ch.live, live)
		}
	}
	if missing != c.missing || unknown != c.asks.unknown {
		t.Fatalf("%d are missing, not %d; %d unknown, not %d", c.missing, missing, c.asks.unknown, unknown)
	}
}

// Towards strangers a request that waits is left alone for long, as giving it up upsets some. One that is not connected has not been
// heard, so the others are not kept waiting for it.
func TestWhoCannotBeConnectedToIsWaitedForLess(t *testing.T) {
	for _, isConnected := range []bool{true, false} {
		c := peer(Options{Last: 2, Patience: 3 * sec}, "1:a,b")
		expect(t, c, 0, "1@a")
		if isConnected {
			c.Connected(req("1@a"))
			expect(t, c, 3*sec-1, "")
			expect(t, c, 3*sec, "1@b")
			continue
		}
		expect(t, c, sec-1, "")
		if at, _ := c.Wake(); at != sec {
			t.Errorf("it is to be woken at %v", at)
		}
		tell(c, sec-1, "2:b") // what only an idle one has comes first
		expect(t, c, sec-1, "2@b")
		c.Ended(sec, req("2@b"), Done)
		expect(t, c, sec, "1@b")
	}
	c := peer(Options{Last: 1}, "1:a,b")
	c.Connected(req("1@a")) // which nobody has asked for
	expect(t, c, 0, "1@a")
	expect(t, c, 250*time.Millisecond, "1@b")
}
