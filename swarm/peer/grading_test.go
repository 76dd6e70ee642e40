package peer

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spate/event"
)

// The lines of the assignment's section 6, as tests. Those of the tracker alone are in swarm/tracker.

// local and where are the messages as they go over the wire.
func localText(pl *player, chunk int) string {
	return fmt.Sprintf("LOCAL_CHUNKS,%d,localhost,%d", chunk, pl.Addr().Port)
}

func whereText(chunk int) string { return fmt.Sprintf("WHERE_CHUNK,%d", chunk) }

// A client, tested alone: with a tracker and other clients that are not ours.
func aloneWith(t *testing.T, have ...int) (*scene, *player) {
	s := newScene(t, equal(8, 1000)...)
	s.tracker.register(give(t, s.honest), 1, 2, 3, 4)
	s.tracker.register(give(t, s.honest), 5, 6, 7, 8)
	return s, s.join("client_1", have...)
}

func TestGradingClient1SendsItsOwnChecklist(t *testing.T) {
	t.Parallel()
	s, pl := aloneWith(t, 2, 3, 7)
	s.finishes(pl)
	if got, want := s.tracker.texts()[:3], []string{localText(pl, 2), localText(pl, 3), localText(pl, 7)}; !slices.Equal(got, want) {
		t.Errorf("said %q at first, want %q", got, want)
	}
	if got := s.by("client_1")[:3]; !slices.Equal(got, s.tracker.texts()[:3]) {
		t.Errorf("logged %q", got)
	}
}

func TestGradingClient2AsksForAllOtherChunks(t *testing.T) {
	t.Parallel()
	s, pl := aloneWith(t, 2, 3, 7)
	s.finishes(pl)
	texts := s.tracker.texts()
	for chunk := 1; chunk <= 8; chunk++ {
		isHere := slices.Contains([]int{2, 3, 7}, chunk)
		if asked := slices.Contains(texts, whereText(chunk)); asked == isHere {
			t.Errorf("chunk %d: here %v, asked for %v", chunk, isHere, asked)
		}
	}
	pl.leave()
	all := strings.Join(s.tracker.texts(), "")
	if raw := s.tracker.bytes(); raw != all {
		t.Errorf("the bytes are\n%q, the messages\n%q", raw, all)
	}
}

func TestGradingClient3KeepsTheTracker(t *testing.T) {
	t.Parallel()
	s, pl := aloneWith(t, 2)
	s.finishes(pl)
	s.tracker.mu.Lock()
	conns, ended := len(s.tracker.conns), s.tracker.ended
	s.tracker.mu.Unlock()
	if conns != 1 || ended != 0 {
		t.Errorf("%d connections to the tracker, %d of them ended", conns, ended)
	}
}

func TestGradingClient4And5FetchesSomeFiles(t *testing.T) {
	t.Parallel()
	for _, have := range [][]int{{1, 2, 3, 4, 5, 6}, {3, 4, 5, 6, 7, 8}} {
		s, pl := aloneWith(t, have...)
		s.finishes(pl)
	}
}

func TestGradingClient6FetchesAllFiles(t *testing.T) {
	t.Parallel()
	s, pl := aloneWith(t)
	s.finishes(pl)
	for chunk := range 8 {
		if got := read(t, filepath.Join(pl.dir, ChunkName(chunk+1))); got != s.texts[chunk] {
			t.Errorf("chunk_%d is not what it should be", chunk+1)
		}
	}
	want := "1,chunk_1\n2,chunk_2\n3,chunk_3\n4,chunk_4\n5,chunk_5\n6,chunk_6\n7,chunk_7\n8,chunk_8\n8,LASTCHUNK\n"
	if got := read(t, filepath.Join(pl.dir, ListName)); got != want {
		t.Errorf("%s is\n%s", ListName, got)
	}
}

