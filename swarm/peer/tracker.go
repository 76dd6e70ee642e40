package peer

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"spate/swarm/wire"
)

// How a tracker is spoken to.
const (
	DefaultPace  = 1100 * time.Millisecond // behind a message that has no answer, towards a tracker that is not ours
	NoPace       = -1                      // see [TrackerOptions.Pace]
	windowOurs   = 32                      // questions without an answer yet
	askedBetween = 16                      // questions that go before an announcement, at most
	answerTime   = 5 * time.Second         // then a question or its answer is lost
	maxLost      = 3                       // in a row, then the connection is
	writeTime    = 10 * time.Second
	dialTime     = 10 * time.Second
	retryFirst   = 100 * time.Millisecond // between attempts to connect, doubled up to
	retryMost    = 5 * time.Second
)

// TrackerOptions are whom to speak to, and how.
type TrackerOptions struct {
	Addr string // host:port
	// Pace is how long nothing is written behind a message that has no answer: many trackers take what one recv returns
	// for one message. 0: none towards a tracker that answers by UDP that it needs none, else DefaultPace. NoPace: none.
	Pace time.Duration

	// Sending is told of each message before it is sent.
	Sending func(wire.Message)
	// Located is told of each answer: who has a chunk. Nobody: it is not known, or the answer is lost.
	Located func(wire.Message)
	// News is told when the connection is there (nil), and why it is not, or not any more.
	News func(error)
	// Wanted reports whether a question is still worth being asked. One that is not is Located with nobody.
	Wanted func(chunk int) bool

	// Dial makes the connection. Nil: that of [net.Dialer], within 10 s.
	Dial Dial

	isOurs func(context.Context, net.Conn) bool
}

// A Tracker is the connection of one client to its tracker. It is kept as long as Run runs, and made again when it is
// lost: all that was announced is announced then once more, and what was not answered asked again.
//
// What was announced before Run comes before any question, as the assignment wants it. Its methods are safe for concurrent use.
type Tracker struct {
	o TrackerOptions

	wake chan struct{} // one that waits for something to write

	mu        sync.Mutex // guards what follows; no I/O under it
	announced []wire.Message
	sent      int // how many of them over this connection, that which is being written included
	isWriting bool
	initial   int // how many come before the first question
	questions []int
	waiting   map[int][]chan located
	flushes   []chan struct{}
	stats     TrackerStats
}

// TrackerStats counts what was said to a tracker.
type TrackerStats struct {
	Connected  bool
	Paced      bool // the tracker gets one message at a time
	Connects   int
	Announced  int // messages, repeated ones included
	Asked      int
	Answered   int
	Unanswered int // in time
	Waiting    int // announcements and questions to be sent
}

// NewTracker returns a Tracker that has not said anything.
func NewTracker(o TrackerOptions) *Tracker {
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTime}).DialContext
	}
	if o.isOurs == nil {
		o.isOurs = probe
	}
	if o.Sending == nil {
		o.Sending = func(wire.Message) {}
	}
	if o.Located == nil {
		o.Located = func(wire.Message) {}
	}
	if o.News == nil {
		o.News = func(error) {}
	}
	if o.Wanted == nil {
		o.Wanted = func(int) bool { return true }
	}
	return &Tracker{o: o, wake: make(chan struct{}, 1)}
}

// Announce tells the tracker of a chunk, a [wire.LocalChunks]. It does not wait.
func (t *Tracker) Announce(m wire.Message) {
	t.mu.Lock()
	t.announced = append(t.announced, m)
	t.mu.Unlock()
	t.rouse()
}

// Ask asks who has the chunks, in that order. It does not wait.
func (t *Tracker) Ask(chunks ...int) {
	if len(chunks) == 0 {
		return
	}
	t.mu.Lock()
	t.questions = append(t.questions, chunks...)
	t.mu.Unlock()
	t.rouse()
}

func (t *Tracker) rouse() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Stats counts what was said so far.
func (t *Tracker) Stats() TrackerStats {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.stats
	s.Waiting = len(t.announced) - t.sent + len(t.questions)
	return s
}

// count changes the counts.
func (t *Tracker) count(change func(*TrackerStats)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.stats)
}

// Run speaks to the tracker until ctx is done.
func (t *Tracker) Run(ctx context.Context) {
	t.mu.Lock()
	t.initial = len(t.announced)
	t.mu.Unlock()
	for failures := 0; ctx.Err() == nil; {
		conn, err := t.o.Dial(ctx, "tcp", t.o.Addr)
		if err == nil {
			answered := t.Stats().Answered
			err = t.talk(ctx, conn)
			if t.Stats().Answered > answered {
				failures = 0
			}
		}
		if ctx.Err() != nil {
			return
		}
		t.failed(err)
		rest(ctx, retry(failures))
		failures++
	}
}

// retry is how long to wait after so many failures in a row: between half of it and all, as many clients lose their
// tracker at once.
func retry(failures int) time.Duration {
	d := min(retryFirst<<min(failures, 16), retryMost)
	return d/2 + rand.N(d/2)
}

// ErrSilent is the error of a question that was not answered in time: it is lost, or its answer, or the tracker hangs.
var ErrSilent = errors.New("answers no questions")

var errLost = errors.New("connection lost")

