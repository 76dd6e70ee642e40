package peer

import (
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spate/event"
	"spate/swarm/actionlog"
	"spate/swarm/tracker"
	"spate/swarm/wire"
)

// A sheetTracker is a tracker as the sheet has it, but that it takes messages however they come.
type sheetTracker struct {
	t        *testing.T
	addr     string
	greeting string
	reply    func(chunk string, addrs []string) []string // segments; nil: as the sheet has it

	mu    sync.Mutex
	known map[string][]string // chunk: addresses
	heard []string
	raw   []byte // what came, of all connections
	conns map[net.Conn]bool
	ended int // connections
	l     net.Listener
	all   sync.WaitGroup
}

func newSheetTracker(t *testing.T) *sheetTracker {
	s := &sheetTracker{t: t, known: map[string][]string{}, conns: map[net.Conn]bool{}}
	s.listen("127.0.0.1:0")
	t.Cleanup(s.stop)
	return s
}

func (s *sheetTracker) listen(addr string) {
	l, err := net.Listen("tcp", addr)
	must(s.t, err)
	s.l, s.addr = l, l.Addr().String()
	s.all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[conn] = true
			s.mu.Unlock()
			s.all.Go(func() { s.serve(conn) })
		}
	})
}

// stop ends it; what it knows stays.
func (s *sheetTracker) stop() {
	s.l.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.all.Wait()
}

func (s *sheetTracker) serve(conn net.Conn) {
	defer conn.Close()
	conn.Write([]byte(s.greeting))
	in := newReceiver(recorder{conn, s}, wire.LocalChunks, wire.WhereChunk)
	for {
		m, err := in.next(time.Time{})
		if err != nil {
			s.mu.Lock()
			s.ended++
			s.mu.Unlock()
			return
		}
		for _, segment := range s.handle(string(m.Append(nil))) {
			if _, err := conn.Write([]byte(segment)); err != nil {
				return
			}
		}
	}
}

// A recorder keeps what is read.
type recorder struct {
	net.Conn
	s *sheetTracker
}

func (r recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.s.mu.Lock()
	r.s.raw = append(r.s.raw, p[:n]...)
	r.s.mu.Unlock()
	return n, err
}

func (s *sheetTracker) handle(text string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, text)
	f := strings.Split(text, ",")
	switch {
	case f[0] == "LOCAL_CHUNKS" && len(f) == 4:
		if a := f[2] + "," + f[3]; !slices.Contains(s.known[f[1]], a) {
			s.known[f[1]] = append(s.known[f[1]], a)
		}
		return nil
	case f[0] == "WHERE_CHUNK" && len(f) == 2 && s.reply != nil:
		return s.reply(f[1], s.known[f[1]])
	case f[0] == "WHERE_CHUNK" && len(f) == 2 && len(s.known[f[1]]) == 0:
		return []string{"CHUNK_LOCATION_UNKNOWN," + f[1]}
	case f[0] == "WHERE_CHUNK" && len(f) == 2:
		return []string{"GET_CHUNK_FROM," + f[1] + "," + strings.Join(s.known[f[1]], ",")}
	}
	return nil
}

// register makes an address known as a place of chunks.
func (s *sheetTracker) register(addr string, chunks ...int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, chunk := range chunks {
		key := strconv.Itoa(chunk)
		if host, port, err := net.SplitHostPort(addr); err == nil {
			addr = host + "," + port
		}
		s.known[key] = append(s.known[key], addr)
	}
}

func (s *sheetTracker) texts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.heard)
}

func (s *sheetTracker) bytes() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.raw)
}

func (s *sheetTracker) places(chunk int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.known[strconv.Itoa(chunk)])
}

// A scene is a file-set, and who has what of it.
type scene struct {
	t       *testing.T
	tracker *sheetTracker
	at      string   // where the tracker is
	texts   []string // of the chunks, from 1
	log     string   // path of logs.log
	action  *actionlog.Log
	sums    bool // folders have SHA256SUMS
	adjust  func(*Options)
}

// newScene makes a file-set of chunks of those sizes.
func newScene(t *testing.T, sizes ...int) *scene {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := &scene{t: t, log: filepath.Join(t.TempDir(), "logs.log")}
	for _, n := range sizes {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		s.texts = append(s.texts, string(b))
	}
	var err error
	s.action, err = actionlog.Open(s.log)
	must(t, err)
	t.Cleanup(func() { s.action.Close() })
	s.tracker = newSheetTracker(t)
	s.at = s.tracker.addr
	return s
}

// withTracker makes the scene's tracker ours.
func (s *scene) withTracker() *scene {
	s.t.Helper()
	tr, err := tracker.Listen(s.t.Context(), &tracker.Options{Addr: "localhost:0", Log: s.action})
	must(s.t, err)
	s.at = net.JoinHostPort("localhost", strconv.Itoa(tr.Addrs()[0].(*net.TCPAddr).Port))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- tr.Serve(ctx) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	s.adjust = func(o *Options) { o.Pace = 0 }
	return s
}

// equal is n chunks of that size, the last one smaller.
func equal(n, size int) []int {
	sizes := slices.Repeat([]int{size}, n)
	sizes[n-1] = size/2 + 1
	return sizes
}

