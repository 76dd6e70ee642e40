package peer

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"spate/event"
	"spate/swarm/wire"
)

// What givers of others do to a chunk. A quirk gets what it should send.
type quirk func(conn *net.TCPConn, text string)

func quirks() map[string]quirk {
	send := func(conn *net.TCPConn, text string) { conn.Write([]byte(text)) }
	return map[string]quirk{
		"dies in the middle":              func(c *net.TCPConn, text string) { send(c, text[:len(text)/3]) },
		"is reset in the middle":          func(c *net.TCPConn, text string) { send(c, text[:len(text)/3]); abort(c) },
		"is reset at once":                func(c *net.TCPConn, _ string) { abort(c) },
		"closes with 0 bytes":             func(*net.TCPConn, string) {},
		"answers CHUNK_NOT_FOUND":         func(c *net.TCPConn, _ string) { send(c, "CHUNK_NOT_FOUND") },
		"gives half of it":                func(c *net.TCPConn, text string) { send(c, text[:len(text)/2]) },
		"gives all but one byte":          func(c *net.TCPConn, text string) { send(c, text[:len(text)-1]) },
		"sends it in segments of 7 bytes": inSegments,
		"does not close until we do":      func(c *net.TCPConn, text string) { send(c, text); c.CloseWrite(); io.Copy(io.Discard, c) },
		"gives a byte at a time, slowly":  slowly,
	}
}

func inSegments(conn *net.TCPConn, text string) {
	for part := range slices.Chunk([]byte(text), 7) {
		conn.Write(part)
	}
}

// slowly gives a byte a second, until nobody wants it any more.
func slowly(conn *net.TCPConn, text string) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range text {
		if _, err := conn.Write([]byte(text[i : i+1])); err != nil {
			return
		}
		<-tick.C
	}
}

// With another who has the chunks, everything arrives, with digests and without, whatever the first one of the list does.
func TestQuirksOfGivers(t *testing.T) {
	t.Parallel()
	for name, q := range quirks() {
		for _, sums := range []bool{true, false} {
			t.Run(name+map[bool]string{true: ", with digests", false: ""}[sums], func(t *testing.T) {
				t.Parallel()
				s := newScene(t, equal(6, 500)...)
				s.sums = sums
				s.tracker.register(give(t, func(c *net.TCPConn, chunk int) { q(c, s.texts[chunk-1]) }), 3, 4, 5, 6)
				s.tracker.register(give(t, s.honest), 3, 4, 5, 6)
				s.finishes(s.join("client_1", 1, 2))
			})
		}
	}
}

// The same without equal sizes: what is short is found out by the other's copy.
func TestQuirksWithChunksOfAnySize(t *testing.T) {
	t.Parallel()
	for name, q := range quirks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, 500, 320, 777, 444, 123, 999)
			s.tracker.register(give(t, func(c *net.TCPConn, chunk int) { q(c, s.texts[chunk-1]) }), 3, 4, 5, 6)
			s.tracker.register(give(t, s.honest), 3, 4, 5, 6)
			s.finishes(s.join("client_1", 1, 2))
		})
	}
}

// Other bytes than the chunk's are found out by digests alone.
func TestOtherChunksBytes(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(6, 500)...)
	s.sums = true
	s.tracker.register(give(t, func(c *net.TCPConn, chunk int) { s.honest(c, max(1, chunk-1)) }), 3, 4, 5, 6)
	s.tracker.register(give(t, s.honest), 3, 4, 5, 6)
	pl := s.join("client_1", 1, 2)
	s.finishes(pl)
	for _, e := range pl.told(event.Failed) {
		if !strings.Contains(e.Error, "digest") {
			t.Errorf("%+v", e)
		}
	}
}

// A chunk that is CHUNK_NOT_FOUND, or nothing, is one if its digest says so.
func TestChunksThatLookLikeNone(t *testing.T) {
	t.Parallel()
	s := newScene(t, 100, 0, 0, 100)
	s.texts[1] = "CHUNK_NOT_FOUND"
	s.sums = true
	s.tracker.register(give(t, s.honest), 1, 2, 3, 4)
	pl := s.join("client_1")
	s.finishes(pl)
}

// Without a digest they are none.
func TestEmptyChunkIsNotBelieved(t *testing.T) {
	t.Parallel()
	s := newScene(t, 100, 0, 100)
	s.tracker.register(give(t, s.honest), 1, 2, 3)
	pl := s.join("client_1", 1)
	pl.waitFor(func(e event.Event) bool { return e.Type == event.Failed && e.Chunk == 2 })
	pl.waitFor(func(e event.Event) bool { return e.Type == event.Chunk && e.Chunk == 3 })
	if st := pl.Stats(); st.Have != 2 {
		t.Errorf("%+v", st)
	}
}