func TestGradingClient7AsksOnlyForTheRightChunks(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(8, 1000)...)
	var asked [2][]int
	ask := make(chan [2]int, 100)
	for i := range 2 {
		addr := give(t, func(conn *net.TCPConn, chunk int) {
			ask <- [2]int{i, chunk}
			s.honest(conn, chunk)
		})
		s.tracker.register(addr, 4*i+1, 4*i+2, 4*i+3, 4*i+4)
	}
	pl := s.join("client_1", 2, 7)
	s.finishes(pl)
	for range 6 {
		a := <-ask
		asked[a[0]] = append(asked[a[0]], a[1])
	}
	slices.Sort(asked[0])
	slices.Sort(asked[1])
	if want := [2][]int{{1, 3, 4}, {5, 6, 8}}; !slices.Equal(asked[0], want[0]) || !slices.Equal(asked[1], want[1]) || len(ask) > 0 {
		t.Errorf("asked for %v, and %d more, want %v", asked, len(ask), want)
	}
	logged := slices.DeleteFunc(s.by("client_1"), func(l string) bool { return !strings.HasPrefix(l, "REQUEST_CHUNK,") })
	if len(logged) != 6 {
		t.Errorf("logged %q", logged)
	}
	for _, line := range logged {
		var chunk, port int
		if n, err := fmt.Sscanf(line, "REQUEST_CHUNK,%d,localhost,%d", &chunk, &port); n != 2 || err != nil {
			t.Errorf("logged %q", line)
		}
		if registered := s.tracker.places(chunk); !slices.Contains(registered, fmt.Sprintf("127.0.0.1,%d", port)) {
			t.Errorf("%q, and those who have it are %q", line, registered)
		}
	}
}

func TestGradingClient8DisconnectsFromPeers(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(4, 1000)...)
	ended := make(chan error, 4)
	addr := give(t, func(conn *net.TCPConn, chunk int) {
		s.honest(conn, chunk)
		conn.CloseWrite()
		_, err := conn.Read(make([]byte, 1)) // io.EOF once the other side has closed
		ended <- err
	})
	s.tracker.register(addr, 1, 2, 3, 4)
	pl := s.join("client_1")
	s.finishes(pl)
	for range 4 {
		if err := <-ended; err == nil || err.Error() != "EOF" {
			t.Errorf("the client's end: %v", err)
		}
	}
}

// What is fetched is announced: those who come later find it here.
func TestFetchedChunksAreAnnounced(t *testing.T) {
	t.Parallel()
	s, pl := aloneWith(t, 2)
	s.finishes(pl)
	await(t, func() bool { return pl.Stats().Tracker.Waiting == 0 })
	for chunk := 1; chunk <= 8; chunk++ {
		if n := strings.Count(strings.Join(s.by("client_1"), "\n")+"\n", localText(pl, chunk)+"\n"); n != 1 {
			t.Errorf("chunk %d was announced %d times", chunk, n)
		}
	}
}

// The complete system: our tracker, and clients that have parts of a file.

// wantLog checks that every line of the log is of one of the forms of the assignment's section 5.
func (s *scene) wantLog(names ...string) {
	s.t.Helper()
	forms := map[string]int{"LOCAL_CHUNKS": 5, "WHERE_CHUNK": 3, "REQUEST_CHUNK": 5, "GET_CHUNK_FROM": 5, "CHUNK_LOCATION_UNKNOWN": 3}
	for _, line := range s.lines() {
		f := strings.Split(line, ",")
		n := forms[f[min(1, len(f)-1)]]
		if len(f) < 3 || n == 0 || len(f) != n && f[1] != "GET_CHUNK_FROM" || !slices.Contains(append(names, "P2PTracker"), f[0]) ||
			strings.ContainsAny(line, " \t") || n == 5 && f[3] != "localhost" {
			s.t.Errorf("the log has %q", line)
		}
	}
}

func TestGradingSystem1MoreThanOneClient(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(6, 1000)...).withTracker()
	a, b := s.join("client_1", 1, 2, 3), s.join("client_2", 4, 5, 6)
	s.finishes(a, b)
	s.wantLog("client_1", "client_2")
}

