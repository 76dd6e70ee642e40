package httpsource

import (
	"errors"
	"io"
	"math"

	"spate/source"
	"spate/source/driver"
)

// A content is what a [driver.Body] reads: what of an answer the caller asked for. It hands the caller's slice on to the
// connection, so that nothing is copied on the way.
type content struct {
	a         *answer
	wanted    int64 // bytes until the end of the caller's range
	announced int64 // bytes until the end that the origin announced; -1 if it announced none
	ended     bool  // the answer's body has come to its end, or broken off
}

// newBody makes the body of res, which a carries.
func newBody(a *answer, rawURL string, res *source.Resource, rng source.Range) *driver.Body {
	c := &content{a: a, wanted: math.MaxInt64, announced: a.length}
	if rng.Len >= 0 {
		c.wanted = driver.EndOf(rng) - res.Off
	}
	left, sized := c.wanted, a.length >= 0
	if sized {
		left = min(left, a.length)
	}
	return driver.NewBody(c, a.watch, rawURL, a.idle).Expect(left, sized).Explain(a.redirected)
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.a.resp.Body.Read(p)
	c.ended = err != nil
	c.wanted -= int64(n)
	if c.announced > 0 {
		c.announced -= int64(n)
	}
	return n, err
}

// Finish makes sure that the body ends where it was announced to. Where the caller's range has ended that is not asked.
func (c *content) Finish() error {
	if c.ended || c.wanted == 0 {
		return nil
	}
	c.a.watch.Wait("silent for", c.a.idle)
	defer c.a.watch.Done()
	n, err := c.Read(make([]byte, 1))
	switch {
	case n > 0:
		return driver.Classed(source.KindProtocol, errors.New("more bytes than announced"))
	case err == io.EOF:
		return nil
	}
	return err
}

// Release ends the exchange. If little is left of the answer it is read, so that the connection can be used again; that
// takes a quarter of a second at most.
func (c *content) Release(idle bool) {
	if idle && c.littleLeft() {
		c.a.drain()
	}
	c.a.close()
}

// littleLeft reports whether the rest of the answer, if there is one, is known to be small. Where the caller's range has
// ended the answer may go on, if only with the last, empty chunk.
func (c *content) littleLeft() bool {
	return !c.ended && c.announced >= 0 && c.announced <= drainBytes
}
