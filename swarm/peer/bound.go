package peer

import (
	"fmt"
	"math"
)

const (
	defaultMost = 4 << 30  // bytes that a chunk may have of which nothing is known
	boundLeast  = 64 << 20 // the least that a chunk may have, and
	boundTimes  = 8        // how many times the size of those that are known
)

// bound is how many bytes of a chunk are taken. Nobody tells its size, so whoever sends without end could fill the disk. Where the
// size of others is certain that is some times as much, and double each time that it was too little for a chunk: chunks
// may differ.
func (j *judge) bound(chunk int) int64 {
	most := j.limit
	size := j.sure
	if common, isKnown := j.common(); isKnown {
		size = max(size, common)
	}
	least := max(boundLeast, times(size, boundTimes))
	if most == 0 {
		most = max(defaultMost, least)
	}
	if size == 0 {
		return most
	}
	return min(most, times(least, 1<<min(j.excess[chunk], 60)))
}

// times is n·by, or the largest number.
func times(n, by int64) int64 {
	if n > math.MaxInt64/by {
		return math.MaxInt64
	}
	return n * by
}

// exceeded is for a chunk that was more than its bound.
func (j *judge) exceeded(chunk int) { j.excess[chunk]++ }

// certain is for a chunk that was here from the beginning, or has the digest that it must have.
func (j *judge) certain(d *delivery) {
	if d.chunk != j.last {
		j.sure = max(j.sure, d.size)
	}
}

// An excessError is of a giver that sends more than a chunk may have.
type excessError struct{ most int64 }

func (e *excessError) Error() string {
	return fmt.Sprintf("sends more than %d bytes, which is what may be taken of this chunk", e.most)
}
