package peersource

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"
)

// Where the end of a chunk has to be confirmed, a second giver sends the same at the same time, and what is handed on is what both have
// sent. Where they differ a third says who is right. So a lie is noticed before its first byte is handed on, which could not be taken
// back. (Where only the givers are compared that is vet.go.)
const (
	besideTime = 3 * time.Second // until somebody has begun who is compared with, and a tenth of HeaderTimeout at most
	pairBuffer = 32 << 10
)

// patience is how long somebody is waited for who is only compared with.
func (c *chunk) patience() time.Duration {
	if header := c.src.times.Header; header >= 0 {
		return min(besideTime, header/10)
	}
	return besideTime
}

// pair has a second giver send what is read. Who does not begin soon is done without: he may wait for one who waits for us.
func (c *chunk) pair() {
	for {
		to, ok := c.pop()
		if !ok {
			return
		}
		g, err := c.openFor(to, c.patience())
		if err == nil {
			g.stay()
			c.beside = g
			return
		}
		if c.ctx.Err() != nil {
			return
		}
		c.blame(to, err)
	}
}

// openFor is open of what is ended after a while; a limit below 0 is none.
func (c *chunk) openFor(to giver, limit time.Duration) (*giving, error) {
	if limit < 0 {
		return c.open(c.ctx, to)
	}
	ctx, cancel := context.WithCancel(c.ctx)
	timer := time.AfterFunc(limit, cancel)
	g, err := c.open(ctx, to)
	if err != nil {
		timer.Stop()
		cancel()
		return nil, err
	}
	g.timer, g.cancel = timer, cancel
	return g, nil
}

// promote reads on from who was beside.
func (c *chunk) promote() {
	c.now, c.beside, c.paired = c.beside, nil, false
}

// agreed is how many bytes of p, which the one giver has sent, the other has sent, too, or of what a third has said in place of p.
func (c *chunk) agreed(p []byte) (int, error) {
	for c.beside != nil {
		if c.buf == nil {
			c.buf = make([]byte, pairBuffer)
		}
		n, err := c.beside.Read(c.buf[:len(p)])
		switch {
		case n == 0 && err == nil:
			continue
		case n == 0:
			c.loseBeside(err)
			c.pair()
			continue
		}
		return c.decide(p, c.buf[:n])
	}
	return len(p), nil
}

// decide compares what two have sent, of which q is not the longer. What is not handed on is read again.
func (c *chunk) decide(p, q []byte) (int, error) {
	n := len(q)
	if !bytes.Equal(p[:n], q) {
		n = differAt(p, q) + 1
		c.now.unread(p[n:])
		c.beside.unread(q[n:])
		if err := c.third(p[:n], q[:n]); err != nil {
			return 0, err
		}
		return n, nil
	}
	c.now.unread(p[n:])
	return n, nil
}

func differAt(p, q []byte) int {
	for i := range q {
		if p[i] != q[i] {
			return i
		}
	}
	return len(q)
}

// third asks others until one has sent p or q, which the two have sent and which differ. p is what is right then, and of the two
// the other one is left out. They are both what is read on from, with the rest of what they have sent.
func (c *chunk) third(p, q []byte) error {
	t := make([]byte, len(p))
	for {
		to, ok := c.pop()
		if !ok {
			c.causes.add(c.beside.from, errDiffers)
			return c.causes.failure()
		}
		g, err := c.open(c.ctx, to)
		if err == nil {
			if _, err = io.ReadFull(g, t); err != nil {
				g.end(tooShort(err))
			}
		}
		switch {
		case err != nil:
			if c.ctx.Err() != nil {
				return err
			}
			c.causes.add(to, tooShort(err))
			continue
		case bytes.Equal(t, p):
			c.isLie(c.beside)
		case bytes.Equal(t, q):
			c.isLie(c.now)
			c.promote()
			c.paired = true
			copy(p, q)
		default:
			c.causes.add(to, errDiffers)
			g.end(errDiffers)
			continue
		}
		c.beside = g
		return nil
	}
}

func tooShort(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errShort
	}
	return err
}

// isLie is for a giver whom two others contradict.
func (c *chunk) isLie(g *giving) {
	c.causes.add(g.from, errDiffers)
	g.end(errDiffers)
	c.src.givers.lied(g.from)
}

func (c *chunk) loseBeside(err error) {
	c.blame(c.beside.from, tooShort(err))
	c.beside.end(tooShort(err))
	c.beside = nil
}

// blame notes why somebody could not be compared with, unless we have not waited.
func (c *chunk) blame(to giver, err error) {
	if c.ctx.Err() != nil || !errors.Is(err, context.Canceled) {
		c.causes.add(to, err)
	}
}

// ended is for a chunk of unknown size that the one giver has ended while another sends it, too. If that one has ended it there, that
// is the end, else it is read on.
func (c *chunk) ended() {
	switch err := c.beside.next("silent for", c.src.times.Idle); err {
	case nil:
		c.lose(errShort)
	case io.EOF:
		c.src.givers.agreed(c.now.from, c.beside.from)
		c.isDone, c.isConfirmed = true, true
	default:
		c.loseBeside(err)
		c.pair()
	}
}