// Some register before they listen.
func TestGiverThatListensLater(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	s.tracker.register(addr, 2, 3)
	pl := s.join("client_1", 1)
	pl.waitFor(func(e event.Event) bool { return e.Type == event.Failed && strings.Contains(e.Error, "refused") })
	l, err = net.Listen("tcp", addr)
	must(t, err)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 100)
			n, _ := conn.Read(b)
			s.honest(conn.(*net.TCPConn), int(b[n-1]-'0'))
			conn.Close()
		}
	})
	s.finishes(pl)
	l.Close()
	serving.Wait()
}

// A giver that dies twice in the middle of a chunk that nobody else has, and gives it then.
func TestOnlyGiverFails(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]quirk{
		"reset":   func(c *net.TCPConn, text string) { c.Write([]byte(text[:50])); abort(c) },
		"closed":  func(c *net.TCPConn, text string) { c.Write([]byte(text[:50])) },
		"nothing": func(*net.TCPConn, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, equal(3, 500)...)
			s.sums = true
			var n atomic.Int32
			s.tracker.register(give(t, func(c *net.TCPConn, chunk int) {
				if n.Add(1) <= 2 {
					fail(c, s.texts[chunk-1])
					return
				}
				s.honest(c, chunk)
			}), 3)
			s.finishes(s.join("client_1", 1, 2))
		})
	}
}

// What was accepted from its only giver, and proves smaller than what others give, is asked for again.
func TestShortChunkIsFoundOutLater(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(6, 500)...)
	var n atomic.Int32
	s.tracker.register(give(t, func(c *net.TCPConn, chunk int) {
		if n.Add(1) == 1 {
			c.Write([]byte(s.texts[chunk-1][:200]))
			return
		}
		s.honest(c, chunk)
	}), 1)
	pl := s.join("client_1")
	pl.waitFor(func(e event.Event) bool { return e.Type == event.Chunk && e.Chunk == 1 && e.Bytes == 200 })
	s.tracker.register(give(t, s.honest), 2, 3)
	s.tracker.register(give(t, s.honest), 4, 5, 6)
	s.finishes(pl)
	if st := pl.Stats(); st.Received.Chunks != 6 {
		t.Errorf("%+v", st)
	}
}

// What nothing could confirm is told at the end.
func TestWhatCannotBeVerifiedIsTold(t *testing.T) {
	t.Parallel()
	s := newScene(t, 100, 200, 300)
	s.adjust = func(o *Options) { o.Notes = true }
	s.tracker.register(give(t, s.honest), 2, 3)
	pl := s.join("client_1", 1)
	s.finishes(pl)
	pl.waitFor(func(e event.Event) bool { return e.Type == event.Done })
	var chunks []int
	for _, e := range pl.told(event.Unverified) {
		chunks = append(chunks, e.Chunk)
	}
	noted := slices.DeleteFunc(s.by("client_1"), func(line string) bool { return !strings.HasPrefix(line, "UNVERIFIED,") })
	if !slices.Equal(chunks, []int{2, 3}) || !slices.Equal(noted, []string{"UNVERIFIED,2", "UNVERIFIED,3"}) {
		t.Errorf("told of %v, and in the log %q", chunks, noted)
	}
}

// Trackers of others, and a whole peer with them.
func TestQuirksOfTrackers(t *testing.T) {
	t.Parallel()
	for name, adjust := range map[string]func(*sheetTracker){
		"greets": func(s *sheetTracker) { s.greeting = "Connected" },
		"says that it knows nothing with spaces": func(s *sheetTracker) {
			s.reply = func(chunk string, addrs []string) []string {
				if len(addrs) == 0 {
					return []string{"CHUNK LOCATION UNKNOWN," + chunk}
				}
				return []string{"GET_CHUNK_FROM," + chunk + "," + strings.Join(addrs, ",")}
			}
		},
		"answers in segments": func(s *sheetTracker) {
			s.reply = func(chunk string, addrs []string) []string {
				var all []string
				for _, c := range "GET_CHUNK_FROM," + chunk + "," + strings.Join(addrs, ",") {
					all = append(all, string(c))
				}
				return all
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, equal(4, 500)...)
			adjust(s.tracker)
			s.tracker.register(give(t, s.honest), 3, 4)
			s.finishes(s.join("client_1", 1, 2))
		})
	}
}

