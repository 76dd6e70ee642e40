package main

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate/event"
)

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []event.Event
		want   string
	}{
		{"nothing yet", nil, "0 B"},
		{"a part", []event.Event{{Type: event.Part, Part: 1, Origin: "h:80"}}, "part 1 from h:80, 0 B"},
		{"a file has no origin", []event.Event{{Type: event.Part, Part: 1}}, "part 1, 0 B"},
		{"the size is known", []event.Event{{Type: event.Progress, Bytes: 999, Size: 1000}}, "999 B of 1000 B (99%)"},
		{"all is there", []event.Event{{Type: event.Progress, Bytes: 1000, Size: 1000}}, "1000 B of 1000 B (100%)"},
		{"more than all", []event.Event{{Type: event.Progress, Bytes: 1001, Size: 1000}}, "1001 B of 1000 B (100%)"},
		{"the size is not known", []event.Event{{Type: event.Progress, Bytes: 2048, Size: -1}}, "2.0 KiB"},
		{"files", []event.Event{{Type: event.File}, {Type: event.File}}, "0 B, 2 files"},
		{"a failure", []event.Event{{Type: event.Failed}}, "0 B, 1 failure survived"},
		{"a hostile origin", []event.Event{{Type: event.Part, Part: 1, Origin: "h\x1b[2J"}}, `part 1 from h\u001b[2J, 0 B`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProgress()
			for _, e := range tt.events {
				p.observe(e)
			}
			if got := p.status().String(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestDrawBar(t *testing.T) {
	for _, tt := range []struct {
		bytes, size int64
		want        string
	}{
		{5, -1, ""},
		{5, 0, ""},
		{0, 100, "[>                   ] "},
		{4, 100, "[>                   ] "},
		{5, 100, "[=>                  ] "},
		{99, 100, "[===================>] "},
		{100, 100, "[====================] "},
		{1 << 62, 1 << 62, "[====================] "},
	} {
		if got := drawBar(status{bytes: tt.bytes, size: tt.size}); got != tt.want {
			t.Errorf("%d of %d: %q, want %q", tt.bytes, tt.size, got, tt.want)
		}
	}
}

func TestMeter(t *testing.T) {
	var m meter
	at := time.Unix(0, 0)
	if got := m.sample(at, 1000); got != 0 {
		t.Errorf("the first sample gives %v", got)
	}
	if got := m.sample(at.Add(meterStep-1), 9000); got != 0 {
		t.Errorf("a sample that comes too soon gives %v", got)
	}
	if got := m.sample(at.Add(time.Second), 2000); got != 1000 {
		t.Errorf("1000 bytes in a second give %v", got)
	}
	for i := 2; i < 60; i++ {
		m.sample(at.Add(time.Duration(i)*time.Second), 2000)
	}
	if m.rate > 1 {
		t.Errorf("after a minute of silence: %v", m.rate)
	}
	if got := m.sample(at.Add(time.Hour), 0); got < 0 {
		t.Errorf("bytes that were taken back give %v", got)
	}
}

// buffer is an io.Writer for several goroutines.
type buffer struct {
	mu   sync.Mutex
	text strings.Builder
	on   chan struct{} // told of each write, if there is room
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.on <- struct{}{}:
	default:
	}
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b buffer
		talk := startLines(&b, linePeriod)
		defer talk.close()
		talk.sink(event.Event{Type: event.Progress, Bytes: 10 << 10, Size: -1})
		time.Sleep(linePeriod - 1) // of the bubble's clock
		if b.String() != "" {
			t.Errorf("told too early: %q", &b)
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		want := "spate: 10.0 KiB, 1.0 KiB/s\n"
		if b.String() != want {
			t.Errorf("told %q, want %q", &b, want)
		}
		time.Sleep(linePeriod)
		synctest.Wait()
		want += "spate: 10.0 KiB, 0 B/s\n"
		if b.String() != want {
			t.Errorf("told %q, want %q", &b, want)
		}
		talk.close()
		talk.close()
		time.Sleep(10 * linePeriod)
		if b.String() != want {
			t.Errorf("told after the end: %q", &b)
		}
	})
}

func TestBar(t *testing.T) {
	b := &buffer{on: make(chan struct{}, 1)}
	talk := startBar(b)
	defer talk.close()
	talk.sink(event.Event{Type: event.Part, Part: 7, Origin: "h:80"})
	talk.sink(event.Event{Type: event.Progress, Bytes: 5, Size: 10})
	for !strings.Contains(b.String(), "[==========>         ] part 7 from h:80, 5 B of 10 B (50%), 0 B/s") {
		<-b.on
	}
	talk.close()
	end := b.String()
	talk.sink(event.Event{Type: event.Progress, Bytes: 10, Size: 10})
	if b.String() != end {
		t.Error("drawn after the end")
	}
}

// TestTalk checks who says what, on what is no terminal.
func TestTalk(t *testing.T) {
	for _, tt := range []struct {
		name  string
		flags talkFlags
		noisy bool
		heard bool // an event is told at once
		sink  bool
	}{
		{"quiet", talkFlags{quiet: true, json: true, progress: "on"}, false, false, false},
		{"JSON", talkFlags{json: true, progress: "off"}, false, true, true},
		{"lines", talkFlags{progress: "auto"}, false, false, true},
		{"off", talkFlags{progress: "off"}, false, false, false},
		{"stdout is a terminal", talkFlags{progress: "auto"}, true, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b buffer
			talk := tt.flags.start(&b, tt.noisy)
			defer talk.close()
			if (talk.sink != nil) != tt.sink {
				t.Fatalf("a sink: %v, want %v", talk.sink != nil, tt.sink)
			}
			if talk.sink != nil {
				talk.sink(event.Event{Type: event.Done, Bytes: 1})
			}
			if (b.String() != "") != tt.heard {
				t.Errorf("told %q", &b)
			}
		})
	}
}