// talk speaks over one connection until that is lost.
func (t *Tracker) talk(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	s := &session{
		t: t, conn: conn, window: windowOurs,
		answers: make(chan wire.Message, 2*windowOurs), // what is being written must not keep it from being read
		ended:   make(chan error, 1), quit: make(chan struct{}),
	}
	var reading sync.WaitGroup
	reading.Go(s.read)
	defer reading.Wait()
	defer conn.Close()
	defer close(s.quit)
	if s.pace = max(t.o.Pace, 0); t.o.Pace == 0 && !t.o.isOurs(ctx, conn) {
		s.pace = DefaultPace
	}
	if s.pace > 0 {
		s.window = 1
	}
	t.mu.Lock()
	t.sent, t.isWriting = 0, false
	t.stats.Connected, t.stats.Paced = true, s.pace > 0
	t.stats.Connects++
	t.mu.Unlock()
	t.o.News(nil)
	err := s.run(ctx)
	t.mu.Lock()
	t.stats.Connected = false
	for _, q := range s.open {
		t.questions = append(t.questions, q.chunk)
	}
	t.mu.Unlock()
	return err
}

// A session is what is said over one connection. All but read is one goroutine's.
type session struct {
	t       *Tracker
	conn    net.Conn
	pace    time.Duration
	window  int
	answers chan wire.Message
	ended   chan error // why nothing more can be read
	quit    chan struct{}

	open  []question
	pause time.Time // nothing is written until then
	asked int       // questions since the last announcement
	lost  int       // questions since the last answer
}

type question struct {
	chunk int
	until time.Time
}

// read hands on what the tracker says. What nobody understands, such as a greeting, is passed over.
func (s *session) read() {
	in := newReceiver(s.conn, wire.GetChunkFrom, wire.LocationUnknown)
	for {
		m, err := in.next(time.Time{})
		if _, isGarbage := errors.AsType[*wire.SyntaxError](err); isGarbage {
			continue
		}
		if err != nil {
			if err == io.EOF {
				err = errLost
			}
			s.ended <- err
			return
		}
		select {
		case s.answers <- m:
		case <-s.quit:
			s.ended <- net.ErrClosed
			return
		}
	}
}

func (s *session) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		until, err := s.write(time.Now())
		if err != nil {
			return err
		}
		if !until.IsZero() {
			timer.Reset(time.Until(until))
		}
		select {
		case m := <-s.answers:
			s.answered(m)
		case err := <-s.ended:
			return err
		case <-timer.C:
			if err := s.expire(time.Now()); err != nil {
				return err
			}
		case <-s.t.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes all that may be written now, and says when to look again; the zero time: when something happens.
func (s *session) write(now time.Time) (time.Time, error) {
	for {
		if now.Before(s.pause) {
			return s.pause, nil
		}
		m, ok := s.next()
		if !ok {
			break
		}
		if m.Command == wire.WhereChunk && !s.t.o.Wanted(m.Chunk) {
			s.t.o.Located(wire.Message{Command: wire.LocationUnknown, Chunk: m.Chunk})
			continue
		}
		if m.Command == wire.WhereChunk { // also of one that does not get through: what is open is asked again
			s.open = append(s.open, question{m.Chunk, time.Now().Add(answerTime)})
			s.asked++
			s.t.count(func(st *TrackerStats) { st.Asked++ })
		}
		if err := s.send(m); err != nil {
			return now, err
		}
		s.t.flushed()
		now = time.Now()
		if m.Command != wire.WhereChunk {
			s.pause, s.asked = now.Add(s.pace), 0
		}
	}
	if len(s.open) > 0 {
		return s.open[0].until, nil
	}
	return time.Time{}, nil
}

// next takes the message to be sent now. Where a pace is kept, none is sent while a question is open.
func (s *session) next() (wire.Message, bool) {
	isFree := s.pace == 0 || len(s.open) == 0
	t := s.t
	t.mu.Lock()
	defer t.mu.Unlock()
	canTell := t.sent < len(t.announced) && isFree
	canAsk := len(t.questions) > 0 && len(s.open) < s.window && t.initial == 0
	switch {
	case canTell && (!canAsk || s.asked >= askedBetween):
		t.sent++
		t.isWriting = true
		t.stats.Announced++
		if t.sent >= t.initial {
			t.initial = 0 // for good: later ones go between questions
		}
		return t.announced[t.sent-1], true
	case canAsk:
		chunk := t.questions[0]
		t.questions = t.questions[1:]
		return wire.Message{Command: wire.WhereChunk, Chunk: chunk}, true
	}
	return wire.Message{}, false
}

// send sends a message, in one write: many trackers take it for what one recv returns.
func (s *session) send(m wire.Message) error {
	s.t.o.Sending(m)
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := s.conn.Write(m.Append(nil))
	return err
}

func (s *session) answered(m wire.Message) {
	for i, q := range s.open {
		if q.chunk == m.Chunk {
			s.open = append(s.open[:i], s.open[i+1:]...)
			break
		}
	}
	s.lost = 0
	s.t.count(func(st *TrackerStats) { st.Answered++ })
	s.t.located(m, nil)
}

// expire gives up the questions that should have been answered by now.
func (s *session) expire(now time.Time) error {
	for len(s.open) > 0 && !now.Before(s.open[0].until) {
		chunk := s.open[0].chunk
		s.open = s.open[1:]
		s.lost++
		s.t.count(func(st *TrackerStats) { st.Unanswered++ })
		s.t.located(wire.Message{Command: wire.LocationUnknown, Chunk: chunk}, ErrSilent)
	}
	if s.lost >= maxLost {
		return ErrSilent
	}
	return nil
}
