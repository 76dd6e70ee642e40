package peersource

import (
	"context"
	"fmt"
	"hash/crc64"
	"io"

	"spate/source"
	"spate/source/driver"
)

// maxRounds is how often those who have a chunk are asked from the beginning of the list, as long as that brings new bytes.
const maxRounds = 10

// A chunk is read from one giver at a time, with another beside where it has to be compared (pair.go, vet.go). If he fails, the next
// has to send what was read once more.
type chunk struct {
	src     *Source
	ctx     context.Context // of Open: it governs the body, too
	tracker string
	index   int
	size    int64 // -1: not known
	common  int64 // of a chunk of the same set, which was confirmed; -1: not known

	pos    int64  // so much was read
	sum    uint64 // its checksum
	now    *giving
	beside *giving // who sends the same; nil: nobody
	paired bool    // now was compared, or that was tried
	buf    []byte  // what beside has sent
	found  []giver // by asking ahead
	known  []giver // who have it, as far as they are asked
	left   []giver // of these, who were not asked yet
	rounds int
	gained bool // something was read since the last round began

	causes      causes
	isDone      bool
	isConfirmed bool // it ends where a second delivery does
}

// Read ends with io.EOF where the chunk ends, and not where a giver does.
func (c *chunk) Read(p []byte) (int, error) {
	for !c.isDone {
		if err := c.ready(); err != nil {
			return 0, err
		}
		if !c.paired {
			if err := c.compare(); err != nil {
				return 0, err
			}
			continue
		}
		if c.pos == c.size {
			c.checkEnd()
			continue
		}
		n, err := c.now.Read(c.within(p))
		if n > 0 || err == nil { // an error comes again
			n, err = c.agreed(p[:n])
			c.count(p[:n])
			return n, err
		}
		if err := c.lacks(err); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// compare has what now sends compared with what others do, where that is needed.
func (c *chunk) compare() error {
	c.paired = true
	switch {
	case c.size < 0 && c.common < 0:
		c.pair()
	case c.pos == 0 && len(c.left) > 0 && c.src.givers.isToCompare(c.now.from):
		return c.vet()
	}
	return nil
}

// lacks is for a giver that sends no more, for which err is the reason.
func (c *chunk) lacks(err error) error {
	switch {
	case err != io.EOF:
		c.lose(err)
	case c.size >= 0:
		c.lose(errShort)
	case c.beside == nil:
		return c.confirm()
	default:
		c.ended()
	}
	return nil
}

// within is p, or as much of it as is left of the chunk.
func (c *chunk) within(p []byte) []byte {
	if c.beside != nil {
		p = p[:min(len(p), pairBuffer)]
	}
	if c.size < 0 {
		return p
	}
	return p[:min(int64(len(p)), c.size-c.pos)]
}

func (c *chunk) count(p []byte) {
	c.pos += int64(len(p))
	c.sum = crc64.Update(c.sum, crcTable, p)
	c.gained = c.gained || len(p) > 0
}

// ready makes sure that a giver sends what comes next.
func (c *chunk) ready() error {
	if c.now == nil && c.beside != nil {
		c.promote()
	}
	for c.now == nil {
		to, err := c.pick()
		if err != nil {
			return err
		}
		g, err := c.open(c.ctx, to)
		if err == nil {
			c.now, c.paired = g, false
			break
		}
		if c.ctx.Err() != nil {
			return err
		}
		c.causes.add(to, err)
	}
	return nil
}

// pick is whom to ask next. Where all have failed the tracker is asked again, if something has come of it so far; if the
// tracker is gone they are asked again all the same.
func (c *chunk) pick() (giver, error) {
	if to, ok := c.pop(); ok {
		return to, nil
	}
	if len(c.known) > 0 && (!c.gained || c.rounds == maxRounds) {
		return giver{}, c.causes.failure()
	}
	c.rounds, c.gained = c.rounds+1, false
	holders, err := c.look()
	switch {
	case err == nil:
		c.known = c.src.givers.order(holders)
		if len(c.known) == 0 {
			return giver{}, driver.Classed(source.KindCorrupt, fmt.Errorf("chunk %d: %w", c.index, errLiars))
		}
	case len(c.known) == 0 || c.ctx.Err() != nil:
		return giver{}, err
	}
	c.left = c.known
	to, _ := c.pop()
	return to, nil
}

// look finds out who has the chunk.
func (c *chunk) look() (holders []giver, err error) {
	if holders, c.found = c.found, nil; len(holders) > 0 {
		return holders, nil
	}
	return c.src.holders(c.ctx, c.tracker, c.index)
}

func (c *chunk) pop() (to giver, ok bool) {
	if len(c.left) == 0 {
		return to, false
	}
	to, c.left = c.left[0], c.left[1:]
	return to, true
}

// open asks a giver, and has it send what was read once more.
func (c *chunk) open(ctx context.Context, to giver) (*giving, error) {
	g, err := c.src.ask(ctx, to, c.index)
	if err != nil {
		return nil, err
	}
	if err := g.skip(c.pos, c.sum); err != nil {
		g.end(err)
		return nil, err
	}
	return g, nil
}

// checkEnd is for all bytes of a chunk of known size: the giver must not have more.
func (c *chunk) checkEnd() {
	if c.now.exceeds() {
		c.lose(errLong)
		return
	}
	c.isDone = true
}

// confirm is for a chunk of unknown size that its giver has ended. Another one has to end it there, too, or the same when
// asked again. If there is more of it, that is read on.
func (c *chunk) confirm() error {
	if c.isDone = c.pos == c.common; c.isDone {
		return nil
	}
	first := c.now.from
	c.leave()
	for isAgain := false; ; {
		to, ok := c.pop()
		if !ok {
			if isAgain || c.causes.differs() || c.rounds == maxRounds {
				return c.unconfirmed()
			}
			to, isAgain = first, true
			c.rounds++
		}
		err := c.again(to)
		if err == nil || c.ctx.Err() != nil {
			return err
		}
		c.causes.add(to, err)
	}
}

// again has a giver send what was read, which should be all. It is no error if there is more.
func (c *chunk) again(to giver) error {
	g, err := c.open(c.ctx, to)
	if err != nil {
		return err
	}
	switch err := g.next("silent for", c.src.times.Idle); err {
	case nil:
		c.now, c.paired = g, false
		return nil
	case io.EOF:
		g.end(nil)
		c.isDone, c.isConfirmed = true, true
		return nil
	default:
		g.end(err)
		return err
	}
}

// lose is for a giver that has failed.
func (c *chunk) lose(err error) {
	c.causes.add(c.now.from, err)
	c.now.end(err)
	c.now = nil
}

// leave ends what is open, which is nobody's fault.
func (c *chunk) leave() {
	for _, g := range []*giving{c.now, c.beside} {
		if g != nil {
			g.end(nil)
		}
	}
	c.now, c.beside = nil, nil
}
