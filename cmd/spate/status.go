package main

import (
	"fmt"
	"strings"
	"time"

	"spate/event"
)

// status is how far a download has come.
type status struct {
	part, failed, files int64
	bytes, size         int64  // size -1: not known
	from                int64  // of bytes: those that were there before
	conns               int    // connections; 0: not told
	cells               string // the ranges, see [event.Event]; "": not told
	origin              string
	name                string    // of the file, "" while it is not told
	waiting             string    // why nothing comes; "": nobody waits
	until               time.Time // when it is tried again; zero: soon
	rate                float64
}

func (s *status) observe(e event.Event) {
	switch e.Type {
	case event.Begin:
		s.name, s.bytes, s.from, s.waiting = e.Path, e.Bytes, e.Bytes, ""
		s.sized(e.Size)
	case event.Part:
		s.part, s.origin, s.waiting = e.Part, e.Origin, ""
	case event.Failed:
		s.failed++
	case event.Waiting:
		s.waiting, s.until = e.Error, e.Until
	case event.Progress:
		if e.Bytes > s.bytes {
			s.waiting = ""
		}
		s.bytes, s.conns, s.cells = e.Bytes, e.Conns, e.Map
		s.sized(e.Size)
	case event.File:
		s.files++
		if e.Bytes == s.size { // it is no file of a sequence, and the last bytes were not told
			s.bytes, s.conns, s.cells = e.Bytes, 0, ""
		}
	}
}

func (s *status) sized(size int64) {
	if size > 0 {
		s.size = size
	}
}

// String is the status on one line: "part 3 from 127.0.0.1:8080, 1.5 MiB of 3.0 MiB (50%), 1.0 MiB/s, ETA 0:02". What
// matters less stands behind, where a line may be cut.
func (s status) String() string {
	var words []string
	if s.part > 0 {
		words = append(words, s.place())
	}
	words = append(words, s.amount(), s.pace())
	if s.conns > 0 {
		words = append(words, counted(int64(s.conns), "connection"))
	}
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

// pace is the rate and the time that is left, or why there is none.
func (s status) pace() string {
	if s.waiting != "" {
		text := "waiting for the connection"
		if !s.until.IsZero() {
			text = "waiting until " + s.until.Local().Format(time.TimeOnly)
		}
		return text + ": " + clean(oneLine(s.waiting))
	}
	text := formatRate(s.rate)
	if left := s.left(); left > 0 {
		text += ", ETA " + formatLeft(left)
	}
	return text
}

// left is how long the rest takes at this rate; 0 if that is not known, or far away.
func (s status) left() time.Duration {
	missing := s.size - s.bytes
	if missing <= 0 || s.rate < 1 || float64(missing)/s.rate >= maxLeft.Seconds() {
		return 0
	}
	return time.Duration(float64(missing) / s.rate * float64(time.Second))
}

const maxLeft = 100 * time.Hour

func formatRate(rate float64) string { return formatBytes(int64(rate)) + "/s" }

// formatLeft is "0:05", "12:34" or "1:23:45", rounded up.
func formatLeft(d time.Duration) string {
	s := int64((d + time.Second - 1) / time.Second)
	if s < 3600 {
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
