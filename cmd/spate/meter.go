package main

import (
	"math"
	"time"
)

// A meter turns amounts into a rate: the mean of the last few seconds, weighed by how recent they are.
type meter struct {
	at    time.Time
	bytes int64
	rate  float64 // bytes per second
}

const (
	meterStep = 500 * time.Millisecond // between samples
	meterSpan = 3 * time.Second        // after which a sample counts 1/e
)

// sample tells the meter how many bytes there are now, and returns the rate.
func (m *meter) sample(now time.Time, bytes int64) float64 {
	if m.at.IsZero() {
		m.at, m.bytes = now, bytes
		return 0
	}
	dt := now.Sub(m.at)
	if dt < meterStep {
		return m.rate
	}
	current := float64(max(bytes-m.bytes, 0)) / dt.Seconds()
	weight := 1 - math.Exp(-dt.Seconds()/meterSpan.Seconds())
	if m.rate == 0 {
		weight = 1
	}
	m.rate += weight * (current - m.rate)
	m.at, m.bytes = now, bytes
	return m.rate
}
