package event_test

import (
	"math"
	"testing"

	"spate/event"
)

func TestCells(t *testing.T) {
	for _, size := range []int64{0, 1, 2, 63, 64, 65, 127, 128, 129, 1000, 1 << 40, math.MaxInt64} {
		bounds := event.Cells(size)
		if want := int(min(size, event.MapCells)) + 1; len(bounds) != want || bounds[0] != 0 || bounds[len(bounds)-1] != size {
			t.Fatalf("%d bytes: %d", size, bounds)
		}
		least, most := int64(math.MaxInt64), int64(0)
		for i := range len(bounds) - 1 {
			n := bounds[i+1] - bounds[i]
			least, most = min(least, n), max(most, n)
		}
		if size > 0 && (least < 1 || most-least > 1) {
			t.Errorf("%d bytes: cells of %d to %d bytes", size, least, most)
		}
	}
}
