package sched

import (
	"math"
	"time"
)

// A meter tells how fast bytes come: their sum over the time it took, where what is long ago counts less. tau is the time after
// which it counts 1/e. Time that is skipped (between two requests) does not count.
type meter struct {
	at      time.Duration
	sum     [2]float64
	weight  [2]float64
	bytes   int64
	measure time.Duration // how long it has measured in all
}

const (
	fast = iota // to see a collapse
	slow        // to plan with
)

var tau = [2]float64{fast: 0.5, slow: 2}

func (m *meter) skip(now time.Duration) { m.at = now }

func (m *meter) add(now time.Duration, n int64) {
	dt := max(now-m.at, 0)
	for i := range m.sum {
		m.sum[i], m.weight[i] = m.decayed(i, dt)
		m.sum[i] += float64(n)
	}
	m.at, m.bytes, m.measure = now, m.bytes+n, m.measure+dt
}

func (m *meter) decayed(i int, dt time.Duration) (sum, weight float64) {
	if dt <= 0 {
		return m.sum[i], m.weight[i]
	}
	f := math.Exp(-dt.Seconds() / tau[i])
	return m.sum[i] * f, m.weight[i]*f + tau[i]*(1-f)
}

// rate is bytes per second as of now, 0 before anything was measured.
func (m *meter) rate(i int, now time.Duration) float64 {
	sum, weight := m.decayed(i, now-m.at)
	if weight <= 0 {
		return 0
	}
	return sum / weight
}

// known says whether enough has been seen to plan by: the first bytes come in a burst.
func (m *meter) known() bool {
	return m.measure >= 100*time.Millisecond || m.measure >= time.Millisecond && m.bytes >= 4<<20
}
