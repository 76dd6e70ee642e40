package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spate/swarm/wire"
)

// A said is what came in one write, and when.
type said struct {
	text string
	at   time.Duration
}

// A pipeTracker is a tracker at the other end of a pipe: every Write of the client is one said.
type pipeTracker struct {
	t      *testing.T
	began  time.Time
	answer func(text string) string // "" is none

	mu    sync.Mutex
	said  []said
	conns []net.Conn
	deaf  bool // nobody listens
	all   sync.WaitGroup
}

func (p *pipeTracker) dial(context.Context, string, string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return nil, errors.New("refused")
	}
	client, mine := net.Pipe()
	p.conns = append(p.conns, mine)
	p.all.Go(func() { p.listen(mine) })
	return client, nil
}

func (p *pipeTracker) listen(conn net.Conn) {
	defer conn.Close()
	buf := make([]byte, 1024) // as the sheet's programs have it
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		text := string(buf[:n])
		p.mu.Lock()
		p.said = append(p.said, said{text, time.Since(p.began)})
		p.mu.Unlock()
		if a := p.answer(text); a != "" {
			if _, err := io.WriteString(conn, a); err != nil {
				return
			}
		}
	}
}

func (p *pipeTracker) heard() []said {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.said)
}

func (p *pipeTracker) texts() []string {
	var texts []string
	for _, s := range p.heard() {
		texts = append(texts, s.text)
	}
	return texts
}

func (p *pipeTracker) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

// answers is a tracker that knows these chunks only.
func answers(known map[int]string) func(string) string {
	return func(text string) string {
		word, chunk, _ := strings.Cut(text, ",")
		if word != "WHERE_CHUNK" {
			return ""
		}
		for i, addrs := range known {
			if chunk == fmt.Sprint(i) {
				return "GET_CHUNK_FROM," + chunk + "," + addrs
			}
		}
		return "CHUNK_LOCATION_UNKNOWN," + chunk
	}
}