// A tracker that tells of chunks that there are not, with digests that nobody has asked for, is not remembered.
func TestAnswersThatNobodyAskedFor(t *testing.T) {
	for _, isHashed := range []bool{false, true} {
		p, err := Listen(t.Context(), Options{Store: open(t, folder(t, ListName, "2,LASTCHUNK\n")), Last: 2, SHA1: isHashed})
		must(t, err)
		defer p.Close()
		p.began = time.Now()
		p.connected(true)
		for _, chunk := range []int{3, wire.MaxChunk} {
			p.located(wire.Message{Command: wire.GetChunkFrom, Chunk: chunk, SHA1: strings.Repeat("0", 40), Addrs: []wire.Addr{ann}})
		}
		if len(p.sha1) > 0 {
			t.Errorf("dialect with hashes %v: %v", isHashed, p.sha1)
		}
	}
}

// The tracker goes: what is known is fetched and given. It comes back without a memory, and all is told to it again.
func TestTrackerGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(6, 500)...)
	release := make(chan struct{})
	slowAddr := give(t, func(c *net.TCPConn, chunk int) {
		<-release
		s.honest(c, chunk)
	})
	s.tracker.register(slowAddr, 4, 5, 6)
	a := s.join("client_1", 1, 2, 3)
	await(t, func() bool { return a.Stats().Active == 1 && a.Stats().Tracker.Answered >= 3 })
	s.tracker.stop()
	close(release)
	s.finishes(a)
	s.tracker.known = map[string][]string{}
	b := s.join("client_2")
	b.waitFor(func(e event.Event) bool {
		if strings.Count(Words(e), "tracker") > 1 {
			t.Errorf("says twice whom it is about: %s", Words(e))
		}
		return e.Type == event.Tracker && e.Error != ""
	})
	s.tracker.listen(s.tracker.addr)
	s.finishes(b)
}

// The seed dies when everything exists elsewhere.
func TestSeedDies(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(10, 2000)...).withTracker()
	seed := s.join("seed", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	a, b := s.join("client_1", odd(10)...), s.join("client_2", even(10)...)
	c := s.join("client_3")
	c.waitFor(func(e event.Event) bool { return e.Type == event.Chunk })
	seed.leave()
	s.finishes(a, b, c)
	s.finishes(s.join("client_4"))
}

// Two of eight die.
func TestTwoOfEightDie(t *testing.T) {
	t.Parallel()
	const chunks = 24
	s := newScene(t, equal(chunks, 2000)...).withTracker()
	var all []*player
	for i := range 8 {
		var have []int
		for c := 1; c <= chunks; c++ {
			if (c+i)%8 < 3 { // three have each
				have = append(have, c)
			}
		}
		all = append(all, s.join("client_"+string(rune('1'+i)), have...))
	}
	all[0].waitFor(func(e event.Event) bool { return e.Type == event.Chunk })
	all[2].leave()
	all[5].leave()
	s.finishes(all[0], all[1], all[3], all[4], all[6], all[7])
}

// One's own address is not asked, whatever the tracker makes of it.
func TestOwnAddressIsSkipped(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	pl := s.prepare("client_1", s.folder(1))
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		s.tracker.register(wire.Addr{Host: host, Port: pl.Addr().Port}.String(), 2, 3)
	}
	s.enter(pl)
	await(t, func() bool { return pl.Stats().Tracker.Answered >= 2 })
	s.tracker.register(give(t, s.honest), 2, 3)
	s.finishes(pl)
	if st := pl.Stats(); st.Uploads.Requests+st.Uploads.Refused > 0 {
		t.Errorf("asked itself: %+v", st.Uploads)
	}
}

func TestPortIsInUse(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	pl := s.prepare("client_1", s.folder(1))
	defer pl.Close()
	defer pl.store.Close()
	_, err := Listen(t.Context(), Options{Store: pl.store, Last: 3, Port: pl.Addr().Port})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("%v", err)
	}
}

