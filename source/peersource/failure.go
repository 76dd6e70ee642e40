package peersource

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"spate/source"
	"spate/source/driver"
)

// maxCauses is of how many givers an error says why they have failed: the last ones.
const maxCauses = 8

// causes are why the givers of a chunk have failed. All of them is an error.
type causes struct {
	chunk int
	all   []error
	kinds []source.Kind // of all that there were, each once
	n     int
}

func (c *causes) add(from giver, err error) {
	e := failure(err)
	if !slices.Contains(c.kinds, e.Kind) {
		c.kinds = append(c.kinds, e.Kind)
	}
	if c.n++; len(c.all) == maxCauses {
		c.all = slices.Delete(c.all, 0, 1)
	}
	c.all = append(c.all, fmt.Errorf("%s: %w", place(from), driver.NotEOF(e.Err)))
}

// place is where a giver is, as it is written elsewhere.
func place(a giver) string { return net.JoinHostPort(strings.Trim(a.Host, "[]"), strconv.Itoa(a.Port)) }

// differs tells whether two givers have sent different bytes.
func (c *causes) differs() bool { return slices.Contains(c.kinds, source.KindCorrupt) }

// Error is on one line.
func (c *causes) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "chunk %d: ", c.chunk)
	if more := c.n - len(c.all); more > 0 {
		fmt.Fprintf(&b, "%d peers failed; ", more)
	}
	for i, err := range c.all {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}

// Unwrap returns the causes.
func (c *causes) Unwrap() []error { return c.all }

// kind is the one of all causes that says most of the chunk.
func (c *causes) kind() source.Kind {
	for _, k := range []source.Kind{source.KindCorrupt, source.KindChanged, source.KindNetwork, source.KindTimeout} {
		if slices.Contains(c.kinds, k) {
			return k
		}
	}
	if len(c.kinds) == 1 {
		return c.kinds[0]
	}
	return source.KindNetwork
}

// failure is c for who opens a URL.
func (c *causes) failure() *source.Error {
	e := driver.Classed(c.kind(), c)
	if e.Kind == source.KindStatus {
		e.Status = http.StatusNotFound
	}
	return e
}

// unconfirmed is why a chunk of unknown size is not taken for whole.
func (c *chunk) unconfirmed() *source.Error {
	return driver.Classed(c.causes.kind(), fmt.Errorf("no second copy says that this was all: %w", &c.causes))
}

// errNobody is why there is nobody to ask.
var errNobody = errors.New("the tracker knows nobody who has it")

func nobody(chunk int) *source.Error {
	return &source.Error{Kind: source.KindStatus, Status: http.StatusNotFound, Err: fmt.Errorf("chunk %d: %w", chunk, errNobody)}
}

// cut is err of a body that had begun, as its reader is to see it.
func cut(err *source.Error) *source.Error {
	kind := err.Kind
	if kind == source.KindStatus { // it was there, and is no longer
		kind = source.KindNetwork
	}
	return driver.Classed(kind, driver.Cut(err.Err))
}