// conversation runs a Tracker against a pipeTracker, in a time of its own. o may be changed before.
func conversation(t *testing.T, answer func(string) string, isOurs bool, do func(*Tracker, *pipeTracker), adjust ...func(*TrackerOptions)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipeTracker{t: t, began: time.Now(), answer: answer}
		o := TrackerOptions{Addr: "fake", Dial: p.dial, isOurs: func(context.Context, net.Conn) bool { return isOurs }}
		for _, a := range adjust {
			a(&o)
		}
		tr := NewTracker(o)
		for i := 1; i <= 2; i++ {
			tr.Announce(local(i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { tr.Run(ctx) })
		do(tr, p)
		cancel()
		running.Wait()
		p.hangUp()
		p.all.Wait()
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func local(chunk int) wire.Message {
	return wire.Message{Command: wire.LocalChunks, Chunk: chunk, Addrs: []wire.Addr{{Host: "localhost", Port: 7001}}}
}

func wantTexts(t *testing.T, p *pipeTracker, want ...string) {
	t.Helper()
	if got := p.texts(); !slices.Equal(got, want) {
		t.Errorf("said\n%q, want\n%q", got, want)
	}
}

// Towards a tracker that is not ours: bare messages, one write each, nothing for 1.1 s behind what has no answer, and one
// question at a time. What was there from the beginning is told before the first question.
func TestWhatAStrangersTrackerHears(t *testing.T) {
	conversation(t, answers(map[int]string{3: "localhost,7002,localhost,7003"}), false, func(tr *Tracker, p *pipeTracker) {
		tr.Ask(3, 4)
		synctest.Wait()
		tr.Announce(local(3)) // it has arrived meanwhile; no initial one
		pass(10 * time.Second)
		wantTexts(t, p, "LOCAL_CHUNKS,1,localhost,7001", "LOCAL_CHUNKS,2,localhost,7001",
			"WHERE_CHUNK,3", "WHERE_CHUNK,4", "LOCAL_CHUNKS,3,localhost,7001")
		heard := p.heard()
		for i, s := range heard[1:] {
			if before := heard[i]; strings.HasPrefix(before.text, "LOCAL_CHUNKS") && s.at-before.at < DefaultPace {
				t.Errorf("%s comes %v after a message without an answer", s.text, s.at-before.at)
			}
		}
		if st := tr.Stats(); st.Announced != 3 || st.Asked != 2 || st.Answered != 2 || !st.Paced || !st.Connected || st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// Our tracker takes everything at once.
func TestWhatOurTrackerHears(t *testing.T) {
	conversation(t, answers(nil), true, func(tr *Tracker, p *pipeTracker) {
		var want []string
		for i := 3; i < 40; i++ {
			tr.Ask(i)
			want = append(want, fmt.Sprintf("WHERE_CHUNK,%d", i))
		}
		synctest.Wait()
		pass(answerTime / 2)
		wantTexts(t, p, append([]string{"LOCAL_CHUNKS,1,localhost,7001", "LOCAL_CHUNKS,2,localhost,7001"}, want...)...)
	})
}

func TestPaceThatIsAskedFor(t *testing.T) {
	for pace, want := range map[time.Duration]time.Duration{NoPace: 0, 3 * time.Second: 3 * time.Second} {
		conversation(t, answers(nil), pace > 0, func(tr *Tracker, p *pipeTracker) {
			pass(10 * time.Second)
			heard := p.heard()
			if got := heard[1].at - heard[0].at; got != want {
				t.Errorf("pace %v: %v between two messages", pace, got)
			}
		}, func(o *TrackerOptions) { o.Pace = pace })
	}
}

// An announcement waits no longer than for a number of questions: others want to know of the chunk.
func TestAnnouncementsAreNotStarved(t *testing.T) {
	conversation(t, answers(nil), false, func(tr *Tracker, p *pipeTracker) {
		pass(5 * time.Second)
		for i := range 100 {
			tr.Ask(100 + i)
		}
		for i := range 3 {
			tr.Announce(local(3 + i))
		}
		pass(time.Minute)
		texts := p.texts()[2:]
		for i := range 3 {
			at := slices.Index(texts, fmt.Sprintf("LOCAL_CHUNKS,%d,localhost,7001", 3+i))
			if at < 0 || at > (i+1)*(askedBetween+1) {
				t.Errorf("announcement %d is number %d", i, at)
			}
		}
		if len(texts) != 103 {
			t.Errorf("%d messages", len(texts))
		}
	})
}

func TestAnswersOfOthers(t *testing.T) {
	want := []wire.Addr{{Host: "localhost", Port: 7002}, {Host: "localhost", Port: 703}}
	for name, c := range map[string]struct {
		answer string
		want   []wire.Addr
	}{
		"as the sheet has it":         {"GET_CHUNK_FROM,3,localhost,7002,localhost,703", want},
		"newline":                     {"GET_CHUNK_FROM,3,localhost,7002,localhost,703\n", want},
		"in segments":                 {"GET_CHUNK_FROM,3,localhost,70|02,localh|ost,70|3", want},
		"a greeting":                  {"Connected|GET_CHUNK_FROM,3,localhost,7002,localhost,703", want},
		"a greeting in the same go":   {"Connected\nGET_CHUNK_FROM,3,localhost,7002,localhost,703", want},
		"unknown":                     {"CHUNK_LOCATION_UNKNOWN,3", nil},
		"unknown, with spaces":        {"CHUNK LOCATION UNKNOWN,3", nil},
		"of another question, before": {"CHUNK_LOCATION_UNKNOWN,9|GET_CHUNK_FROM,3,localhost,7002,localhost,703", want},
	} {
		t.Run(name, func(t *testing.T) {
			segments := strings.Split(c.answer, "|")
			var p *pipeTracker
			first := func(text string) string {
				if text != "WHERE_CHUNK,3" {
					return ""
				}
				p.mu.Lock()
				conn := p.conns[0]
				p.mu.Unlock()
				p.all.Go(func() {
					for _, s := range segments[1:] {
						time.Sleep(wire.QuietTime / 2)
						io.WriteString(conn, s) // closed where the client goes on without it
					}
				})
				return segments[0]
			}
			conversation(t, func(s string) string { return first(s) }, false, func(tr *Tracker, fake *pipeTracker) {
				p = fake
				got, err := tr.Locate(context.Background(), 3)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%v, %v", got, err)
				}
			})
		})
	}
}

// Some trackers lose what is written within 1.1 s of something else, and never speak of it again.
func TestTrackerThatLosesMessages(t *testing.T) {
	var last time.Time
	var lost []string
	known := answers(map[int]string{3: "localhost,7002"})
	conversation(t, func(text string) string {
		defer func() { last = time.Now() }()
		if time.Since(last) < DefaultPace && !last.IsZero() && !strings.HasPrefix(text, "WHERE") {
			lost = append(lost, text)
			return ""
		}
		return known(text)
	}, false, func(tr *Tracker, p *pipeTracker) {
		tr.Announce(local(5))
		if got, err := tr.Locate(context.Background(), 3); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
		if len(lost) > 0 {
			t.Errorf("lost: %q", lost)
		}
	})
}

// A question that is not answered is given up, and after some of them so is the connection.
func TestTrackerThatFallsSilent(t *testing.T) {
	var news []error
	var speaks atomic.Bool
	known := answers(map[int]string{3: "localhost,7002"})
	conversation(t, func(text string) string {
		if !speaks.Load() {
			return ""
		}
		return known(text)
	}, false, func(tr *Tracker, p *pipeTracker) {
		if _, err := tr.Locate(context.Background(), 3); !errors.Is(err, ErrSilent) {
			t.Errorf("%v", err)
		}
		tr.Ask(4, 5)
		pass(3 * answerTime)
		speaks.Store(true)
		if got, err := tr.Locate(context.Background(), 3); err != nil || len(got) != 1 {
			t.Errorf("%v, %v", got, err)
		}
		if st := tr.Stats(); st.Connects != 2 || st.Unanswered != 3 {
			t.Errorf("%+v", st)
		}
	}, func(o *TrackerOptions) { o.News = func(err error) { news = append(news, err) } })
	if len(news) < 3 || news[0] != nil || !errors.Is(news[1], ErrSilent) || news[2] != nil {
		t.Errorf("%v", news)
	}
}

// A tracker that comes back hears everything once more, and what it has not answered.
func TestTrackerAwayAndBack(t *testing.T) {
	var speaks atomic.Bool
	known := answers(map[int]string{3: "localhost,7002"})
	var found []wire.Message
	conversation(t, func(text string) string {
		if !speaks.Load() {
			return ""
		}
		return known(text)
	}, true, func(tr *Tracker, p *pipeTracker) {
		tr.Ask(3)
		synctest.Wait()
		p.mu.Lock()
		p.deaf = true
		p.mu.Unlock()
		p.hangUp()
		tr.Announce(local(4))
		pass(time.Minute)
		before := len(p.texts())
		if st := tr.Stats(); st.Connected || before != 3 {
			t.Errorf("%+v, %q", st, p.texts())
		}
		p.mu.Lock()
		p.deaf = false
		p.mu.Unlock()
		speaks.Store(true)
		pass(2 * retryMost)
		got := p.texts()[before:]
		want := []string{"LOCAL_CHUNKS,1,localhost,7001", "LOCAL_CHUNKS,2,localhost,7001", "LOCAL_CHUNKS,4,localhost,7001", "WHERE_CHUNK,3"}
		slices.Sort(got)
		if !slices.Equal(got, want) || len(found) != 1 || len(found[0].Addrs) != 1 {
			t.Errorf("said %q, heard %v", got, found)
		}
	}, func(o *TrackerOptions) { o.Located = func(m wire.Message) { found = append(found, m) } })
}

// A question that could not be written is asked over the next connection.
func TestQuestionThatIsNotSent(t *testing.T) {
	var tracker atomic.Pointer[pipeTracker]
	var found []wire.Message
	conversation(t, answers(map[int]string{3: "localhost,7002"}), true, func(tr *Tracker, p *pipeTracker) {
		synctest.Wait()
		tracker.Store(p)
		tr.Ask(3)
		pass(retryMost)
		if st := tr.Stats(); st.Connects != 2 || len(found) != 1 || len(found[0].Addrs) != 1 {
			t.Errorf("%+v, heard %v of %q", st, found, p.texts())
		}
	}, func(o *TrackerOptions) {
		o.Located = func(m wire.Message) { found = append(found, m) }
		o.Sending = func(m wire.Message) {
			if p := tracker.Load(); p != nil && m.Command == wire.WhereChunk {
				tracker.Store(nil)
				p.hangUp()
			}
		}
	})
}

// Whoever waits for an answer hears that there is no tracker.
func TestNoTracker(t *testing.T) {
	conversation(t, answers(nil), true, func(tr *Tracker, p *pipeTracker) {
		if _, err := tr.Locate(context.Background(), 3); err == nil || !strings.Contains(err.Error(), "tracker fake: refused") {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := tr.Locate(ctx, 4); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}, func(o *TrackerOptions) {
		o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("refused") }
	})
}

// Nothing is asked any more that has come meanwhile.
func TestUnwantedQuestions(t *testing.T) {
	var found []wire.Message
	conversation(t, answers(nil), false, func(tr *Tracker, p *pipeTracker) {
		tr.Ask(3, 4, 5)
		pass(5 * time.Second)
		wantTexts(t, p, "LOCAL_CHUNKS,1,localhost,7001", "LOCAL_CHUNKS,2,localhost,7001", "WHERE_CHUNK,3", "WHERE_CHUNK,5")
		if len(found) != 3 {
			t.Errorf("%v", found)
		}
	}, func(o *TrackerOptions) {
		o.Wanted = func(chunk int) bool { return chunk != 4 }
		o.Located = func(m wire.Message) { found = append(found, m) }
	})
}

// The question whether a tracker is ours goes by UDP, to where the connection goes.
func TestProbe(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   bool
	}{
		"ours":       {wire.TrackerAnswer, true},
		"another":    {"hello", false},
		"and longer": {wire.TrackerAnswer + "0", false},
		"silent":     {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			defer l.Close()
			udp, err := net.ListenPacket("udp", l.Addr().String())
			must(t, err)
			var serving sync.WaitGroup
			defer serving.Wait()
			defer udp.Close()
			serving.Go(func() {
				buf := make([]byte, 100)
				for {
					n, from, err := udp.ReadFrom(buf)
					if err != nil {
						return
					}
					if string(buf[:n]) != wire.TrackerQuestion {
						t.Errorf("asked %q", buf[:n])
					}
					if c.answer != "" {
						udp.WriteTo([]byte(c.answer), from)
					}
				}
			})
			conn, err := net.Dial("tcp", l.Addr().String())
			must(t, err)
			defer conn.Close()
			if got := probe(t.Context(), conn); got != c.want {
				t.Errorf("%v", got)
			}
		})
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer conn.Close()
	if probe(t.Context(), conn) {
		t.Error("nobody has answered")
	}
}

// What is being written has not been said yet.
func TestFlushWaitsForTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, its := net.Pipe()
		dial := func(context.Context, string, string) (net.Conn, error) { return client, nil }
		tr := NewTracker(TrackerOptions{Addr: "fake", Pace: NoPace, Dial: dial})
		tr.Announce(local(1))
		ctx, cancel := context.WithCancel(context.Background())
		var running sync.WaitGroup
		running.Go(func() { tr.Run(ctx) })
		synctest.Wait() // the write waits for its reader
		var flushed atomic.Bool
		running.Go(func() {
			tr.Flush(ctx)
			flushed.Store(true)
		})
		synctest.Wait()
		if flushed.Load() {
			t.Error("flushed, and nothing was read")
		}
		b := make([]byte, 100)
		if n, err := its.Read(b); err != nil || string(b[:n]) != "LOCAL_CHUNKS,1,localhost,7001" {
			t.Errorf("%q, %v", b[:n], err)
		}
		synctest.Wait()
		if !flushed.Load() {
			t.Error("not flushed, and all was read")
		}
		cancel()
		running.Wait()
		its.Close()
	})
}