func TestAdvertise(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	for name, c := range map[string]struct {
		o    Options
		want string // "": an error; PORT is the one that is listened on
	}{
		"localhost by default":                   {Options{}, "localhost,PORT"},
		"one loopback address":                   {Options{Host: "127.0.0.1"}, "localhost,PORT"},
		"every address, and the tracker is here": {Options{Host: "0.0.0.0"}, "localhost,PORT"},
		"as given":                               {Options{Advertise: "example.org"}, "example.org,PORT"},
		"with its port":                          {Options{Advertise: "example.org:7001"}, "example.org,7001"},
		"an IPv6 address":                        {Options{Advertise: "2001:db8::1"}, "2001:db8::1,PORT"},
		"and its port":                           {Options{Advertise: "[2001:db8::1]:7001"}, "2001:db8::1,7001"},
		"no port":                                {Options{Advertise: "example.org:x"}, ""},
		"more than an host":                      {Options{Advertise: "a,b"}, ""},
		"port 0":                                 {Options{Advertise: "a:0"}, ""},
		"a host that no message can have":        {Options{Advertise: "höst:7001"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t, s.folder(1))
			c.o.Store, c.o.Last, c.o.Tracker = f, 3, "127.0.0.1:5100"
			p, err := Listen(t.Context(), c.o)
			if err != nil {
				if _, isOption := errors.AsType[*OptionError](err); c.want != "" || !isOption {
					t.Error(err)
				}
				return
			}
			defer p.Close()
			port := wire.Addr{Port: p.listeners[0].Addr().(*net.TCPAddr).Port}.String()
			if got := p.Addr().String(); c.want == "" || got != strings.Replace(c.want, ",PORT", port, 1) {
				t.Errorf("%s", got)
			}
		})
	}
}

// What cannot be meant is said at once: a tracker that cannot be there would be tried for ever, and a name with a line end
// would write lines of others into the log.
func TestOptionsThatMakeNoSense(t *testing.T) {
	for _, o := range []Options{
		{Tracker: "localhost"}, {Tracker: "localhost:0"}, {Tracker: "localhost:65536"}, {Tracker: "a:b:5100"}, {Tracker: "localhost:http"},
		{Name: "a\nP2PTracker,WHERE_CHUNK,1"}, {Name: "a\rb"}, {Name: "a\x00"},
	} {
		o.Store, o.Last = open(t, folder(t, ListName, "1,LASTCHUNK\n")), 1
		p, err := Listen(t.Context(), o)
		if _, isOption := errors.AsType[*OptionError](err); !isOption {
			t.Errorf("tracker %q, name %q: %v", o.Tracker, o.Name, err)
		}
		if err == nil {
			must(t, p.Close())
		}
	}
}

// Once: it ends when it has everything, has told so, and nobody is fetching from it.
func TestOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(6, 500)...)
	s.tracker.register(give(t, s.honest), 3, 4, 5, 6)
	pl := s.prepare("client_1", s.folder(1, 2), func(o *Options) { o.Once = true })
	s.enter(pl)
	if err := <-pl.done; err != nil {
		t.Fatal(err)
	}
	s.isWhole(pl)
	await(t, func() bool { return len(s.tracker.texts()) == 2+4+4 }) // what was written arrives, though the connection is closed
}

// What is being fetched when a peer ends is given to the end.
func TestOnceGivesToTheEnd(t *testing.T) {
	t.Parallel()
	s := newScene(t, 8<<20, 500, 500)
	giver := make(chan struct{})
	s.tracker.register(give(t, func(c *net.TCPConn, chunk int) {
		<-giver
		s.honest(c, chunk)
	}), 2, 3)
	pl := s.prepare("client_1", s.folder(1), func(o *Options) { o.Once = true })
	s.enter(pl)
	taker, err := OpenChunk(t.Context(), (&net.Dialer{}).DialContext, pl.Addr(), 1)
	must(t, err)
	defer taker.Close()
	close(giver)
	<-pl.Complete()
	b, err := io.ReadAll(taker)
	if err != nil || string(b) != s.texts[0] {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	taker.Close()
	if err := <-pl.done; err != nil {
		t.Error(err)
	}
}

func TestSeedFor(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(2, 500)...)
	for d, ends := range map[time.Duration]bool{time.Millisecond: true, time.Hour: false} {
		pl := s.enter(s.prepare("client_1", s.folder(1, 2), func(o *Options) { o.SeedFor = d }))
		<-pl.Complete()
		if !ends {
			if err := pl.leave(); err == nil {
				t.Error("ended before its time")
			}
			continue
		}
		if err := <-pl.done; err != nil {
			t.Error(err)
		}
	}
}

// A full disk is the end, with what it was; nothing is lost.
func TestNoSpaceEndsThePeer(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	s.tracker.register(give(t, s.honest), 2, 3)
	pl := s.prepare("client_1", s.folder(1), func(o *Options) { o.Store = fullStore{o.Store} })
	before := read(t, filepath.Join(pl.dir, ListName))
	s.enter(pl)
	if err := <-pl.done; !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if got := read(t, filepath.Join(pl.dir, ListName)); got != before {
		t.Errorf("the list has become %q", got)
	}
	if want := []string{ListName, "part1.bin"}; !slices.Equal(listNames(t, pl.dir), want) {
		t.Errorf("%v", listNames(t, pl.dir))
	}
}