func TestGradingSystem2AllHaveAllChunks(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(20, 5000)...).withTracker()
	a := s.join("client_1", 1, 4, 7, 10, 13, 16, 19)
	b := s.join("client_2", 2, 5, 8, 11, 14, 17, 20)
	c := s.join("client_3", 3, 6, 9, 12, 15, 18)
	s.finishes(a, b, c)
	for _, pl := range []*player{a, b, c} {
		if got := len(pl.told(event.Chunk)); got < 13 {
			t.Errorf("%s has told of %d chunks", pl.name, got)
		}
	}
	s.wantLog("client_1", "client_2", "client_3")
}

// Reasonable is: each chunk is asked for about as often as it has to be, and the tracker a few times for each.
func TestGradingSystem3ReasonableTime(t *testing.T) {
	t.Parallel()
	const chunks, peers = 40, 4
	s := newScene(t, equal(chunks, 2000)...).withTracker()
	var all []*player
	for i := range peers {
		var have []int
		for c := 1; c <= chunks; c++ {
			if c%peers == i {
				have = append(have, c)
			}
		}
		all = append(all, s.join(fmt.Sprintf("client_%d", i), have...))
	}
	s.finishes(all...)
	for _, pl := range all {
		st := pl.Stats()
		if need := chunks - chunks/peers; st.Received.Requests > 3*need || st.Tracker.Asked > 10*need || st.Received.Bytes > 2*int64(need)*2000 {
			t.Errorf("%s: %+v for %d chunks", pl.name, st, need)
		}
	}
}

// A client that waits for a chunk gives one meanwhile.
func TestGradingSystem4GivesWhileItFetches(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(4, 1000)...)
	given := make(chan struct{})
	s.tracker.register(give(t, func(conn *net.TCPConn, chunk int) {
		conn.Write([]byte(s.texts[chunk-1][:100]))
		<-given
		conn.Write([]byte(s.texts[chunk-1][100:]))
	}), 4)
	a := s.join("client_1", 1, 2)
	await(t, func() bool { return a.Stats().Active == 1 })
	b := s.join("client_2", 3, 4)
	s.finishes(b)
	await(t, func() bool { return a.Stats().Have == 3 && a.Stats().Active == 1 })
	close(given)
	s.finishes(a)
}

func TestGradingSystem5SmallChunks(t *testing.T) {
	t.Parallel()
	s := newScene(t, slices.Repeat([]int{1}, 50)...).withTracker()
	a, b := s.join("client_1", odd(50)...), s.join("client_2", even(50)...)
	s.finishes(a, b)
}

func TestGradingSystem6LargeChunks(t *testing.T) {
	t.Parallel()
	s := newScene(t, 12<<20, 12<<20, 12<<20, 5<<20).withTracker()
	s.sums = true
	a, b := s.join("client_1", 1, 3), s.join("client_2", 2, 4)
	s.finishes(a, b)
}

// Some clients have everything between them; others come, and never have anything that these have not.
func TestGradingSystem7OnlySomeHaveWhatIsNeeded(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(10, 3000)...).withTracker()
	a, b := s.join("client_1", odd(10)...), s.join("client_2", even(10)...)
	c, d := s.join("client_3"), s.join("client_4", 1, 2)
	s.finishes(a, b, c, d)
	e := s.join("client_5", 9) // and one who is late
	s.finishes(e)
}

func odd(last int) (all []int) {
	for i := 1; i <= last; i += 2 {
		all = append(all, i)
	}
	return all
}

func even(last int) (all []int) {
	for i := 2; i <= last; i += 2 {
		all = append(all, i)
	}
	return all
}

// As a grader splits a file: chunks of any size, without digests.
func TestRandomlySplitFile(t *testing.T) {
	t.Parallel()
	s := newScene(t, 812, 40_001, 3, 7777, 64_000, 1, 15, 30_000, 12_345, 9).withTracker()
	a, b, c := s.join("client_1", 1, 2, 3, 4), s.join("client_2", 4, 5, 6, 7), s.join("client_3", 8, 9, 10, 1)
	s.finishes(a, b, c)
	for _, pl := range []*player{a, b, c} {
		names, err := os.ReadDir(pl.dir)
		must(t, err)
		for _, n := range names {
			if strings.HasSuffix(n.Name(), tempExt) {
				t.Errorf("%s has left %s", pl.name, n.Name())
			}
		}
	}
}