// folder makes a folder with these chunks.
func (s *scene) folder(chunks ...int) string {
	s.t.Helper()
	dir := s.t.TempDir()
	var list, sums strings.Builder
	for _, c := range chunks {
		write(s.t, filepath.Join(dir, fmt.Sprintf("part%d.bin", c)), s.texts[c-1])
		fmt.Fprintf(&list, "%d,part%d.bin\n", c, c)
	}
	fmt.Fprintf(&list, "%d,LASTCHUNK\n", len(s.texts))
	write(s.t, filepath.Join(dir, ListName), list.String())
	for i, text := range s.texts {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256([]byte(text)), ChunkName(i+1))
	}
	if s.sums {
		write(s.t, filepath.Join(dir, SumsName), sums.String())
	}
	return dir
}

// A player is a peer of a scene.
type player struct {
	*Peer
	t      *testing.T
	name   string
	dir    string
	store  *Folder
	cancel context.CancelFunc
	done   chan error

	mu     sync.Mutex
	events []event.Event
}

// prepare makes a peer that does not run yet.
func (s *scene) prepare(name, dir string, adjust ...func(*Options)) *player {
	s.t.Helper()
	f, err := OpenFolder(dir)
	must(s.t, err)
	pl := &player{t: s.t, name: name, dir: dir, store: f, done: make(chan error, 1)}
	o := Options{
		Store: f, Last: f.Last(), Sum: f.Sum, Name: name, Log: s.action, Tracker: s.at, Pace: NoPace,
		Events: func(e event.Event) {
			pl.mu.Lock()
			defer pl.mu.Unlock()
			pl.events = append(pl.events, e)
		},
	}
	if s.adjust != nil {
		s.adjust(&o)
	}
	for _, a := range adjust {
		a(&o)
	}
	pl.Peer, err = Listen(s.t.Context(), o)
	must(s.t, err)
	return pl
}

// enter runs a peer until it ends, or the test does.
func (s *scene) enter(pl *player) *player {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	pl.cancel = cancel
	go func() {
		err := pl.Run(ctx)
		pl.store.Close()
		pl.done <- err
		close(pl.done)
	}()
	s.t.Cleanup(func() { pl.leave() })
	return pl
}

// join makes a peer with these chunks, and runs it.
func (s *scene) join(name string, chunks ...int) *player {
	s.t.Helper()
	return s.enter(s.prepare(name, s.folder(chunks...)))
}

// leave stops a peer. The error is the one that it has ended with.
func (pl *player) leave() error {
	pl.cancel()
	err, ok := <-pl.done
	if ok && err != nil && !errors.Is(err, context.Canceled) {
		pl.t.Logf("%s: %v", pl.name, err)
	}
	return err
}

// finishes waits until the peer has everything, and looks at it.
func (s *scene) finishes(all ...*player) {
	s.t.Helper()
	for _, pl := range all {
		select {
		case <-pl.Complete():
		case err := <-pl.done:
			s.t.Fatalf("%s has ended: %v", pl.name, err)
		case <-s.t.Context().Done():
			s.t.Fatalf("%s is not done: %+v", pl.name, pl.Stats())
		}
		s.isWhole(pl)
	}
}

func (s *scene) isWhole(pl *player) {
	s.t.Helper()
	for i, want := range s.texts {
		sec, err := pl.store.Open(i + 1)
		if err != nil { // it has ended, and closed its folder
			f, err := OpenFolder(pl.dir)
			must(s.t, err)
			defer f.Close()
			sec, err = f.Open(i + 1)
			must(s.t, err)
		}
		var b bytes.Buffer
		_, err = b.ReadFrom(sec.Reader())
		must(s.t, err)
		sec.Close()
		if b.String() != want {
			s.t.Errorf("%s: chunk %d has %d bytes, or other ones than the %d that it should", pl.name, i+1, b.Len(), len(want))
		}
	}
}

// told is the events of a type.
func (pl *player) told(typ event.Type) []event.Event {
	pl.mu.Lock()
	defer pl.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(pl.events), func(e event.Event) bool { return e.Type != typ })
}

// lines are those of logs.log.
func (s *scene) lines() []string {
	s.t.Helper()
	return strings.Split(strings.TrimSuffix(read(s.t, s.log), "\n"), "\n")
}

// by is what an entity has logged.
func (s *scene) by(entity string) []string {
	var all []string
	for _, line := range s.lines() {
		if text, ok := strings.CutPrefix(line, entity+","); ok {
			all = append(all, text)
		}
	}
	return all
}

// give is a peer that others wrote: what it does with a connection on which somebody has asked for a chunk.
func give(t *testing.T, answer func(conn *net.TCPConn, chunk int)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			all.Go(func() {
				defer conn.Close()
				buf := make([]byte, 1024)
				n, err := conn.Read(buf)
				chunk, e := strconv.Atoi(strings.TrimPrefix(string(buf[:n]), "REQUEST_CHUNK,"))
				if err != nil || e != nil {
					if n > 0 {
						t.Errorf("asked %q", buf[:n])
					}
					return
				}
				answer(conn.(*net.TCPConn), chunk)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

// honest gives whole chunks.
func (s *scene) honest(conn *net.TCPConn, chunk int) { conn.Write([]byte(s.texts[chunk-1])) }

// waitFor waits until the peer has told of an event.
func (pl *player) waitFor(is func(event.Event) bool) {
	pl.t.Helper()
	await(pl.t, func() bool {
		pl.mu.Lock()
		defer pl.mu.Unlock()
		return slices.ContainsFunc(pl.events, is)
	})
}

func parse(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	must(t, err)
	return n
}

func sha1Of(text string) string { return fmt.Sprintf("%x", sha1.Sum([]byte(text))) }