// Writing to /dev/full fails as writing to a full disk does.
type fullStore struct{ Store }

func (s fullStore) Create(chunk int) (*Draft, error) {
	d, err := s.Store.Create(chunk)
	if err == nil {
		err = d.file.Close()
	}
	if err == nil {
		d.file, err = os.OpenFile("/dev/full", os.O_RDWR, 0)
	}
	return d, err
}

// What is here and has not its digest is not given to anybody, and fetched.
func TestDamagedChunkIsFetched(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(4, 500)...)
	s.sums = true
	dir := s.folder(1, 2)
	write(t, filepath.Join(dir, "part2.bin"), strings.Repeat("x", 500))
	s.tracker.register(give(t, s.honest), 2, 3, 4)
	pl := s.enter(s.prepare("client_1", dir))
	s.finishes(pl)
	if slices.Contains(s.tracker.texts()[:2], localText(pl, 2)) {
		t.Errorf("%q", s.tracker.texts())
	}
	if got := read(t, filepath.Join(dir, "part2.bin")); !strings.HasPrefix(got, "xxx") {
		t.Error("the damaged file is not there any more")
	}
}

// A list of digests that contradicts itself is no list to go by.
func TestSumsThatContradict(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	dir := s.folder(1)
	zeros := strings.Repeat("0", 64)
	write(t, filepath.Join(dir, SumsName), zeros+"  chunk_2\n"+zeros[1:]+"1  chunk_2\n")
	s.tracker.register(give(t, s.honest), 2, 3)
	pl := s.enter(s.prepare("client_1", dir))
	if err := <-pl.done; err == nil || !strings.Contains(err.Error(), "checksums line 2") {
		t.Errorf("%v", err)
	}
}

// In the dialect with hashes a chunk must have the hash that the tracker tells, which is that of two who agree.
func TestDialectWithHashes(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(5, 500)...).withTracker()
	adjust := s.adjust
	s.adjust = func(o *Options) { adjust(o); o.SHA1 = true }
	a, b := s.join("client_1", 1, 2, 3, 4, 5), s.join("client_2", 1, 2, 3, 4, 5)
	c := s.join("client_3")
	s.finishes(a, b, c)
	if st := c.Stats(); st.Received.Unverified > 0 || st.Received.Doubtful > 0 {
		t.Errorf("%+v", st.Received)
	}
	for _, line := range s.by("client_3") {
		if f := strings.Split(line, ","); f[0] == "LOCAL_CHUNKS" && (len(f) != 5 || len(f[2]) != 40) {
			t.Errorf("%q", line)
		}
	}
}

// A lie is found out by the hash.
func TestHashFindsALie(t *testing.T) {
	t.Parallel()
	s := newScene(t, equal(3, 500)...)
	var n atomic.Int32
	s.tracker.register(give(t, func(c *net.TCPConn, chunk int) {
		if n.Add(1) == 1 {
			c.Write([]byte(strings.Repeat("x", 500)))
			return
		}
		s.honest(c, chunk)
	}), 2, 3)
	s.tracker.reply = func(chunk string, addrs []string) []string {
		return []string{"GET_CHUNK_FROM," + chunk + "," + sha1Of(s.texts[chunk[0]-'1']) + "," + strings.Join(addrs, ",")}
	}
	pl := s.enter(s.prepare("client_1", s.folder(1), func(o *Options) { o.SHA1 = true }))
	s.finishes(pl)
	if st := pl.Stats(); st.Received.Corrupt != 1 {
		t.Errorf("%+v", st.Received)
	}
}

func TestOpenChunk(t *testing.T) {
	t.Parallel()
	texts := []string{"whole", "", "CHUNK_NOT_FOUND", "CHUNK_NOT_FOUND, or so", "C", "CHUNK"}
	addr := give(t, func(c *net.TCPConn, chunk int) { c.Write([]byte(texts[chunk-1])) })
	host, port, err := net.SplitHostPort(addr)
	must(t, err)
	a := wire.Addr{Host: host, Port: parse(t, port)}
	for i, text := range texts {
		r, err := OpenChunk(t.Context(), (&net.Dialer{}).DialContext, a, i+1)
		if text == "" || text == notFound {
			if !errors.Is(err, ErrNoChunk) {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		must(t, err)
		if b, err := io.ReadAll(r); err != nil || string(b) != text {
			t.Errorf("%q: %q, %v", text, b, err)
		}
		must(t, r.Close())
	}
	if _, err := OpenChunk(t.Context(), (&net.Dialer{}).DialContext, wire.Addr{Host: "127.0.0.1", Port: 1}, 1); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
}
