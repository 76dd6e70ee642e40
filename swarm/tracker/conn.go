package tracker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"spate/swarm/wire"
)

const (
	// readSize is what is read at once. Messages are short, and there are many connections.
	readSize = 1 << 10
	// batchSize is how much is answered at once, before what was read is gone on with.
	batchSize = 16 << 10
	// maxGarbage is how often a client is told of that sends garbage.
	maxGarbage = 10
)

// A conn is one client. Its goroutine reads, answers and logs, one after the other: a client that does not read its
// answers is not heard either.
type conn struct {
	server  *Server
	net     net.Conn
	dec     *wire.Decoder
	due     time.Time // of the next message
	lastBy  time.Time // of what is still read when the server stops; zero: it does not
	dialect dialect
	garbage int
	grows   bool // what has come could still become more
	batch   batch
	buf     [readSize]byte
}

// A dialect is what a client speaks: that of the messages by which it registers.
type dialect uint8

const (
	anyDialect dialect = iota // it has not registered anything
	plain
	hashed
)

// A batch is what comes of the messages that were read at once.
type batch struct {
	lines   []string // for the log
	answers [][]byte
	state   []byte
	size    int
}

func newConn(s *Server, nc net.Conn) *conn {
	return &conn{server: s, net: nc, dec: wire.NewDecoder(wire.LocalChunks, wire.WhereChunk)}
}

// serve serves the client until one of the two ends it.
func (c *conn) serve() {
	c.due = time.Now().Add(c.server.opts.Timeout)
	for c.step() {
	}
	if err := c.net.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		c.notice("close: %v", err)
	}
}

// step reads once, and answers what has come. It returns false when that was the last.
func (c *conn) step() bool {
	n, err := c.read()
	c.dec.Write(c.buf[:n])
	isLate := errors.Is(err, os.ErrDeadlineExceeded)
	isStopping := c.server.isStopping()
	switch {
	case err == nil:
	case isLate && isStopping && c.lastBy.IsZero():
		c.lastBy = time.Now().Add(wire.QuietTime)
	case isLate && !isStopping && c.grows:
		c.dec.Quiet()
	case isLate && !isStopping:
		c.server.tally.timedOut.Add(1)
		c.notice("no message in %v", c.server.opts.Timeout)
		return false
	default:
		c.dec.End()
		c.handleAll()
		return false
	}
	return c.handleAll()
}

// aMoment is what a goroutine has to read what is there already.
const aMoment = time.Millisecond

// read waits for bytes: until the next message is due, or where one could grow, until it is complete. When that time
// has passed it looks once more: what came while this goroutine waited for a processor has come in time.
func (c *conn) read() (int, error) {
	until := c.due
	if quiet := time.Now().Add(wire.QuietTime - aMoment); c.grows && quiet.Before(until) {
		until = quiet
	}
	if !c.lastBy.IsZero() {
		return c.readUntil(c.lastBy)
	}
	n, err := c.readUntil(until)
	if errors.Is(err, os.ErrDeadlineExceeded) && !c.server.isStopping() {
		return c.readUntil(time.Now().Add(aMoment))
	}
	return n, err
}

func (c *conn) readUntil(t time.Time) (int, error) {
	if err := c.net.SetReadDeadline(t); err != nil {
		return 0, err
	}
	if c.lastBy.IsZero() && c.server.isStopping() { // hurry may have come in front of the deadline above
		c.hurry()
	}
	return c.net.Read(c.buf[:])
}

// hurry makes reading end, and writing soon: the server is stopping.
func (c *conn) hurry() {
	since := *c.server.stopped.Load()
	// The errors are those of a connection that is closed: nothing is to be hurried there.
	_ = c.net.SetReadDeadline(since)
	_ = c.net.SetWriteDeadline(since.Add(grace))
}

// handleAll handles what is complete, and returns false if there is no going on.
func (c *conn) handleAll() bool {
	for {
		m, err := c.dec.Next()
		bad, isBad := errors.AsType[*wire.SyntaxError](err)
		switch {
		case err == nil:
			c.handle(m)
			if c.batch.size > batchSize && !c.flush() {
				return false
			}
		case isBad:
			c.complain(bad)
		default:
			c.grows = errors.Is(err, wire.ErrGrowing)
			if errors.Is(err, wire.ErrTooLong) {
				c.server.tally.garbage.Add(1)
				c.notice("%v", err)
				c.flush()
				return false
			}
			return c.flush()
		}
	}
}

func (c *conn) handle(m wire.Message) {
	c.due = time.Now().Add(c.server.opts.Timeout)
	c.server.tally.count(m.Command)
	if m.Command == wire.WhereChunk {
		c.log(m)
		c.answer(m.Chunk)
		return
	}
	c.dialect = plain
	if m.SHA1 != "" {
		c.dialect = hashed
	}
	c.log(m)
	c.register(m)
}

func (c *conn) register(m wire.Message) {
	s := c.server
	switch s.registry.add(m) {
	case known:
	case refused:
		s.tally.unregistered.Add(1)
		c.complainOf(fmt.Sprintf("chunk %d of %v: %v", m.Chunk, m.Addrs[0], errFull))
	default:
		if s.lines != nil {
			c.batch.state = appendLine(c.batch.state, m)
		}
	}
}

// answer says where the chunk is, in the client's dialect; who has not shown his speaks that of the others.
func (c *conn) answer(chunk int) {
	s := c.server
	m := s.registry.locate(chunk, c.dialect == hashed || c.dialect == anyDialect && s.registry.isHashed())
	s.tally.count(m.Command)
	text := m.Append(nil)
	c.batch.answers = append(c.batch.answers, text)
	c.batch.size += len(text)
	c.log(m)
}

func (c *conn) log(m wire.Message) {
	if c.server.opts.Log != nil {
		line := m.LogLine(Entity)
		c.batch.lines = append(c.batch.lines, line)
		c.batch.size += len(line)
	}
}

// flush logs and sends the batch. It is logged first: who has an answer finds it in the log.
func (c *conn) flush() bool {
	b := c.batch
	c.batch = batch{}
	s := c.server
	if len(b.state) > 0 {
		s.lines <- b.state
	}
	if err := s.opts.Log.Append(b.lines...); err != nil {
		s.once(&s.logFailed, fmt.Sprintf("log: %v", err))
	}
	for _, text := range b.answers {
		if err := c.write(text); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				s.tally.timedOut.Add(1)
				c.notice("an answer was not read in time")
			}
			return false
		}
	}
	return true
}

// write sends one message in one write: many clients take what they read at once to be one.
func (c *conn) write(text []byte) error {
	if err := c.net.SetWriteDeadline(time.Now().Add(c.server.opts.Timeout)); err != nil {
		return err
	}
	if c.server.isStopping() {
		c.hurry()
	}
	_, err := c.net.Write(text)
	return err
}

func (c *conn) complain(bad *wire.SyntaxError) {
	c.server.tally.garbage.Add(1)
	c.complainOf(bad.Error())
}

// complainOf gives notice of what the client does wrong, but not without end.
func (c *conn) complainOf(text string) {
	c.garbage++
	switch {
	case c.garbage < maxGarbage:
		c.notice("%s", text)
	case c.garbage == maxGarbage:
		c.notice("%s; what follows of the kind is not told", text)
	}
}

func (c *conn) notice(format string, args ...any) {
	who := "client"
	if a := c.net.RemoteAddr(); a != nil {
		who = a.String()
	}
	c.server.opts.Notice(who + ": " + strings.TrimSpace(fmt.Sprintf(format, args...)))
}
