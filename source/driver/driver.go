// Package driver is what every driver needs: how failures are put into words of package source, where a range ends, the
// watch over an exchange, bodies, and sessions.
package driver

import (
	"math"

	"spate/source"
)

// EndOf is where rng ends.
func EndOf(rng source.Range) int64 {
	if rng.Len < 0 || rng.Len > math.MaxInt64-rng.Off {
		return math.MaxInt64
	}
	return rng.Off + rng.Len
}
