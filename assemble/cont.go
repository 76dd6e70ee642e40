package assemble

import (
	"fmt"
	"slices"

	"spate/event"
	"spate/format/manifest"
	"spate/internal/redact"
)

// A cont is a continuation: one part of a manifest that is being executed, what is left of it to try, and where the
// manifest goes on after it. It is immutable, so that a part that was read ahead remembers where it stood.
type cont struct {
	up    *cont // of the manifest that lists the part; nil: the part is what the caller asked for
	doc   *document
	part  manifest.Part
	after *rest // of doc, behind the part; nil: nothing follows

	next    int     // the first alternative not tried yet
	resumed bool    // the part is executed again, after unwinding
	errs    []error // why those before failed
	start   *mark   // where the part starts in the stream
	need    int64   // offset in the stream that the part reached once: what is tried now must reach it too
	depth   int     // conts from here up after which something follows
	only    int     // conts from here up, in a row, after which nothing follows
	choice  bool    // this cont, or one above, has an alternative left
	weight  int     // bytes of text in conts from here up
}

// A mark is a place in the stream. It is set by the reader, once, when it gets there.
type mark struct {
	set  bool
	off  int64
	part int64  // how many parts that are data come before it
	crc  uint64 // of the stream up to off, as far as it was summed
}

// A rest is what follows a part in its document.
type rest struct {
	known  []listed // decoded already
	from   point    // where to open the document for what is not
	end    bool     // there is nothing behind known
	nested bool     // of the frame
	opened []uint64 // of the frame
	feed   *feed    // still open, where the origin cannot seek; used up by the first to go on with it
}

func newCont(up *cont, doc *document, l manifest.Part) *cont {
	c := &cont{up: up, doc: doc, part: l}
	c.derive()
	return c
}

// derive computes what follows from the other fields.
func (c *cont) derive() {
	c.depth, c.only, c.choice = 0, 0, c.hasNext()
	if c.up != nil {
		c.depth, c.choice = c.up.depth, c.choice || c.up.choice
	}
	c.weight = textOf(c.part)
	if c.doc != nil {
		c.weight += len(c.doc.to.url) + len(c.doc.info.URL) + len(c.doc.info.Validator) + len(c.doc.info.ETag) + len(c.doc.info.Name)
		c.weight += textOfHeader(c.doc.info.Header)
	}
	if c.up != nil {
		c.weight += c.up.weight
	}
	if c.after != nil {
		for _, l := range c.after.known {
			c.weight += textOf(l.Part)
		}
	}
	switch {
	case c.after != nil:
		c.depth++
	case c.up != nil && c.up.after == nil:
		c.only = c.up.only + 1
	default:
		c.only = 1
	}
}

// textOf is about how much memory a part takes.
func textOf(p manifest.Part) int {
	n := 128
	for _, a := range p.Alternatives {
		n += len(a) + 16
	}
	return n
}

// textOfHeader is about how much memory the header of an answer takes.
func textOfHeader(h map[string][]string) (n int) {
	for name, values := range h {
		n += 64 + len(name)
		for _, v := range values {
			n += 16 + len(v)
		}
	}
	return n
}

// maxText bounds the text of all parts that wait for their turn, whatever MaxDepth allows.
const maxText = 32 << 20

func (c *cont) checkDepth(limit int) error {
	switch {
	case c.depth > limit:
		return fmt.Errorf("%w: limit %d", ErrDepth, limit)
	case c.weight > maxText:
		return fmt.Errorf("%w: parts that wait hold over %d bytes of text", ErrDepth, maxText)
	}
	return nil
}

// mayReplay reports whether the part, being read from the alternative next, may have to be compared later with what
// another gives for the same stretch of the stream.
func (c *cont) mayReplay() bool {
	return c.next+1 < len(c.part.Alternatives) || c.up != nil && c.up.choice
}

func (c *cont) hasNext() bool { return c.next < len(c.part.Alternatives) }

// base is what the part's alternatives resolve against; "" for what the caller asked for.
func (c *cont) base() string {
	if c.doc == nil {
		return ""
	}
	return c.doc.base()
}

// locate says where e is: in which manifest, and at which line.
func (c *cont) locate(e event.Event) event.Event {
	e.Line = c.part.Line
	if c.doc != nil {
		e.Manifest = redact.URL(c.doc.to.url)
	}
	return e
}

// with returns a copy of c that f has changed.
func (c *cont) with(f func(*cont)) *cont {
	d := *c
	f(&d)
	d.derive()
	return &d
}

// reaching returns c, or a copy of it, that must reach need.
func (c *cont) reaching(need int64) *cont {
	if c == nil || c.need >= need {
		return c
	}
	return c.with(func(d *cont) { d.need = need })
}

// How many conts that hold nothing but alternatives, or why some failed, are kept in a row: when there are more than
// maxOnly, all but the newest keepOnly are dropped at once. A manifest that ends in itself, with mirrors, would leave
// one behind each lap.
const (
	maxOnly  = 64
	keepOnly = 32
)

// pushed is what a manifest returns to that answered for c: c itself, or, where nothing is left to do there, what c
// would return to.
func (c *cont) pushed() *cont {
	switch {
	case c.up != nil && c.after == nil && !c.hasNext() && len(c.errs) == 0:
		return c.up.reaching(c.need)
	case c.only > maxOnly:
		return c.pruned(keepOnly)
	}
	return c
}

// pruned drops, of the run of conts with nothing but alternatives that ends with c, all but the newest n. What the
// dropped ones had to reach, the first one below them has to, and it fails for their reasons too.
func (c *cont) pruned(n int) *cont {
	if n > 0 {
		up := c.up.pruned(n - 1)
		return c.with(func(d *cont) { d.up = up })
	}
	var need int64
	var errs []error
	for ; c.up != nil && c.after == nil; c = c.up {
		need = max(need, c.need)
		if len(c.errs) > 0 {
			errs = appendError(errs, c.failure())
		}
	}
	return c.with(func(d *cont) {
		d.need = max(d.need, need)
		d.errs = slices.Clip(d.errs)
		for _, err := range errs {
			d.errs = appendError(d.errs, err)
		}
	})
}
