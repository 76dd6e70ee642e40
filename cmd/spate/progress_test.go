package main

import (
	"testing"
	"time"

	"spate/event"
)

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []event.Event
		want   string
	}{
		{"nothing yet", nil, "0 B, 0 B/s"},
		{"a part", []event.Event{{Type: event.Part, Part: 1, Origin: "h:80"}}, "part 1 from h:80, 0 B, 0 B/s"},
		{"the walk ahead", []event.Event{{Type: event.Part, Part: 1, Origin: "h:80"}, {Type: event.Manifest, URL: "m"}, {Type: event.Ahead, URL: "x", Origin: "i:80"}},
			"part 1 from h:80, 0 B, 0 B/s"},
		{"a file has no origin", []event.Event{{Type: event.Part, Part: 1}}, "part 1, 0 B, 0 B/s"},
		{"the size is known", []event.Event{{Type: event.Progress, Bytes: 999, Size: 1000}}, "999 B of 1000 B (99%), 0 B/s"},
		{"all is there", []event.Event{{Type: event.Progress, Bytes: 1000, Size: 1000}}, "1000 B of 1000 B (100%), 0 B/s"},
		{"more than all", []event.Event{{Type: event.Progress, Bytes: 1001, Size: 1000}}, "1001 B of 1000 B (100%), 0 B/s"},
		{"the size is not known", []event.Event{{Type: event.Progress, Bytes: 2048, Size: -1}}, "2.0 KiB, 0 B/s"},
		{"files", []event.Event{{Type: event.File}, {Type: event.File}}, "0 B, 0 B/s, 2 files"},
		{"a failure", []event.Event{{Type: event.Failed}}, "0 B, 0 B/s, 1 failure survived"},
		{"many connections", []event.Event{{Type: event.Progress, Bytes: 5, Size: 10, Conns: 4, Map: "#."}}, "5 B of 10 B (50%), 0 B/s, 4 connections"},
		{"one connection", []event.Event{{Type: event.Progress, Bytes: 5, Size: -1, Conns: 1}}, "5 B, 0 B/s, 1 connection"},
		{"resumed", []event.Event{{Type: event.Begin, Path: "x", Bytes: 1024, Size: 2048}}, "1.0 KiB of 2.0 KiB (50%), 0 B/s"},
		{"a hostile origin", []event.Event{{Type: event.Part, Part: 1, Origin: "h\x1b[2J"}}, `part 1 from h\u001b[2J, 0 B, 0 B/s`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p progress
			for _, e := range tt.events {
				p.observe(e)
			}
			running, _ := p.view(time.Unix(0, 0))
			if got := single(running).String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestWholeFile: what was not told before it was whole is there all the same; of a sequence the stream goes on.
func TestWholeFile(t *testing.T) {
	s := status{size: -1}
	s.observe(event.Event{Type: event.Progress, Bytes: 5, Size: 10, Conns: 2, Map: "#."})
	s.observe(event.Event{Type: event.File, Bytes: 3})
	if s.bytes != 5 || s.cells != "#." {
		t.Errorf("after a file of a sequence: %+v", s)
	}
	s.observe(event.Event{Type: event.File, Bytes: 10})
	if s.bytes != 10 || s.conns != 0 || s.cells != "" {
		t.Errorf("after the file: %+v", s)
	}
}

func TestPace(t *testing.T) {
	for _, tt := range []struct {
		s    status
		want string
	}{
		{status{size: -1}, "0 B/s"},
		{status{size: -1, rate: 1024}, "1.0 KiB/s"},
		{status{size: 100, bytes: 50, rate: 10}, "10 B/s, ETA 0:05"},
		{status{size: 100, bytes: 49, rate: 10}, "10 B/s, ETA 0:06"},
		{status{size: 100, bytes: 100, rate: 10}, "10 B/s"},
		{status{size: 100, bytes: 101, rate: 10}, "10 B/s"},
		{status{size: 100, bytes: 0, rate: 0.5}, "0 B/s"},
		{status{size: 3599, rate: 1}, "1 B/s, ETA 59:59"},
		{status{size: 3600, rate: 1}, "1 B/s, ETA 1:00:00"},
		{status{size: 360_000 - 1, rate: 1}, "1 B/s, ETA 99:59:59"},
		{status{size: 360_000, rate: 1}, "1 B/s"},
		{status{size: 1 << 62, rate: 1}, "1 B/s"},
		{status{size: 100, rate: 10, waiting: "open http://u:s3cret@h/: refused\n\x1b"},
			`waiting for the connection: open http://u:xxxxx@h/: refused; \u001b`},
		{status{size: -1, waiting: "503", until: time.Date(2026, 3, 4, 17, 3, 0, 0, time.Local)}, "waiting until 17:03:00: 503"},
	} {
		if got := tt.s.pace(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.s, got, tt.want)
		}
	}
}

// TestWaitingEnds: what waits goes on with the first byte.
func TestWaitingEnds(t *testing.T) {
	s := status{size: -1}
	for i, tt := range []struct {
		e    event.Event
		want string
	}{
		{event.Event{Type: event.Progress, Bytes: 5}, ""},
		{event.Event{Type: event.Waiting, Error: "refused"}, "refused"},
		{event.Event{Type: event.Progress, Bytes: 5}, "refused"},
		{event.Event{Type: event.Progress, Bytes: 6}, ""},
		{event.Event{Type: event.Waiting, Error: "refused"}, "refused"},
		{event.Event{Type: event.Part, Part: 2}, ""},
		{event.Event{Type: event.Waiting, Error: "refused"}, "refused"},
		{event.Event{Type: event.Begin}, ""},
	} {
		if s.observe(tt.e); s.waiting != tt.want {
			t.Errorf("%d: waits for %q, want %q", i, s.waiting, tt.want)
		}
	}
}

// aBatch is one of four entries: 1 is done, 2 runs and was resumed, 3 runs, 4 has failed.
var aBatch = []event.Event{
	{Type: event.Begin, Job: 1, Jobs: 4, Path: "d/one", Size: 10},
	{Type: event.Begin, Job: 2, Path: "d/two", Size: 4096, Bytes: 1024},
	{Type: event.Progress, Job: 1, Bytes: 10, Size: 10},
	{Type: event.Begin, Job: 4, Path: "d/four", Size: 10},
	{Type: event.File, Job: 1, Bytes: 10, Path: "d/one"},
	{Type: event.Done, Job: 1, Bytes: 10},
	{Type: event.Begin, Job: 3, Path: "d/th\x1bree", Size: -1},
	{Type: event.Progress, Job: 4, Bytes: 5, Size: 10},
	{Type: event.Ended, Job: 4, Error: "open: 404"},
	{Type: event.Progress, Job: 2, Bytes: 2048, Size: 4096, Conns: 2, Map: "##.-"},
	{Type: event.Progress, Job: 3, Bytes: 7, Size: -1},
}

func TestBatch(t *testing.T) {
	var p progress
	for _, e := range aBatch {
		p.observe(e)
	}
	running, all := p.view(time.Unix(0, 0))
	if got, want := all.String(), "1 of 4 done, 2 running, 1 failed, 2.0 KiB"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if all.bytes != 10+5+2048+7 || all.fetched != 10+5+1024+7 {
		t.Errorf("%+v", all)
	}
	if len(running) != 2 || running[0].name != "d/two" || running[1].bytes != 7 {
		t.Errorf("%+v", running)
	}
	p.observe(event.Event{Type: event.Done, Job: 2, Bytes: 4096})
	p.observe(event.Event{Type: event.Ended, Job: 3}) // left out
	p.observe(event.Event{Type: event.Ended, Job: 9, Jobs: 9, Error: "x"})
	p.observe(event.Event{Type: event.Done, Bytes: 1 << 40}) // of the batch: counted already
	running, all = p.view(time.Unix(0, 0))
	if got, want := all.String(), "2 of 9 done, 2 failed, 4.0 KiB"; len(running) != 0 || got != want {
		t.Errorf("%q, want %q; %+v", got, want, running)
	}
}

// TestRates: what was there before counts for no rate.
func TestRates(t *testing.T) {
	var p progress
	at := time.Unix(0, 0)
	p.observe(event.Event{Type: event.Begin, Job: 1, Bytes: 1 << 40})
	p.view(at)
	p.observe(event.Event{Type: event.Progress, Job: 1, Bytes: 1<<40 + 100})
	running, all := p.view(at.Add(time.Second))
	if running[0].rate != 100 || all.rate != 100 {
		t.Errorf("%v of one, %v of all", running[0].rate, all.rate)
	}
}

func TestLasting(t *testing.T) {
	for _, tt := range []struct {
		e    event.Event
		want string
	}{
		{event.Event{Type: event.Begin, Path: "d/x\x1b", Size: 10}, ""},
		{event.Event{Type: event.Begin, Path: "d/x\x1b", Size: 2048, Bytes: 1024}, "spate: x\\u001b: resumed at 1.0 KiB\n"},
		{event.Event{Type: event.Aside, URL: "http://h/x\x1b", Error: "a\nb"}, "spate: mirror set aside: http://h/x\\u001b: a; b\n"},
		{event.Event{Type: event.Failed, URL: "http://h/x", Error: "a"}, ""},
	} {
		if got := lasting(tt.e); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
