package peersource

import (
	"bytes"
	"io"
	"slices"
	"time"
)

// Whoever is fetched from for the first time is compared with another: with who begins the same chunk in the same way. That is done before
// anything is handed on, and one after the other: who held the one while he waits for the other could wait for somebody who waits
// for him, as peers serve few at a time.
const (
	compared = 64 << 10 // bytes
	vetTries = 2        // others who fail, or do not answer soon; then the giver is believed for a while
	maxVotes = 8        // different beginnings
)

// A vote is how a giver begins a chunk.
type vote struct {
	from giver
	text []byte
}

// start is how many bytes of the chunk are compared.
func (c *chunk) start() int64 {
	if c.size < 0 {
		return min(compared, c.common)
	}
	return min(compared, c.size)
}

// vet compares the giver that was opened with others, until two agree, one of which is read on from. Where nobody can be compared with, it
// is asked again.
func (c *chunk) vet() error {
	first, err := c.vote(c.now)
	if c.now = nil; err != nil {
		c.causes.add(first.from, err)
		return nil
	}
	votes, tries := []vote{first}, 0
	for len(votes) < maxVotes && (len(votes) > 1 || tries < vetTries) {
		to, ok := c.pop()
		if !ok {
			break
		}
		limit := c.patience()
		if len(votes) > 1 {
			limit = -1 // this one decides
		}
		v, err := c.second(to, limit, votes)
		if c.ctx.Err() != nil {
			return err
		}
		if err != nil {
			tries++
			c.blame(to, err)
			continue
		}
		if c.now != nil {
			c.settle(v, votes)
			return nil
		}
		votes = append(votes, v)
	}
	if len(votes) > 1 {
		for _, v := range votes {
			c.causes.add(v.from, errDiffers)
		}
		return c.causes.failure()
	}
	if tries > 0 {
		c.src.givers.doWithout(first.from)
	}
	c.left = append([]giver{first.from}, c.left...)
	return nil
}

// vote reads how g begins, and ends it.
func (c *chunk) vote(g *giving) (vote, error) {
	v := vote{g.from, make([]byte, c.start())}
	_, err := io.ReadFull(g, v.text)
	err = tooShort(err)
	g.end(err)
	return v, err
}

// second asks another. Where it begins as one of votes did it is read on from.
func (c *chunk) second(to giver, limit time.Duration, votes []vote) (vote, error) {
	v := vote{from: to}
	g, err := c.openFor(to, limit)
	if err != nil {
		return v, err
	}
	v.text = make([]byte, c.start())
	if _, err := io.ReadFull(g, v.text); err != nil {
		g.end(tooShort(err))
		return v, tooShort(err)
	}
	if !slices.ContainsFunc(votes, v.agrees) {
		g.end(nil)
		return v, nil
	}
	g.stay()
	g.unread(v.text)
	c.now, c.paired = g, true
	return v, nil
}

func (v vote) agrees(o vote) bool { return bytes.Equal(v.text, o.text) }

// settle says who is right: those who agree with v.
func (c *chunk) settle(v vote, votes []vote) {
	for _, o := range votes {
		if v.agrees(o) {
			c.src.givers.agreed(o.from, v.from)
			continue
		}
		c.causes.add(o.from, errDiffers)
		c.src.givers.lied(o.from)
	}
}
