package main

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"spate/event"
)

// progress follows the events of a stream. It is safe for concurrent use.
type progress struct {
	mu sync.Mutex
	s  status
}

// status is how far a stream has come.
type status struct {
	part, failed, files int64
	bytes, size         int64 // size -1: not known
	origin, file        string
}

func newProgress() *progress { return &progress{s: status{size: -1}} }

// observe is an [event.Sink].
func (p *progress) observe(e event.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Type {
	case event.Part:
		p.s.part, p.s.origin = e.Part, e.Origin
	case event.Failed:
		p.s.failed++
	case event.Progress:
		p.s.bytes = e.Bytes
		if e.Size > 0 {
			p.s.size = e.Size
		}
	case event.File:
		p.s.files, p.s.file = p.s.files+1, e.Path
	}
}

func (p *progress) status() status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.s
}

// String is the status on one line, without the rate: "part 3 from 127.0.0.1:8080, 1.5 MiB of 3.0 MiB (50%)".
func (s status) String() string {
	var words []string
	if s.part > 0 {
		words = append(words, s.place())
	}
	words = append(words, s.amount())
	if s.files > 0 {
		words = append(words, counted(s.files, "file"))
	}
	if s.failed > 0 {
		words = append(words, counted(s.failed, "failure")+" survived")
	}
	return strings.Join(words, ", ")
}

func (s status) place() string {
	text := fmt.Sprintf("part %d", s.part)
	if s.origin != "" {
		text += " from " + clean(s.origin)
	}
	return text
}

func (s status) amount() string {
	text := formatBytes(s.bytes)
	if s.size > 0 {
		text += fmt.Sprintf(" of %s (%d%%)", formatBytes(s.size), s.percent())
	}
	return text
}

// percent rounds down: 100 means that all is there.
func (s status) percent() int64 {
	if s.size <= 0 {
		return 0
	}
	return int64(min(float64(s.bytes)/float64(s.size), 1) * 100)
}

// counted is "1 file", "2 files".
func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

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
