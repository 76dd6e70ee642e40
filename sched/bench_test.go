package sched_test

import (
	"testing"
	"time"

	"spate/sched"
)

// Most events say that bytes have come; they cost next to nothing.
func BenchmarkProgress(b *testing.B) {
	s := sched.New(sched.Config{Size: -1, Connections: 1, Sources: make([]sched.Source, 1)})
	s.Step(sched.Event{})
	const size = int64(1) << 60
	s.Step(sched.Event{Type: sched.Opened, Conn: 1, Size: size, End: size, Seekable: true, Setup: time.Millisecond})
	b.ReportAllocs()
	off, at := int64(0), time.Duration(0)
	for b.Loop() {
		off, at = off+64<<10, at+time.Millisecond
		s.Step(sched.Event{Type: sched.Progress, At: at, Conn: 1, Off: off})
	}
}

// A Tick with 16 connections looks at everything.
func BenchmarkTick(b *testing.B) {
	s := sched.New(sched.Config{Size: -1, Connections: 16, Sources: make([]sched.Source, 1)})
	s.Step(sched.Event{})
	const size = int64(1) << 50
	for _, a := range s.Step(sched.Event{Type: sched.Opened, Conn: 1, Size: size, End: size, Seekable: true, Setup: time.Millisecond}) {
		if a.Type != sched.Cut {
			continue
		}
		for _, o := range s.Step(sched.Event{Type: sched.CutDone, Conn: 1, End: a.End}) {
			s.Step(sched.Event{Type: sched.Opened, Conn: o.Conn, Off: o.Off, End: o.End, Size: size, Seekable: true})
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Step(sched.Event{Type: sched.Tick})
	}
}
