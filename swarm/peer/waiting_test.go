package peer

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"spate/event"
)

// What keeps a peer from its end is told, on the side and in the log: a chunk that proves too small and whose only giver is gone is never
// taken for whole, nor is one that nobody has.
func TestWhatIsWaitedForIsTold(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(5, 500)...)
	s.adjust = func(o *Options) { o.Once, o.Notes, o.Quiet = true, true, 50*time.Millisecond }
	gone := make(chan struct{})
	half := give(t, func(c *net.TCPConn, chunk int) {
		select {
		case <-gone:
			abort(c)
		default:
			close(gone)
			c.Write([]byte(s.texts[chunk-1][:250]))
		}
	})
	s.tracker.register(half, 3)
	s.tracker.register(give(t, s.honest), 5)
	pl := s.join("client_1", 1, 2)
	for chunk, why := range map[int]string{3: "", 4: "nobody is known to have it"} {
		pl.waitFor(func(e event.Event) bool {
			return e.Type == event.Waiting && e.Chunk == chunk && strings.Contains(e.Error, why) && (e.Origin == half) == (chunk == 3)
		})
	}
	await(t, func() bool {
		return slices.Contains(s.by("client_1"), "WAITING,3") && slices.Contains(s.by("client_1"), "WAITING,4")
	})
	if st := pl.Stats(); st.Have != 3 {
		t.Errorf("%+v", st)
	}
	s.tracker.register(give(t, s.honest), 3, 4)
	s.finishes(pl)
	if err := <-pl.done; err != nil {
		t.Error(err)
	}
	all := s.by("client_1")
	if i := slices.Index(all, "WAITING,3"); slices.Index(all[i+1:], "WAITING,3") >= 0 {
		t.Errorf("said more than once: %q", all)
	}
}

// Many that are waited for are told in a few lines.
func TestManyThatAreWaitedFor(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(20, 50)...)
	s.adjust = func(o *Options) { o.Quiet = 50 * time.Millisecond }
	pl := s.join("client_1", 1, 2, 3)
	pl.waitFor(func(e event.Event) bool {
		return e.Type == event.Waiting && e.Chunk == 0 && strings.Contains(e.Error, "9 more chunks")
	})
	first := pl.told(event.Waiting)[:waitingMost]
	for i, e := range first {
		if e.Chunk != 4+i {
			t.Errorf("%d is told of chunk %d", i, e.Chunk)
		}
	}
}

// It is told at once, and then more and more seldom.
func TestWhenWaitingIsTold(t *testing.T) {
	var due []int
	for n := range 200 {
		if isDue(n) {
			due = append(due, n)
		}
	}
	if want := []int{1, 2, 4, 8, 16, 32, 64, 128, 192}; !slices.Equal(due, want) {
		t.Errorf("%v, want %v", due, want)
	}
}

func TestWordsOfWaiting(t *testing.T) {
	for want, e := range map[string]event.Event{
		"waiting for chunk 3, from ann:1: connection refused":    {Type: event.Waiting, Chunk: 3, Origin: "ann:1", Error: "connection refused"},
		"waiting for chunk 4: nobody is known to have it":        {Type: event.Waiting, Chunk: 4, Error: "nobody is known to have it"},
		"waiting for 9 more chunks":                              {Type: event.Waiting, Error: "9 more chunks"},
		"chunk 5: nothing proves that it is whole":               {Type: event.Unverified, Chunk: 5},
		"chunk 6 from ann:1: sends more than 8 bytes, and so on": {Type: event.Failed, Chunk: 6, Origin: "ann:1", Error: "sends more than 8 bytes, and so on"},
	} {
		if got := Words(e); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
