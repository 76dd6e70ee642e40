package main

import (
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"spate/event"
)

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
	talk := startBar(b, false)
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

func TestLinesAtOnce(t *testing.T) {
	var b buffer
	talk := startLines(&b, time.Hour)
	defer talk.close()
	talk.sink(event.Event{Type: event.Begin, Path: "x", Bytes: 1024, Size: 4096})
	talk.sink(event.Event{Type: event.Waiting, Error: "refused"})
	talk.sink(event.Event{Type: event.Aside, URL: "http://h/x", Error: "changed"})
	talk.close()
	talk.sink(event.Event{Type: event.Aside, URL: "http://h/y", Error: "changed"})
	io.WriteString(talk.above, "a line\n")
	want := "spate: x: resumed at 1.0 KiB\nspate: waiting for the connection: refused\n" +
		"spate: mirror set aside: http://h/x: changed\na line\n"
	if b.String() != want {
		t.Errorf("told %q, want %q", &b, want)
	}
}

// TestBars draws a batch, with a line above that stays.
func TestBars(t *testing.T) {
	b := &buffer{on: make(chan struct{}, 1)}
	talk := startBar(b, true)
	defer talk.close()
	for _, e := range aBatch {
		talk.sink(e)
	}
	has := func(text string) {
		t.Helper()
		for !strings.Contains(b.String(), text) {
			<-b.on
		}
	}
	has("two                   [██▒░] 2.0 KiB of 4.0 KiB (50%), 0 B/s, 2 connections\n" +
		`th\u001bree           7 B, 0 B/s` + "\n" + "1 of 4 done, 2 running, 1 failed, 2.0 KiB, 0 B/s\n")
	has("\x1b[3A\x1b[J") // up and away
	talk.sink(event.Event{Type: event.Aside, Job: 2, URL: "http://h/x", Error: "changed"})
	has("spate: mirror set aside: http://h/x: changed\ntwo ")
	talk.close()
	if _, after, _ := strings.Cut(b.String(), "1 of 4 done"); !strings.HasSuffix(after, "\x1b[J") {
		t.Errorf("left in the end: %q", after)
	}
	io.WriteString(talk.above, "a line\n")
	if !strings.HasSuffix(b.String(), "a line\n") {
		t.Error("a line after the end is lost")
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
		{"plain", talkFlags{progress: "plain"}, true, false, true},
		{"JSON as progress", talkFlags{progress: "json"}, true, true, true},
		{"off", talkFlags{progress: "off"}, false, false, false},
		{"none", talkFlags{progress: "none"}, false, false, false},
		{"stdout is a terminal", talkFlags{progress: "auto"}, true, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b buffer
			talk := tt.flags.start(&process{stderr: &b, env: noEnv}, tt.noisy)
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

func TestIsUTF8(t *testing.T) {
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, false},
		{map[string]string{"LANG": "C"}, false},
		{map[string]string{"LANG": "en_GB.UTF-8"}, true},
		{map[string]string{"LANG": "en_GB.utf8"}, true},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, false},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8"}, true},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8", "LC_ALL": ""}, true},
	} {
		env := func(name string) (string, bool) { v, ok := tt.env[name]; return v, ok }
		if got := isUTF8(env); got != tt.want {
			t.Errorf("%v: %v", tt.env, got)
		}
	}
}

func TestEndingLines(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a\n", "a\n": "a\n", "a\nb": "a\nb\n", "\n": "\n"} {
		var b strings.Builder
		n, err := endingLines{&b}.Write([]byte(text))
		if b.String() != want || n != len(text) || err != nil {
			t.Errorf("%q: %q, %d, %v", text, &b, n, err)
		}
	}
}
