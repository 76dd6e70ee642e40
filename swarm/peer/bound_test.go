package peer

import (
	"net"
	"strings"
	"testing"

	"spate/event"
	"spate/swarm/wire"
)

// How large a chunk may be follows from what is known for certain. Who sends more has it doubled for that chunk, up to the most that
// there may be.
func TestBound(t *testing.T) {
	const last = 9
	for name, c := range map[string]struct {
		set  int64
		here []int64 // chunks 1, 2 … from the beginning; what follows is the last one's
		end  int64
		want []int64 // of chunk 3, and again each time that it was more
	}{
		"nothing is known":                 {want: []int64{4 << 30, 4 << 30}},
		"nothing is known, and it was set": {set: 1000, want: []int64{1000, 1000}},
		"small chunks": {here: []int64{500, 500},
			want: []int64{64 << 20, 128 << 20, 256 << 20, 512 << 20, 1 << 30, 2 << 30, 4 << 30, 4 << 30}},
		"small chunks, and it was set":        {set: 100 << 20, here: []int64{500}, want: []int64{64 << 20, 100 << 20, 100 << 20}},
		"large chunks":                        {here: []int64{1 << 30}, want: []int64{8 << 30, 8 << 30}},
		"large chunks, and it was set":        {set: 2 << 30, here: []int64{1 << 30}, want: []int64{2 << 30, 2 << 30}},
		"the last one says nothing of others": {end: 10, want: []int64{4 << 30}},
		"nor does an empty one":               {here: []int64{0}, want: []int64{4 << 30}},
		"larger than can be reckoned with":    {here: []int64{1 << 62}, want: []int64{1<<63 - 1, 1<<63 - 1}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJudge(last)
			j.limit = c.set
			for i, size := range c.here {
				j.here(i+1, size)
			}
			j.here(last, c.end)
			for i, want := range c.want {
				if got := j.bound(3); got != want {
					t.Errorf("after %d that were more: %d, want %d", i, got, want)
				}
				j.exceeded(3)
			}
		})
	}
}

// What one giver has said of another chunk, and nobody else, is no reason to take more of him.
func TestBoundOfWhatIsNotProven(t *testing.T) {
	j := newJudge(9)
	give := func(chunk int, from wire.Addr) {
		j.arrived(&delivery{chunk: chunk, from: from, size: 1 << 30, clean: true, draft: &Draft{}}, nil, []wire.Addr{from})
	}
	give(1, ann)
	give(2, ann)
	if got := j.bound(3); got != defaultMost {
		t.Errorf("%d, want %d", got, defaultMost)
	}
	give(2, bob)
	if got := j.bound(3); got != 8<<30 {
		t.Errorf("%d, want %d", got, 8<<30)
	}
}

// endless gives bytes as long as anybody takes them.
func endless(conn *net.TCPConn, _ int) {
	b := make([]byte, 4096)
	for {
		if _, err := conn.Write(b); err != nil {
			return
		}
	}
}

// A giver that never ends fills no disk: what is more than a chunk may have is dropped, and another is asked.
func TestGiverThatNeverEnds(t *testing.T) {
	t.Parallel()
	for _, sums := range []bool{true, false} {
		s := newScene(t, equal(6, 500)...)
		s.sums = sums
		s.adjust = func(o *Options) { o.MaxChunk = 1000 }
		s.tracker.register(give(t, endless), 3, 4, 5, 6)
		pl := s.join("client_1", 1, 2)
		pl.waitFor(func(e event.Event) bool {
			return e.Type == event.Failed && strings.Contains(e.Error, "more than 1000 bytes")
		})
		s.tracker.register(give(t, s.honest), 3, 4, 5, 6)
		s.finishes(pl)
		for _, e := range pl.told(event.Failed) {
			if e.Bytes > 1000+64<<10 {
				t.Errorf("%d bytes were taken", e.Bytes)
			}
		}
		if st := pl.Stats(); st.Received.Corrupt == 0 {
			t.Errorf("%+v", st)
		}
	}
}

// A chunk is as large as it may be.
func TestChunkOfTheMostThatItMayHave(t *testing.T) {
	t.Parallel()
	s := newScene(t, 1000, 1000, 999, 1000)
	s.adjust = func(o *Options) { o.MaxChunk = 1000 }
	s.tracker.register(give(t, s.honest), 2, 3, 4)
	pl := s.join("client_1", 1)
	s.finishes(pl)
}
